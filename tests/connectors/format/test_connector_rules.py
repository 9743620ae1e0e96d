"""What a connector file must satisfy beyond its shape."""

import pytest

LIST = "collections.things.operations.list"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            [('records: "${body.items}"', 'records: "${bdy.items}"')],
            [
                f"41: {LIST}.records: there is no name 'bdy' here; there are body, connection, headers, integration, order, parameters, "
                "partition, schema, search, status, terms"
            ],
            id="unknown name",
        ),
        pytest.param(
            [('query: {shelf: "${parameters.shelf}"}', 'query: {shelf: "${parameters.shlef}"}')],
            [f"39: {LIST}.request.query.shelf: 'parameters' has no 'shlef'; it has shelf"],
            id="unknown parameter",
        ),
        pytest.param(
            [('"${connection.server}"', '"${connection.srever}"')],
            ["15: http.base_url: 'connection' has no 'srever'; it has server"],
            id="unknown connection parameter",
        ),
        pytest.param(
            [('"${connection.server}"', '"${integration.server}"')],
            ["15: http.base_url: 'integration' has no 'server'; it has nothing"],
            id="no integration parameters",
        ),
        pytest.param(
            [('"${credentials.key}"', '"${credentials.token}"')],
            [
                "12: auth.key.value: 'credentials' has no 'token'; it has key",
                "13: auth.key.credentials: none of token is secret; mark the one that is with `writeOnly: true`",
            ],
            id="unknown credential",
        ),
        pytest.param(
            [("path: /me", 'path: "/me/${credentials.key}"')],
            [
                "7: connection.check.request.path: credentials are known under `auth` only, so that no other part of a request can "
                "carry them elsewhere"
            ],
            id="credentials in a path",
        ),
        pytest.param(
            [("  errors:", '  headers: {X-Auth: "${credentials.key}"}\n  errors:')],
            [
                "16: http.headers.X-Auth: credentials are known under `auth` only, so that no other part of a request can carry them "
                "elsewhere"
            ],
            id="credentials in a header",
        ),
        pytest.param(
            [('records: "${body.items}"', 'records: "${values(@)[0].items}"')],
            [f"41: {LIST}.records: an expression may not take all names at once; say which"],
            id="all names",
        ),
        pytest.param(
            [(", writeOnly: true", "")],
            ["13: auth.key.credentials: none of key is secret; mark the one that is with `writeOnly: true`"],
            id="open secret",
        ),
        pytest.param(
            [("{server: {type: string}}", "{server: {type: string}, token: {type: string, writeOnly: true}}")],
            ["6: connection.schema.properties.token: secrets belong to the `credentials` of an auth method, not here"],
            id="secret among the connection's parameters",
        ),
        pytest.param(
            [("type: apiKey", "type: none"), ("    parameter: X-Key\n", ""), ('    value: "${credentials.key}"\n', "")],
            ["11: auth.key.credentials: a method of type none sends no credentials; take them out"],
            id="credentials of none",
        ),
        pytest.param(
            [('"${connection.server}"', "ftp://example.com")],
            ["15: http.base_url: 'ftp://example.com' is not an address such as https://api.example.com/v1"],
            id="base URL",
        ),
        pytest.param(
            [('"${connection.server}"', "[https://example.com]")], ["15: http.base_url: the base URL is text"], id="base URL list"
        ),
        pytest.param(
            [("  errors:", "  allowed_hosts: ['https://x.example/']\n  errors:")],
            ["16: http.allowed_hosts.0: 'https://x.example/' is not a host such as files.example.com or example.com:8443"],
            id="allowed host",
        ),
        pytest.param(
            [("path: /me", "path: me")],
            ["7: connection.check.request.path: a path is text that starts with '/'; the base URL stands before it"],
            id="path",
        ),
        pytest.param(
            [("path: /me", 'path: "/me?x=1"')],
            ["7: connection.check.request.path: a path holds no '?' or '#'; write what follows as `query`"],
            id="query in a path",
        ),
        pytest.param(
            [("path: /me", "path: /a/../me")],
            ["7: connection.check.request.path: a path holds no '.' or '..' segments"],
            id="dots in a path",
        ),
        pytest.param([("path: /me", "path: /a b")], ["7: connection.check.request.path: a path holds no spaces; write %20"], id="space"),
        pytest.param(
            [("path: /me", "path: /me, json: {a: 1}")],
            ["7: connection.check.request.json: a GET request has no body; use `query`, or `method: POST` with `read: true`"],
            id="body of a GET",
        ),
        pytest.param(
            [("path: /me", "path: /me, headers: {'X Y': 1}")],
            ["7: connection.check.request.headers.X Y: 'X Y' is not the name of a header"],
            id="header name",
        ),
        pytest.param(
            [("  errors:", "  headers: {'X Y': 1}\n  errors:")],
            ["16: http.headers.X Y: 'X Y' is not the name of a header"],
            id="shared header",
        ),
        pytest.param(
            [("parameter: X-Key", "parameter: 'key;'\n    location: cookie")],
            ["11: auth.key.parameter: 'key;' is not the name of a cookie"],
            id="cookie name",
        ),
        pytest.param(
            [("{type: page, size: {name: limit}}", "{type: page, start: -1, size: {name: limit, max: 100001}}")],
            [
                "19: pagination.pages.size.max: input should be less than or equal to 100000",
                "19: pagination.pages.start: input should be greater than or equal to 0",
            ],
            id="bounds of a pagination",
        ),
        pytest.param(
            [('query: {shelf: "${parameters.shelf}"}', 'query: {shelf: "${page.count}"}')],
            [f"39: {LIST}.request.query.shelf: 'page' has no 'count'; it has number, offset, size, token"],
            id="count of a page that is not read yet",
        ),
        pytest.param(
            [("pagination: pages\n", "pagination: paegs\n")],
            [f"40: {LIST}.pagination: there is no pagination 'paegs'; there are none, pages"],
            id="unknown pagination",
        ),
        pytest.param(
            [("size: {name: limit}", "has_more: bdy.more")],
            [
                "19: pagination.pages: there is no name 'bdy' here; there are body, connection, headers, integration, last, order, page, "
                "parameters, partition, schema, search, status, terms"
            ],
            id="unknown name in a pagination",
        ),
        pytest.param(
            [("size: {name: limit}", "has_more: page.total")],
            ["19: pagination.pages: 'page' has no 'total'; it has count, number, offset, size, token"],
            id="unknown key of the page",
        ),
        pytest.param(
            [("pagination: pages\n", "pagination: {type: next_url, next: /more}\n")],
            [f"40: {LIST}.pagination.next: the next page must be read from the answer, or the pages would never end"],
            id="constant next page",
        ),
        pytest.param(
            [("pagination: pages\n", "pagination: {type: none, has_more: body.more}\n")],
            [f"40: {LIST}.pagination: a pagination of type none has no next page; take `has_more` and `stop` out"],
            id="none goes on",
        ),
        pytest.param(
            [("#/schemas/thing", "#/schemas/thnig")],
            ["35: collections.things.fields: there is no schema 'thnig' under `schemas`; there are thing"],
            id="unknown schema",
        ),
        pytest.param(
            [("{type: object, properties: {id: {type: integer}}}", "{type: object, properties: {me: {$ref: '#/schemas/thing'}}}")],
            ["21: schemas.thing.properties.me: schema 'thing' refers to itself; write the repeated part out with `$defs`"],
            id="schema in a circle",
        ),
        pytest.param(
            [('{$ref: "#/schemas/thing"}', "{type: object, properties: {a: {type: txt}}}")],
            [
                '35: collections.things.fields: not a usable JSON Schema at properties.a.type: "txt" is not valid under any of the '
                "schemas listed in the 'anyOf' keyword"
            ],
            id="broken schema",
        ),
        pytest.param(
            [('{$ref: "#/schemas/thing"}', '{$ref: "http://127.0.0.1:1/x"}')],
            [
                "35: collections.things.fields: not a usable JSON Schema: Resource 'http://127.0.0.1:1/x' is not present in a registry "
                "and retrieving it failed: Retrieval is disabled, cannot fetch http://127.0.0.1:1/x"
            ],
            id="remote schema",
        ),
        pytest.param(
            [('    fields: {$ref: "#/schemas/thing"}\n', "")],
            ["32: collections.things: the collection needs `fields`, `dynamic_fields` or both, so that callers know what its records hold"],
            id="no fields",
        ),
        pytest.param(
            [('{id: "${record.id}"}', "{id: fixed}")],
            ["36: collections.things.record.id: the id must be read from `record`, or all records would be one"],
            id="constant id",
        ),
        pytest.param(
            [('{id: "${record.id}"}', '{id: "${record.id}", name: record.name}'), ('records: "${body.items}"', "records: body.items")],
            [
                "36: collections.things.record.name: 'record.name' is plain text, the same whatever the app sends; "
                "an expression is written ${...}",
                "41: collections.things.operations.list.records: 'body.items' is plain text, the same whatever the app sends; "
                "an expression is written ${...}",
            ],
            id="expressions without signs",
        ),
        pytest.param(
            [('{id: "${record.id}"}', '{id: "${record.id}", name: "${item.name}"}')],
            ["36: collections.things.record.name: there is no name 'item' here; there are connection, integration, parameters, record"],
            id="item in a record",
        ),
        pytest.param(
            [("{collection: things, name: All things}", "{collection: thnigs}")],
            ["23: locations.0.collection: there is no collection 'thnigs'; there are things"],
            id="unknown collection",
        ),
        pytest.param(
            [("{collection: things, name: All things}", '{collection: things, name: "${item.name}"}')],
            ["23: locations.0.name: there is no name 'item' here; there are connection, integration, parameters"],
            id="item of no list",
        ),
        pytest.param(
            [("{collection: things, name: All things}", '{collection: things, parameters: {shelf: "${parameters.shelf}"}}')],
            ["23: locations.0.parameters.shelf: 'parameters' has no 'shelf'; it has nothing"],
            id="parameters at the root",
        ),
        pytest.param(
            [("{collection: things, name: All things}", "{collection: things, parameters: {shlef: 1}}")],
            [
                "23: locations.0.parameters: Additional properties are not allowed ('shlef' was unexpected)",
                "23: locations.0.parameters.shlef: collection 'things' has no parameter 'shlef'; it has shelf",
            ],
            id="unknown parameter",
        ),
        pytest.param(
            [("{collection: things, name: All things}", "{collection: things, parameters: {shelf: top}}")],
            ['23: locations.0.parameters.shelf: "top" is not of type "integer"'],
            id="parameter of another type",
        ),
        pytest.param(
            [("properties: {shelf: {type: integer}}}\n    fields", "required: [shelf], properties: {shelf: {type: integer}}}\n    fields")],
            ["23: locations.0: collection 'things' requires the parameter 'shelf'; give it under `parameters`"],
            id="missing parameter",
        ),
        pytest.param(
            [('parameters: {shelf: "${item.id}"}', "parameters: {}")],
            ["24: locations.1: a directory that the app lists needs parameters that tell its items apart"],
            id="listed alike",
        ),
        pytest.param(
            [('parameters: {shelf: "${item.id}"}', 'parameters: {room: "${item.id}"}')],
            [
                "24: locations.1: directory 'shelf' requires the parameter 'shelf'; give it under `parameters`",
                "27: locations.1.parameters.room: directory 'shelf' has no parameter 'room'; it has shelf",
            ],
            id="directory's parameters",
        ),
        pytest.param(
            [("directory: shelf", "directory: things")],
            ["24: locations.1.directory: there is a collection 'things'; a path names one location"],
            id="key of both",
        ),
        pytest.param(
            [
                (
                    '      - {collection: things, parameters: {shelf: "${parameters.shelf}"}}',
                    "      - {directory: shelf, name: Again, parameters_schema: {type: object}, locations: []}",
                )
            ],
            ["30: locations.1.locations.0.directory: there is another directory 'shelf'; a path names one location"],
            id="directory twice",
        ),
        pytest.param(
            [("{tasks: {}}", "{tsaks: {}}"), ("  tasks: {collection", "  tsaks: {collection")],
            ["42: collections.things.universal_data_models.tsaks: there is no universal data model 'tsaks'; there are "],
            id="unknown model",
        ),
        pytest.param(
            [("{collection: things, parameters: {shelf: 1}}", "{collection: thing}")],
            ["44: default_collections.tasks.collection: there is no collection 'thing'; there are things"],
            id="unknown default",
        ),
        pytest.param(
            [("{tasks: {}}", "{}")],
            ["44: default_collections.tasks: collection 'things' does not name 'tasks' under `universal_data_models`"],
            id="default of another model",
        ),
        pytest.param(
            [("{shelf: 1}", "{shelf: x}")],
            ['44: default_collections.tasks.parameters.shelf: "x" is not of type "integer"'],
            id="default's parameters",
        ),
    ],
)
def test_a_broken_rule_is_told_with_its_line_and_what_there_is(problems, changes, expected):
    found = problems(*changes)

    assert len(found) == len(expected)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True)), found


