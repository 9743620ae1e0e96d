"""What an expression may not ask for, whoever wrote it and whatever the app answers."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.expressions import Expression, ExpressionError, Template, limits
from gateway.expressions.functions import ARITIES
from tests.support.examples import ANY_JSON


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a" * 2049, "an expression has at most 2048 characters, not 2049"),
        ("|".join(["a"] * 40), "it nests deeper than 32 levels"),
        ("(" * 1000 + "a" + ")" * 1000, "nests too deeply"),
        ("!" * 2000 + "a", "nests too deeply"),
        ("[" * 1000 + "a" + "]" * 1000, "nests too deeply"),
        ("|".join(["[@, @]"] * 14), "it could repeat its input more than 10000 times"),
        ("|".join(["{a: @, b: @, c: @, d: @, e: @, f: @, g: @, h: @, i: @, j: @}"] * 5), "it could repeat its input"),
        ("|".join(["merge({a: @, b: @}, {c: @, d: @})"] * 7), "it could repeat its input"),
    ],
)
def test_a_source_that_is_too_long_too_deep_or_multiplies_is_refused_at_compile_time(source, message):
    with pytest.raises(ExpressionError) as caught:
        Expression.compile(source)

    assert message in str(caught.value)
    assert len(str(caught.value)) < 300


def test_maps_within_maps_multiply():
    source = "a"
    for _ in range(14):
        source = f"map(&[@, @], {source})"

    with pytest.raises(ExpressionError, match="it could repeat its input"):
        Expression.compile(source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("join(a, b)", "it makes a text of more than 1048576 characters"),
        ("replace(a, 'x', a)", "it makes a text of more than"),
        ("concat(a, a, a, a, a, a, a, a, a, a, a)", "it makes a text of more than"),
        ("to_string([b, b, b, b, b, b, b, b, b, b, b, b])", "it makes a text of more than"),
        ("zip_rows(b, b)", "zip_rows() makes more than 4000000 values"),
        ("add_to_each(b, c)", "add_to_each() makes more than 4000000 values"),
        ("[b, b, b, b, b, b, b, b, b][] | [@, @, @, @, @, @, @][] | [@, @][]", "it works through more than 4000000 items"),
        ("add_to_each(rows, {a: a})[].concat(a, a, a, a, a)", "it works through more than 4000000 items"),
        ("add_to_each(rows, {b: b})[?contains(b, id)]", "it works through more than 4000000 items"),
    ],
)
def test_an_evaluation_that_grows_too_large_is_refused(source, message):
    names = {"a": "x" * 100_000, "b": ["item"] * 100_000, "c": {str(n): n for n in range(100)}, "rows": [{"id": n} for n in range(200)]}

    with pytest.raises(ExpressionError) as caught:
        Expression.compile(source).evaluate(names)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [("[%s][]", "it works through more than 4000000 items"), ("to_string([%s])", "it makes a text of more than 1048576 characters")],
)
def test_what_repeats_its_input_is_measured_before_it_is_made(source, message):
    expression = Expression.compile(source % ", ".join(["b"] * 400))
    names = {"b": ["item"] * 100_000}
    tracemalloc.start()

    with pytest.raises(ExpressionError, match=message):
        expression.evaluate(names)

    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 10_000_000


def test_numbers_do_not_grow_without_bounds():
    squares = "a" + " | multiply(@, @)" * 12

    with pytest.raises(ExpressionError, match="it calculates with a number that is too large"):
        Expression.compile(squares).evaluate({"a": 10**9})
    with pytest.raises(ExpressionError, match="it calculates a number that is too large"):
        Expression.compile("multiply(a, a)").evaluate({"a": 1e200})
    assert Expression.compile("to_number(a)").evaluate({"a": "9" * 100_000}) is None


def test_a_large_answer_is_walked_within_the_limit():
    body = {"items": [{"n": n} for n in range(100_000)]}

    assert len(Expression.compile("body.items[?n >= `50000`].n").evaluate({"body": body})) == 50_000
    assert Expression.compile("body.items").evaluate({"body": body}) is body["items"]


def test_a_text_of_many_expressions_is_bounded():
    template = Template.compile("${a}" * 11)

    with pytest.raises(ExpressionError, match="it makes a text of more than"):
        template.render({"a": "x" * 100_000})


def test_a_template_nests_at_most_32_levels():
    value: object = "${a}"
    for _ in range(limits.MAX_TEMPLATE_DEPTH):
        value = [value]
    Template.compile(value)

    with pytest.raises(ExpressionError, match="values nest at most 32 levels"):
        Template.compile([value])


def test_a_deeply_nested_answer_fails_as_an_expression_error():
    deep: object = 1
    # Newer versions of Python write deeper ones than older: so deep that the text would be too long else.
    for _ in range(600_000):
        deep = [deep]

    with pytest.raises(ExpressionError):
        Expression.compile("to_string(a)").evaluate({"a": deep})


SOURCES = st.text(alphabet="ab.[]{}()|&!?*@,:'\"`\\ 01<>=$\n", max_size=60)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=8,
)


@given(source=SOURCES, value=VALUES)
def test_any_source_and_any_value_end_in_a_value_or_an_expression_error(source, value):
    for compile_ in (Expression.compile, Template.compile):
        try:
            compiled = compile_(source)
            compiled.evaluate({"a": value}) if isinstance(compiled, Expression) else compiled.render({"a": value})
        except ExpressionError:
            continue


@given(name=st.sampled_from(sorted(ARITIES)), arguments=st.lists(ANY_JSON, max_size=3))
def test_any_function_of_any_values_gives_json_or_an_expression_error(name, arguments):
    names = dict(zip("abc", arguments, strict=False))
    for written in (", ".join(names), f"&@, {', '.join(names)}", f"{', '.join(names)}, &@"):
        try:
            result = Expression.compile(f"{name}({written})").evaluate(names)
        except ExpressionError:
            continue
        json.dumps(result, allow_nan=False)


@given(value=st.text(max_size=20))
def test_a_path_never_leaves_its_place(value):
    try:
        path = Template.compile("/v1/${v}/x").render_path({"v": value})
    except ExpressionError:
        return

    start, segment, end = path.split("/")[1:]
    assert (start, end) == ("v1", "x")
    assert segment not in ("", ".", "..")
    assert segment.isascii()
    assert not set("?#\\ \r\n") & set(segment)
