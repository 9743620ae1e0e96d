"""Examples for tests of properties: how many of them, and what an app may answer that nobody expects of it."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

NUMBERS = (
    st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([-0.0, 5e-324, 1e308, 2**53 + 1, 2**63, -(2**63) - 1, 2**64, -(10**308), 10**22, 1e22])
    # Made of their length, as reports of failures write down what a strategy is made of.
    | st.sampled_from([15, 16, 18, 19, 20, 39, 100, 307, 308, 309, 400, 4_300]).map(lambda digits: 10**digits - 1)
)
TEXTS = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | NUMBERS.map(str)
    | st.datetimes().map(str)
    | st.sampled_from(
        ["", " ", "\x00", "a\x00b", "1e999", "-Infinity", "NaN", "null", "[[", "0001-01-01", "9999-12-31T23:59:59-23:59", "٣", "²"]
    )
    | st.sampled_from(["/", "..", "https://", "//evil.test", "?", "#", "${record}", "\r\nX: y", "\u202e", "\ufeff"])
    | st.just(5_000).map(lambda length: "1" * length)
)
_VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def _any_json(draw: st.DrawFn) -> Any:
    # Named, as all that the strategy is made of would else stand in each report of a failure, and of what is made of it.
    return draw(_VALUES)


ANY_JSON = _any_json()
"""Any value of an answer, those that are the last to be read or written somewhere among them."""


def part_of_examples(*, percent: int) -> Any:
    """The decorator of a test whose examples cost more: it takes this part of those that others take, in the suite as in a search."""
    return settings(max_examples=settings.default.max_examples * percent // 100)
