"""How lists tell the app which records are wanted."""

import pytest

from gateway.connectors.format.operations import OperatorKey
from gateway.errors import UnsupportedError, UpstreamRejectedError
from gateway.models import Condition, FilterOperator, OrderDirection, PageRequest, Pointer, RecordOrder, RecordQuery
from tests.connectors.executor.notes import access_with, items, read_all

EQ, NE, GT, IN = FilterOperator.EQ, FilterOperator.NE, FilterOperator.GT, FilterOperator.IN
ANY = {"eq": {"query": "${field}"}, "gt": {"query": "gt_${field}"}, "in": {"query": "in_${field}", "value": "${join(',', value)}"}}
TERMS = {
    "request": {"path": "/notes", "query": {"q": "${join(' and ', terms)}"}},
    "filters": {"title": {"eq": {"term": "title = '${replace(value, `\"'\"`, `\"''\"`)}'"}, "ne": {"term": "title != ${value}"}}},
}
SORTED = {
    "request": {"path": "/notes", "query": {"sort": "${order.field}", "way": "${order.direction}"}},
    "order": {"fields": ["title", "size"]},
}
BOXED = {"type": "object", "properties": {"box": {"type": "integer"}}}


def where(*conditions, search=None, order=None):
    told = tuple(Condition(field=field, operator=operator, value=value) for field, operator, value in conditions)
    return RecordQuery(conditions=told, search=search, order=order)


async def listed(made, access, query, *, parameters=None):
    page = await made.records(access, Pointer("notes", parameters or {}), PageRequest(size=100), query)
    return [record.external_id for record in page.items]


def test_every_operator_of_the_gateway_has_a_key_in_the_format():
    assert [operator.value.lower() for operator in FilterOperator] == list(OperatorKey.__args__)


async def test_conditions_are_told_in_the_query(app, connector, access):
    app.answer(json=items(1))

    found = await listed(
        connector(listing={"filters": {"*": ANY}}), access, where(("a b", EQ, "x&y=1"), ("n", GT, 2.5), ("s", IN, ["p", "q"]))
    )

    assert found == ["1"]
    assert app.requests[0].target == "/notes?a%20b=x%26y%3D1&gt_n=2.5&in_s=p%2Cq"


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (0, "0"), (2**70, str(2**70)), ("", ""), ("\r\nX-Evil: 1", "%0D%0AX-Evil%3A%201"), ("é", "%C3%A9")],
    ids=["true", "false", "zero", "large", "empty", "line break", "accent"],
)
async def test_a_value_is_told_exactly_and_breaks_out_of_nothing(app, connector, access, value, text):
    app.answer(json=items())

    await listed(connector(listing={"filters": {"*": ANY}}), access, where(("a", EQ, value)))

    assert app.requests[0].target == f"/notes?a={text}"


async def test_conditions_are_told_as_terms_that_the_request_puts_together(app, connector, access):
    app.answer(json=items(1))

    await listed(connector(listing=TERMS), access, where(("title", EQ, "it's"), ("title", NE, "b")))

    assert app.requests[0].target == "/notes?q=title%20%3D%20%27it%27%27s%27%20and%20title%20%21%3D%20b"


async def test_a_term_may_be_any_json(app, connector, access):
    app.answer(json=items(1))
    body = {"request": {"method": "POST", "read": True, "path": "/find", "json": {"all": "${terms}"}}}
    filters = {"filters": {"*": {"eq": {"term": {"of": "${field}", "is": "${value}"}}}}}

    await listed(connector(listing={**body, **filters}), access, where(("a", EQ, 1), ("b", EQ, None)))

    assert app.requests[0].json() == {"all": [{"of": "a", "is": 1}, {"of": "b", "is": None}]}


