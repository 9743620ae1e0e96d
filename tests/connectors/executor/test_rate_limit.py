from datetime import UTC, datetime

import pytest

from gateway.connectors.executor.rate_limit import LIMIT_HEADERS, parse_wait, told_wait

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EPOCH = 1767225600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("1.5", 1.5),
        (" 30 ", 30),
        ("-5", 0),
        ("7200", 3600),
        (str(EPOCH + 20), 20),
        (str((EPOCH + 20) * 1000), 20),
        (str(EPOCH - 20), 0),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30),
        ("Thu, 01 Jan 2026 01:00:30 +0100", 30),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0),
        ("2026-01-01T00:00:10Z", 10),
        ("2027-01-01T00:00:00Z", 3600),
        ("100000000", 3600),
        ("1e300", 3600),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        (None, None),
        (30, None),
    ],
)
def test_a_wait_is_seen_by_its_value(text, seconds):
    assert parse_wait(text, now=NOW) == seconds


def test_common_headers_are_known():
    assert LIMIT_HEADERS == ("x-ratelimit-reset-after", "x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset")


def test_the_first_header_that_can_be_read_wins():
    names = ("retry-after", "x-ratelimit-reset")

    assert told_wait({"x-ratelimit-reset": "50", "retry-after": "5"}, names=names, now=NOW) == 5
    assert told_wait({"x-ratelimit-reset": "50", "retry-after": "soon"}, names=names, now=NOW) == 50
    assert told_wait({"x-other": "1"}, names=names, now=NOW) is None
