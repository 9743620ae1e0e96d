"""Values with expressions inside."""

from types import MappingProxyType

import pytest

from gateway.expressions import Expression, ExpressionError, Template

NAMES = {
    "a": {"n": 3, "infinite": float("inf"), "t": "x y", "b": True, "f": 1.5, "none": None, "list": [1], "object": {"k": 1}, "empty": ""}
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("${a.n}", 3),
        ("${a.b}", True),
        ("${a.none}", None),
        ("${a.list}", [1]),
        ("${ a.object }", {"k": 1}),
        ("n=${a.n}", "n=3"),
        ("${a.b}/${a.f}", "true/1.5"),
        ("1e5", "1e5"),
        ("None", "None"),
        ("", ""),
        (7, 7),
        (None, None),
        (False, False),
        ("$${a.n}", "${a.n}"),
        ("x$${a}${a.n}", "x${a}3"),
        ("$a {b} $ }", "$a {b} $ }"),
        ("${{k: a.n, s: '}'}}", {"k": 3, "s": "}"}),
        ('${`{"q": "}"}`}', {"q": "}"}),
        ("${'it\\'s } here'}!", "it's } here!"),
        ('${a."n"}', 3),
        ({"k": ["${a.n}", {"deep": "v${a.n}"}], "plain": 1}, {"k": [3, {"deep": "v3"}], "plain": 1}),
    ],
)
def test_a_template_gives_its_value_with_each_expression_in_place(source, value):
    rendered = Template.compile(source).render(NAMES)

    assert rendered == value
    assert type(rendered) is type(value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("n=${a.none}", "${a.none} gives what cannot stand in text: null cannot stand in text"),
        ("n=${a.list}", "a list cannot stand in text"),
        ("n=${a.object}", "an object cannot stand in text"),
        ("n=${a.infinite}", "${a.infinite} gives what cannot stand in text: a number beyond a double cannot stand in text"),
        ("n=${a.missing.key}", "null cannot stand in text"),
    ],
)
def test_within_text_an_expression_must_give_a_scalar(source, message):
    with pytest.raises(ExpressionError) as caught:
        Template.compile(source).render(NAMES)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("${a", "'${' without its '}' in '${a'"),
        ("x ${a ${b}", "'${' without its '}'"),
        ("x ${a b} y", "'a b' is not JMESPath"),
        ("${}", "'' is not JMESPath"),
        ("${'open}", "without its '}'"),
        ({1: "x"}, "key 1 is not text; write it in quotes"),
        ({"a": {"b": ["${a..b}"]}}, "'a..b' is not JMESPath"),
        (float("nan"), "a value of type float is not JSON"),
        (float("inf"), "a value of type float is not JSON"),
        (object(), "a value of type object is not JSON"),
        (b"x", "a value of type bytes is not JSON"),
    ],
)
def test_a_broken_template_is_refused_with_what_is_wrong(source, message):
    with pytest.raises(ExpressionError) as caught:
        Template.compile(source)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("plain", "/b/plain/c"),
        ("a/b", "/b/a%2Fb/c"),
        ("../../etc", "/b/..%2F..%2Fetc/c"),
        ("x?y#z", "/b/x%3Fy%23z/c"),
        ("100%", "/b/100%25/c"),
        ("%2e%2e", "/b/%252e%252e/c"),
        ("ü 漢", "/b/%C3%BC%20%E6%BC%A2/c"),
        ("a\r\nHost: evil", "/b/a%0D%0AHost%3A%20evil/c"),
        ("...", "/b/.../c"),
        (12, "/b/12/c"),
        (True, "/b/true/c"),
    ],
)
def test_a_value_in_a_path_is_one_segment_whatever_it_holds(value, path):
    assert Template.compile("/b/${v}/c").render_path({"v": value}) == path


@pytest.mark.parametrize("value", ["", ".", "..", None, [], {}, ["a"], "\ud800"])
def test_a_value_that_cannot_be_a_segment_is_refused(value):
    with pytest.raises(ExpressionError):
        Template.compile("/b/${v}/c").render_path({"v": value})


@pytest.mark.parametrize("source", ["/b/${v}${v}", "/b/${v}.", "/b/.${v}/c", "/../b", "/b/."])
def test_a_segment_may_not_come_out_as_dots_by_its_parts(source):
    with pytest.raises(ExpressionError):
        Template.compile(source).render_path({"v": "."})


def test_a_part_of_a_segment_may_hold_an_expression():
    assert Template.compile("/odata/Books(${id})").render_path({"id": "a'b/c"}) == "/odata/Books(a%27b%2Fc)"


@pytest.mark.parametrize(
    ("names", "path"),
    [({"a": "x/y", "b": "z"}, "/v1/x%2Fy/z"), ({"a": None, "b": "z"}, "/v1/z"), ({"a": 7, "b": None}, "/v1/7")],
    ids=["two", "without the first", "without the second"],
)
def test_a_list_that_is_spelt_out_in_a_path_is_a_segment_an_item(names, path):
    assert Template.compile("/v1/${[a, b]}").render_path(names) == path


@pytest.mark.parametrize("names", [{"a": None}, {"a": ""}, {"a": ".."}, {"a": ["x"]}], ids=["nothing", "empty", "dots", "a list"])
def test_a_list_of_segments_holds_what_segments_may_hold(names):
    with pytest.raises(ExpressionError):
        Template.compile("/v1/${[a, b]}").render_path(names)


def test_a_path_keeps_the_signs_that_it_is_told_to_keep():
    path = Template.compile("/rows/${id}")

    assert path.render_path({"id": "a,b/c~d"}) == "/rows/a%2Cb%2Fc~d"
    assert path.render_path({"id": "a,b/c~d"}, keeps=",") == "/rows/a,b%2Fc~d"


def test_a_path_is_text():
    with pytest.raises(ExpressionError, match="a path is text"):
        Template.compile(["/a"]).render_path({})


def test_a_template_knows_which_names_it_reads():
    template = Template.compile({"x": ["${a.b.c}", "${d}-${a.e}"], "y": "plain"})

    assert template.paths == {("a", "b"), ("d",), ("a", "e")}
    assert template.names == {"a", "d"}
    assert template.is_constant is False
    assert Template.compile({"y": "$${plain}"}).is_constant is True


def test_the_outline_shows_an_x_for_each_expression():
    assert Template.compile("/a/${b}/c${d}").outline == "/a/x/cx"
    assert Template.compile(["/a"]).outline is None


def test_names_may_be_any_mapping():
    names = MappingProxyType({"a": MappingProxyType({"b": 1})})

    assert Template.compile("${a.b}").render(names) == 1
    assert Expression.compile("a.b").evaluate(names) == 1


def test_a_rendered_value_is_fresh_each_time():
    template = Template.compile({"list": ["${a}"]})
    first = template.render({"a": 1})
    first["list"].append(2)

    assert template.render({"a": 1}) == {"list": [1]}


def test_templates_are_equal_by_their_source():
    assert Template.compile({"a": "${b}"}) == Template.compile({"a": "${b}"}) != Template.compile({"a": "${c}"})
    assert len({Template.compile(["${b}"]), Template.compile(["${b}"])}) == 1
    assert repr(Template.compile("${b}")) == "Template('${b}')"
