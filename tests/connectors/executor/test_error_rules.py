import pytest

from gateway.connectors.executor import ExecutorLimits
from gateway.connectors.executor.error_rules import standard_action
from gateway.connectors.format.requests import ErrorAction
from gateway.errors import (
    UpstreamAuthError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamResponseError,
    UpstreamUnavailableError,
)
from tests.connectors.executor.notes import items, read

ONCE = {"retry": {"max_attempts": 1}}
TEXT = {"error_message": "${body.error}"}


async def failure(app, connector, access, *, status=200, json=None, headers=None, **http):
    app.answer(status=status, json=json if json is not None else {}, headers=headers or {})
    with pytest.raises(Exception) as caught:
        await read(connector(http={**ONCE, **http}), access)
    return caught.value


def rule(action, **when):
    return {"errors": [{"when": when, "action": action}]}


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (200, None),
        (204, None),
        (304, ErrorAction.FAIL),
        (400, ErrorAction.REJECTED),
        (401, ErrorAction.REAUTH),
        (403, ErrorAction.REJECTED),
        (404, ErrorAction.NOT_FOUND),
        (408, ErrorAction.RETRY),
        (409, ErrorAction.REJECTED),
        (410, ErrorAction.NOT_FOUND),
        (412, ErrorAction.CONFLICT),
        (425, ErrorAction.RETRY),
        (429, ErrorAction.RATE_LIMITED),
        (451, ErrorAction.REJECTED),
        (500, ErrorAction.RETRY),
        (503, ErrorAction.RETRY),
        (599, ErrorAction.RETRY),
        (600, ErrorAction.FAIL),
    ],
)
def test_the_standard_table(status, action):
    assert standard_action(status) is action


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (401, UpstreamAuthError, "Notes does not accept the credentials (401): No. Connect again with valid ones."),
        (403, UpstreamRejectedError, "Notes refused the request (403): No."),
        (404, UpstreamRejectedError, "Notes says that there is no such thing (404): No."),
        (422, UpstreamRejectedError, "Notes refused the request (422): No."),
        (429, UpstreamRateLimitError, "Notes asks to slow down (429): No. Try again in 60 seconds."),
        (500, UpstreamUnavailableError, "Notes failed (500): No. Try again later."),
        (503, UpstreamUnavailableError, "Notes failed (503): No. Try again later."),
    ],
)
async def test_a_status_becomes_the_error_that_says_what_to_do(app, connector, access, status, kind, message):
    error = await failure(app, connector, access, status=status, json={"error": "No."}, **TEXT)

    assert (type(error), error.message) == (kind, message)


async def test_a_refusal_tells_its_status(app, connector, access):
    assert (await failure(app, connector, access, status=403)).status == 403


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("retry", UpstreamUnavailableError),
        ("rate_limited", UpstreamRateLimitError),
        ("reauth", UpstreamAuthError),
        ("rejected", UpstreamRejectedError),
        ("not_found", UpstreamRejectedError),
        ("fail", UpstreamResponseError),
    ],
)
async def test_a_rule_reads_an_error_out_of_a_good_status(app, connector, access, action, kind):
    error = await failure(app, connector, access, json={"ok": False, "error": "Broken"}, **rule(action, body="body.ok == `false`"), **TEXT)

    assert type(error) is kind
    assert "(200): Broken" in error.message


async def test_not_found_by_a_rule_has_the_status_of_not_found(app, connector, access):
    assert (await failure(app, connector, access, status=400, **rule("not_found", status=[400]))).status == 404


async def test_empty_by_a_rule_is_a_page_without_records(app, connector, access):
    app.answer(status=409, json={"message": "Repository is empty."})

    page = await read(connector(http=rule("empty", status=[409])), access)

    assert page.items == ()


async def test_the_first_rule_that_fits_wins_over_the_table(app, connector, access):
    rules = [
        {"when": {"status": [403], "header_present": "X-Limited"}, "action": "rate_limited"},
        {"when": {"status": [403], "body": "contains(body.error, 'scope')"}, "action": "reauth", "message": "Scope is missing"},
        {"when": {"status": [403]}, "action": "fail"},
    ]

    errors = [
        await failure(app, connector, access, status=403, headers={"x-limited": "1"}, errors=rules),
        await failure(app, connector, access, status=403, json={"error": "no scope"}, errors=rules, **TEXT),
        await failure(app, connector, access, status=403, json={"error": None}, errors=rules),
        await failure(app, connector, access, status=402, errors=rules),
    ]

    assert [type(error) for error in errors] == [
        UpstreamRateLimitError,
        UpstreamAuthError,
        UpstreamResponseError,
        UpstreamRejectedError,
    ]
    assert errors[1].message == "Notes does not accept the credentials (403): Scope is missing. Connect again with valid ones."


