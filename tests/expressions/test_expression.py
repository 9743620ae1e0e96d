"""What one expression gives."""

import pytest

from gateway.expressions import Expression, ExpressionError
from tests.support.garbage import garbage_of

NAMES = {"record": {"id": 7, "name": "Ann", "owner": {"email": "a@b.example"}, "tags": ["x", "y"]}, "body": {"items": [{"n": 1}, {"n": 2}]}}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("record.id", 7),
        ("record.owner.email", "a@b.example"),
        ("record.owner.phone.home", None),
        ("record.tags.x", None),
        ("nothing.at.all", None),
        ("record.tags[-1]", "y"),
        ("body.items[].n", [1, 2]),
        ("body.items[?n > `1`] | [0].n", 2),
        ("{id: record.id, first: record.tags[0]}", {"id": 7, "first": "x"}),
        ("record.name == 'Ann' && record.id || `0`", 7),
        ('record."name"', "Ann"),
        ("'it\\'s'", "it's"),
        ('`{"a": [1, null]}`', {"a": [1, None]}),
    ],
)
def test_an_expression_gives_what_jmespath_says(source, value):
    assert Expression.compile(source).evaluate(NAMES) == value


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        (None, False),
        (False, False),
        ("", False),
        ([], False),
        ({}, False),
        (0, True),
        (True, True),
        ("no", True),
        ([None], True),
        (0.0, True),
    ],
)
def test_a_condition_holds_unless_its_value_is_null_false_or_empty(value, holds):
    assert Expression.compile("record").holds({"record": value}) is holds


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("record", {("record",)}),
        ("record.owner.email", {("record", "owner")}),
        ("body.items[?state == 'open'].owner.name", {("body", "items")}),
        ("body.items | [0].record", {("body", "items")}),
        ("map(&name, body.items)", {("body", "items")}),
        ("concat(record.id, page.size, `1`)", {("record", "id"), ("page", "size")}),
        ("{a: record.id, b: status}", {("record", "id"), ("status",)}),
        ("record[0].id", {("record",)}),
        ("@", {("@",)}),
        ("*.id", {("@",)}),
        ("[].id", {("@",)}),
        ("!(record.done)", {("record", "done")}),
        ("'record'", set()),
    ],
)
def test_an_expression_knows_which_names_it_reads_and_the_keys_after_them(source, paths):
    expression = Expression.compile(source)

    assert expression.paths == paths
    assert expression.names == {path[0] for path in paths}
    assert expression.is_constant is (not paths)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a..b", "'a..b' is not JMESPath: unexpected '.' at character 3"),
        ("a ||", "'a ||' is not JMESPath: it ends too early"),
        ("", "'' is not JMESPath: it is empty"),
        ("a = b", "'a = b' is not JMESPath: Unknown token '=' at character 3"),
        ("'open", "'open\" is not JMESPath: Unclosed ' delimiter"),
        ("shout(a)", "there is no function shout(); there are abs, "),
        ("lower()", "expression 'lower()': lower() takes 1 argument(s), not 0"),
        ("lower(a, b)", "lower() takes 1 argument(s), not 2"),
        ("concat()", "concat() takes at least 1 argument(s), not 0"),
        ("`not json`", "what stands in backticks must be JSON; text is written '...'"),
        ("`1e999`", "expression '`1e999`': a number in backticks is at most a double"),
        ('[a, `{"b": [-Infinity]}`]', "a number in backticks is at most a double"),
        ("`NaN`", "a number in backticks is at most a double"),
        ("!a.b", "'!' takes only the name after it; write !(a.b) to negate the whole"),
        ("items[?!a.b]", "write !(a.b)"),
        ("&a", "expression '&a': '&' stands only among the arguments of map, max_by, min_by, sort_by"),
        ("{a: [&b]}", "'&' stands only among the arguments of"),
        ("default(&a, b)", "'&' stands only among the arguments of"),
        (12, "an expression is text, not int"),
        (None, "an expression is text, not NoneType"),
    ],
)
def test_a_broken_expression_is_refused_with_what_is_wrong(source, message):
    with pytest.raises(ExpressionError) as caught:
        Expression.compile(source)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("length(record.id)", "expression 'length(record.id)': length() takes string or array or object, not number"),
        ("record.id > record.name", "expression 'record.id > record.name' cannot be evaluated (TypeError)"),
        ("sort_by(record.tags, &missing)", "sort_by() takes string or number, not null"),
        ("record.tags[::0]", "cannot be evaluated (ValueError)"),
    ],
)
def test_an_expression_that_fails_tells_types_and_never_values(source, message):
    with pytest.raises(ExpressionError) as caught:
        Expression.compile(source).evaluate({"record": {"id": 991199, "name": "s3cret", "tags": ["s3cret"]}})

    assert message in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "991199" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_integers_of_any_size_pass_through_exactly():
    assert Expression.compile("record.id").evaluate({"record": {"id": 10**30 + 1}}) == 10**30 + 1


def test_expressions_are_equal_by_their_source():
    assert Expression.compile("a.b") == Expression.compile("a.b") != Expression.compile("a.c")
    assert len({Expression.compile("a.b"), Expression.compile("a.b")}) == 1
    assert repr(Expression.compile("a.b")) == "Expression('a.b')"


async def test_an_evaluation_leaves_nothing_to_the_search_for_garbage():
    expression = Expression.compile("join(' ', sort_by(body.items[?n > `0`], &n)[].to_string(n)) || record.name")

    async def evaluate() -> None:
        assert expression.evaluate(NAMES) is not None

    assert await garbage_of(evaluate, "gateway.", "jmespath.") == {}
