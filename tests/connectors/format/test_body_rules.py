"""What the bodies of requests, and the pages that they name, must satisfy beyond their shape."""

import pytest

LIST = "collections.things.operations.list"
REQUEST = 'request: {path: /things, query: {shelf: "${parameters.shelf}"}}'
PAGES = "        pagination: pages"


def posted(body):
    return REQUEST, f"request: {{method: POST, path: /things, {body}}}"


def paged(pagination):
    return PAGES, f"        pagination: {{{pagination}}}"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([posted("json: {}, form: {}")], [f"39: {LIST}.request: a request has one body, not json and form"]),
        ([posted("form: {a: '${parameters.b}'}")], [f"39: {LIST}.request.form.a: 'parameters' has no 'b'; it has shelf"]),
        ([posted("text: '${bdy}'")], [f"39: {LIST}.request.text: there is no name 'bdy' here"]),
        (
            [posted("graphql: {query: 'query($a: ID) { t }', variables: {a: '${item.id}'}}")],
            [f"39: {LIST}.request.graphql.variables.a: there is no name 'item' here"],
        ),
        (
            [posted("graphql: {query: '{ t', variables: {}}")],
            [f"39: {LIST}.request.graphql: `query` is no GraphQL: Syntax Error: Expected Name, found <EOF>."],
        ),
        (
            [posted("graphql: {query: 'query A { t } query B { t }'}")],
            [f"39: {LIST}.request.graphql: `query` must hold one operation, a query or a mutation"],
        ),
        (
            [posted("graphql: {query: 'subscription { t }'}")],
            [f"39: {LIST}.request.graphql: `query` must hold one operation, a query or a mutation"],
        ),
        (
            [posted("graphql: {query: 'fragment F on T { t }'}")],
            [f"39: {LIST}.request.graphql: `query` must hold one operation, a query or a mutation"],
        ),
        (
            [posted("graphql: {query: 'query($a: ID) { t }', variables: {b: 1}}")],
            [f"39: {LIST}.request.graphql: `query` declares no variable $b; it declares a"],
        ),
        (
            [(REQUEST, "request: {path: /things, method: GET, form: {a: 1}}")],
            [f"39: {LIST}.request.form: a GET request has no body; use `query`, or `method: POST` with `read: true`"],
        ),
        (
            [paged("type: page, in: body")],
            [f"40: {LIST}.pagination: the request has no body to say this in; give it `json`, `form` or `graphql`"],
        ),
        (
            [posted("text: a"), paged("type: page, in: body")],
            [f"40: {LIST}.pagination: the request has no body to say this in; give it `json`, `form` or `graphql`"],
        ),
        (
            [("size: {name: limit}", "in: body, size: {in: body, name: limit}")],
            [
                f"40: {LIST}.pagination: the request has no body to say this in; give it `json`, `form` or `graphql`",
                f"40: {LIST}.pagination.size: the request has no body to say this in; give it `json`, `form` or `graphql`",
            ],
        ),
        (
            [paged("type: offset, in: request")],
            [f"40: {LIST}.pagination: the request does not read page.offset, so that it would be the same for every page"],
        ),
        ([paged("type: page, size: {in: header}")], [f"40: {LIST}.pagination.size: a size in the header needs a `name` there"]),
        (
            [paged("type: page, size: {in: request, name: n}")],
            [f"40: {LIST}.pagination.size: a size that the request reads from `page.size` has no `name`"],
        ),
        ([paged("type: page, in: path")], [f"40: {LIST}.pagination.in: input should be 'query', 'header', 'body' or 'request'"]),
    ],
    ids=lambda value: str(value[0][1])[-60:].strip() if isinstance(value[0], tuple) else "",
)
def test_a_mistake_in_a_body_is_told_with_its_line(problems, changes, expected):
    found = problems(*changes)

    assert len(found) == len(expected)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True)), found