async def test_no_conditions_are_an_empty_list_of_terms(app, connector, access):
    app.answer(json=items(1))

    await listed(connector(listing={**TERMS, "request": {"path": "/notes", "query": {"n": "${length(terms)}"}}}), access, where())

    assert app.requests[0].target == "/notes?n=0"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (("title", GT, 1), "Field 'title' cannot be filtered by GT; it can by EQ, NE."),
        (("other", EQ, 1), "Records cannot be filtered by 'other'; they can be filtered by title."),
    ],
)
async def test_what_the_app_cannot_filter_is_refused_with_what_it_can(app, connector, access, condition, message):
    with pytest.raises(UnsupportedError) as caught:
        await listed(connector(listing=TERMS), access, where(condition))

    assert (caught.value.message, app.requests) == (message, [])


async def test_a_list_without_filters_says_that_it_has_none(app, connector, access):
    with pytest.raises(UnsupportedError, match="Records cannot be filtered by 'a'; they cannot be filtered by any field"):
        await listed(connector(), access, where(("a", EQ, 1)))


async def test_a_field_that_is_named_takes_nothing_from_those_of_any_field(app, connector, access):
    made = connector(listing={"filters": {"*": ANY, "tags": {}}})

    with pytest.raises(UnsupportedError, match="Records cannot be filtered by 'tags'"):
        await listed(made, access, where(("tags", EQ, 1)))
    assert app.requests == []


@pytest.mark.parametrize(
    ("operator", "value"),
    [(EQ, None), (EQ, []), (EQ, [1, None]), (IN, ["a", None]), (IN, "text"), (IN, [1])],
    ids=["null", "empty list", "null in a list", "null among values", "no list", "a number in a list of texts"],
)
async def test_a_condition_that_would_be_left_out_of_the_request_is_refused(app, connector, access, operator, value):
    with pytest.raises(UnsupportedError, match=f"cannot be filtered by 'a' with {operator.value} and this value"):
        await listed(connector(listing={"filters": {"*": ANY}}), access, where(("a", operator, value)))
    assert app.requests == []


async def test_a_name_that_the_connector_withholds_is_no_filter(app, connector, access):
    withheld = {"*": {"eq": {"query": "${!(starts_with(field, '_')) && field}"}}}

    with pytest.raises(UnsupportedError, match="cannot be filtered by '_limit'"):
        await listed(connector(listing={"filters": withheld}), access, where(("_limit", EQ, 1)))
    assert app.requests == []


async def test_one_of_no_values_is_nothing_and_asks_nobody(app, connector, access):
    made = connector(listing={"filters": {"*": ANY}})

    assert await listed(made, access, where(("a", IN, []))) == []
    with pytest.raises(UnsupportedError):
        await listed(connector(), access, where(("a", IN, [])))
    assert app.requests == []


async def test_two_conditions_that_the_app_takes_in_one_place_are_refused_unless_they_are_the_same(app, connector, access):
    app.answer(json=items())
    made = connector(listing={"filters": {"*": ANY}})

    await listed(made, access, where(("a", EQ, 1), ("a", EQ, 1)))
    with pytest.raises(UnsupportedError, match="takes one such condition on 'a' at a time"):
        await listed(made, access, where(("a", EQ, 1), ("a", EQ, 2)))
    assert [request.target for request in app.requests] == ["/notes?a=1"]


async def test_a_condition_never_takes_the_place_of_the_parameter_that_narrows_the_collection(app, connector, access):
    app.answer(json=items(1))
    app.answer(json=items(2))
    request = {"path": "/notes", "query": {"box": "${parameters.box}"}}
    made = connector(collection={"parameters": BOXED}, listing={"request": request, "filters": {"*": ANY}})

    await listed(made, access, where(("box", EQ, 8)))
    await listed(made, access, where(("box", EQ, 7)), parameters={"box": 7})
    with pytest.raises(UnsupportedError, match="have their own 'box' already"):
        await listed(made, access, where(("box", EQ, 8)), parameters={"box": 7})
    assert [request.target for request in app.requests] == ["/notes?box=8", "/notes?box=7"]