def test_an_open_schema_leaves_its_keys_to_the_app(load):
    parameters = "parameters: {type: object, additionalProperties: false, properties: {shelf: {type: integer}}}"
    file = load(
        (parameters, "parameters: {type: object, additionalProperties: true}"),
        ('path: /things, query: {shelf: "${parameters.shelf}"}', 'path: /things, query: {shelf: "${parameters.x}"}'),
    )

    assert file.collections["things"].operations.list.request.query["shelf"].source == "${parameters.x}"


def test_a_request_of_a_list_may_say_the_page_in_its_body(load):
    body = 'path: /things, method: POST, read: true, json: {limit: "${page.size}", page: "${page.number}"}'
    file = load(('path: /things, query: {shelf: "${parameters.shelf}"}', body))

    assert file.collections["things"].operations.list.request.body.names == {"page"}


def test_a_page_that_may_hold_less_than_usual_need_not_say_so_twice(load):
    size = load(("{name: limit}", "{name: limit, max: 25}")).pagination["pages"].size

    assert (size.max, size.usual) == (25, 25)


@pytest.mark.parametrize("required", ["5", "{shelf: 1}", "[[shelf]]", "[{}]", "[null]"])
def test_required_names_that_are_none_are_told_where_the_schema_stands(problems, required):
    found = problems(
        ("parameters_schema: {type: object, required: [shelf],", f"parameters_schema: {{type: object, required: {required},"),
        (
            "parameters: {type: object, additionalProperties: false,",
            f"parameters: {{type: object, required: {required}, additionalProperties: false,",
        ),
        ("{id: {type: integer}}", "{id: {x-reference: {collection: things}}}"),
    )

    assert [line.split(": not a usable JSON Schema at required")[0] for line in found] == [
        "26: locations.1.parameters_schema",
        "34: collections.things.parameters",
    ]


def test_a_schema_that_stands_in_a_thousand_places_is_refused(problems):
    properties = ", ".join(f"p{n}: true" for n in range(500))
    others = "".join(f"  c{n}: {{name: C, fields: {{$ref: '#/schemas/thing'}}, record: {{id: '${{record.id}}'}}}}\n" for n in range(400))

    found = problems(("{id: {type: integer}}", f"{{{properties}}}"), ("default_collections:\n", others + "default_collections:\n"))

    assert found == ["20: schemas: the file holds more than 200000 values with all that it refers to"]


def test_schemas_that_multiply_are_refused(problems):
    wide = "\n".join(_level(n) for n in range(1, 9))

    found = problems(("schemas:\n", f"schemas:\n  s0: {{type: object}}\n{wide}\n"))

    assert any("holds more than 20000 values with all that it refers to" in line for line in found)


def _level(number: int) -> str:
    properties = ", ".join(f"p{m}: {{$ref: '#/schemas/s{number - 1}'}}" for m in range(9))
    return f"  s{number}: {{type: object, properties: {{{properties}}}}}"