async def test_all_conditions_of_a_rule_must_hold(app, connector, access):
    http = rule("reauth", status=[400], header={"X-Reason": "expired"}, body="body.code == 'token'")
    both = {"headers": {"x-reason": "expired"}, "json": {"code": "token"}}

    errors = [
        await failure(app, connector, access, status=400, **both, **http),
        await failure(app, connector, access, status=403, **both, **http),
        await failure(app, connector, access, status=400, headers={"x-reason": "other"}, json=both["json"], **http),
        await failure(app, connector, access, status=400, headers=both["headers"], json={}, **http),
    ]

    assert [type(error) for error in errors] == [UpstreamAuthError] + [UpstreamRejectedError] * 3


async def test_a_rule_can_read_a_redirect_to_a_sign_in_page(app, connector, access):
    error = await failure(app, connector, access, status=302, headers={"Location": "/login"}, **rule("reauth", status=[302]))

    assert type(error) is UpstreamAuthError
    assert len(app.requests) == 1


@pytest.mark.parametrize(
    "text",
    ["<html><body>Proxy error</body></html>", "<!DOCTYPE html>", "see <a href='x'>", {"a": 1}, 7, "", "  ", None, "x" * 10_001],
)
async def test_markup_and_what_is_no_text_is_not_shown(app, connector, access, text):
    error = await failure(app, connector, access, status=400, json={"error": text}, **TEXT)

    assert error.message == "Notes refused the request (400)."


async def test_the_apps_text_is_shown_on_one_short_line(app, connector, access):
    error = await failure(app, connector, access, status=400, json={"error": "a\r\nb\x1b[31m\tc\u202e " + "x" * 1000}, **TEXT)

    assert error.message.startswith("Notes refused the request (400): a b [31m c xxx")
    assert len(error.message) == len("Notes refused the request (400): .") + 300
    assert error.message.endswith("xxx....")


async def test_an_error_page_of_html_still_means_what_its_status_says(app, connector, access):
    app.answer(status=502, body="<html>Bad gateway</html>", headers={"Content-Type": "text/html"})

    with pytest.raises(UpstreamUnavailableError, match=r"^Notes failed \(502\). Try again later.$"):
        await read(connector(http={**ONCE, **TEXT}), access)


async def test_html_where_json_was_expected_is_named(app, connector, access):
    app.answer(body="<html>Sign in</html>", headers={"Content-Type": "text/html; charset=utf-8"})

    with pytest.raises(UpstreamResponseError) as caught:
        await read(connector(), access)
    assert caught.value.message == ("Notes answered text/html where JSON was expected. Check the address of the app in the connection.")


async def test_a_hostile_content_type_is_not_shown(app, connector, access):
    app.answer(body="<x>", headers={"Content-Type": "<script>alert(1)</script>/html"})

    with pytest.raises(UpstreamResponseError, match="Notes answered what is no JSON"):
        await read(connector(), access)


async def test_json_under_another_content_type_is_read(app, connector, access):
    app.answer(body=b'{"items": [{"id": 1}]}', headers={"Content-Type": "text/plain"})

    assert [record.external_id for record in (await read(connector(), access)).items] == ["1"]


async def test_broken_json_is_told(app, connector, access):
    app.answer(body=b'{"items": [', headers={"Content-Type": "application/json"})

    with pytest.raises(UpstreamResponseError, match="Notes answered what is no JSON"):
        await read(connector(), access)


async def test_an_answer_that_is_too_large_is_refused_by_the_smaller_of_both_limits(app, connector, access):
    app.answer(json=items(*range(1000)))
    with pytest.raises(UpstreamResponseError):
        await read(connector(http={"max_response_bytes": 1024}), access)
    app.answer(json=items(*range(1000)))
    with pytest.raises(UpstreamResponseError):
        await read(connector(http={"max_response_bytes": 1_000_000}, limits=ExecutorLimits(max_response_bytes=1024)), access)
    assert len(app.requests) == 2