@pytest.mark.parametrize("name", ["limit", "page", "key"])
async def test_a_condition_never_takes_the_place_of_what_tells_the_page_or_who_asks(app, connector, name):
    listing = {"pagination": {"type": "page", "size": {"name": "limit"}}, "filters": {"*": ANY}}
    auth = {"token": {"type": "apiKey", "location": "query", "parameter": "key", "value": "${credentials.token}"}}

    with pytest.raises(UnsupportedError, match=f"Records cannot be filtered by '{name}'"):
        await listed(connector(listing=listing, auth=auth), access_with(), where((name, EQ, 1)))
    assert app.requests == []


async def test_conditions_order_and_search_are_told_on_every_page(app, connector, access):
    for page in (items(1), items(2), items()):
        app.answer(json=page)
    request = {"path": "/notes", "query": {"sort": "${order.field}", "q": "${search}"}}
    listing = {
        "request": request,
        "pagination": {"type": "page", "size": {"name": "limit", "max": 1}},
        "filters": {"*": ANY},
        "order": {"fields": ["*"]},
        "is_searchable": True,
    }
    query = where(("a", EQ, 1), search="x", order=RecordOrder(field="b"))

    assert await read_all(connector(listing=listing), access, query=query) == [["1"], ["2"], []]
    assert [request.target for request in app.requests] == [f"/notes?sort=b&q=x&a=1&limit=1&page={number}" for number in (1, 2, 3)]


async def test_the_order_is_told_with_its_direction(app, connector, access):
    app.answer(json=items())
    app.answer(json=items())
    made = connector(listing=SORTED)

    await listed(made, access, where(order=RecordOrder(field="size", direction=OrderDirection.DESC)))
    await listed(made, access, where())

    assert [request.target for request in app.requests] == ["/notes?sort=size&way=desc", "/notes"]


async def test_what_the_app_cannot_order_by_is_refused_with_what_it_can(app, connector, access):
    with pytest.raises(UnsupportedError, match="Records cannot be ordered by 'id'; they can be ordered by title, size"):
        await listed(connector(listing=SORTED), access, where(order=RecordOrder(field="id")))
    with pytest.raises(UnsupportedError, match="they cannot be ordered by any field"):
        await listed(connector(), access, where(order=RecordOrder(field="id")))
    assert app.requests == []


async def test_a_search_is_told_to_the_list_or_to_the_operation_for_it(app, connector, access):
    app.answer(json=items(1))
    app.answer(json=items(2))
    searched = {"request": {"path": "/search", "query": {"q": "${search}"}}, "records": "${body.items}"}
    listing = {"request": {"path": "/notes"}, "records": "${body.items}"}
    in_list = connector(listing={"request": {"path": "/notes", "query": {"q": "${search}"}}, "is_searchable": True})
    of_its_own = connector(collection={"operations": {"list": listing, "search": searched}})

    assert await listed(in_list, access, where(search="a b")) == ["1"]
    assert await listed(of_its_own, access, where(search="a b")) == ["2"]
    assert [request.target for request in app.requests] == ["/notes?q=a%20b", "/search?q=a%20b"]


async def test_a_search_that_the_app_has_not_is_refused(app, connector, access):
    searched = {"request": {"path": "/search", "query": {"q": "${search}"}}, "records": "${body.items}"}

    with pytest.raises(UnsupportedError, match="The records of Notes cannot be searched"):
        await listed(connector(), access, where(search="a"))
    with pytest.raises(UnsupportedError, match="The records of Notes can only be searched"):
        await listed(connector(collection={"operations": {"search": searched}}), access, where())
    assert app.requests == []


async def test_a_condition_that_cannot_be_part_of_a_request_is_the_requests_fault(app, connector, access):
    with pytest.raises(UpstreamRejectedError, match="holds text that is not Unicode"):
        await listed(connector(listing={"filters": {"*": ANY}}), access, where(("a", EQ, "\ud800")))
    assert app.requests == []
