"""What the operations, fields and mappings of a connector file must satisfy."""

import pytest

OPERATIONS = "collections.things.operations"
RECORDS = '        records: "${body.items}"\n'
THING = "thing: {type: object, properties: {id: {type: integer}}}"
RICH = """thing:
    type: object
    properties:
      id: {type: integer}
      name: {type: string}
      done: {type: boolean}
      at: {type: object, properties: {city: {type: string}}}
      tags: {type: array, items: {type: object, properties: {text: {type: string}}}}"""
WRITE = 'request: {method: POST, path: "/things/${id}", json: "${fields}"}'
GET = '      get: {request: {path: "/things/${id}"}, record: "${body}"}\n'


def added(text):
    """The change that puts keys or operations behind the list's."""
    return RECORDS, RECORDS + text


def rich(text):
    return added(text), (THING, RICH)


def mapped(text):
    return ("universal_data_models: {tasks: {}}", f"universal_data_models: {{tasks: {{fields: {{{text}}}}}}}"), (THING, RICH)


GOOD = f"""\
        filters: {{name: {{eq: {{query: name}}, contains: {{term: "${{field}} ~ ${{value}}"}}}}, at.city: {{eq: {{query: city}}}}}}
        order: {{fields: [name, at.city]}}
        is_searchable: true
      search: {{request: {{path: /find, query: {{q: "${{search}}"}}}}, records: "${{body}}"}}
{GET}\
      get_many: {{request: {{path: /things, query: {{ids: "${{join(',', ids)}}"}}}}, records: "${{body[?contains(ids, id)]}}"}}
      match: {{fields: [name]}}
      create:
        request: {{method: POST, path: /things, json: "${{fields}}", headers: {{Key: "${{idempotency_key}}"}}}}
        id: "${{fields.name}}"
      update: {{{WRITE}, required: [name], excluded: [done], included: [id]}}
      delete: {{request: {{method: DELETE, path: "/things/${{id}}"}}}}
"""


def test_a_file_with_every_operation_is_right(load):
    query = ('query: {shelf: "${parameters.shelf}"}', 'query: {t: "${terms}", o: "${order.field}-${order.direction}", s: "${search}"}')

    file = load(*rich(GOOD), query)

    assert [name for name, operation in file.collections["things"].operations if operation is not None] == [
        *("list", "search", "get", "get_many", "match", "create", "update", "delete")
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "        filters: {id: {eq: {query: id, value: '${vaule}'}}}\n",
            [f"42: {OPERATIONS}.list.filters.id.eq.value: there is no name 'vaule' here; there are connection, field, "],
            id="name of a filter",
        ),
        pytest.param(
            "        filters: {id: {equals: {query: id}}}\n",
            [f"42: {OPERATIONS}.list.filters.id.equals: input should be 'eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'contains' or"],
            id="operator",
        ),
        pytest.param(
            "        filters: {id: {eq: {name: id}}}\n",
            [f"42: {OPERATIONS}.list.filters.id.eq: a condition is told by `query`, the name of a query parameter, or by `term`"],
            id="neither query nor term",
        ),
        pytest.param(
            "        filters: {id: {eq: {term: '${value}'}}}\n",
            [f"42: {OPERATIONS}.list.filters.id.eq: the request does not say `terms`"],
            id="terms unsaid",
        ),
        pytest.param(
            "        filters: {name: {eq: {query: n}}}\n",
            [f"42: {OPERATIONS}.list.filters.name: there is no field 'name'; there are id"],
            id="field of a filter",
        ),
        pytest.param(
            "        order: {fields: [id]}\n", [f"42: {OPERATIONS}.list.order: the request does not say `order`"], id="order unsaid"
        ),
        pytest.param(
            "        is_searchable: true\n",
            [f"39: {OPERATIONS}.list.request: the request of `list` does not say `search`"],
            id="search unsaid",
        ),
        pytest.param(
            "      search: {request: {path: /find}, records: '${body}'}\n",
            [f"42: {OPERATIONS}.search.request: the request of `search` does not say `search`"],
            id="search of its own unsaid",
        ),
        pytest.param(
            "      get: {request: {path: /things}, record: '${body}'}\n",
            [f"42: {OPERATIONS}.get.request: the request does not say `id`, so that it would be the same for all"],
            id="get without id",
        ),
        pytest.param(
            '      get: {request: {path: "/things/${id}"}, record: "${bdy}"}\n',
            [f"42: {OPERATIONS}.get.record: there is no name 'bdy' here; there are body, connection, headers, id, "],
            id="name in a selector",
        ),
        pytest.param(
            "      get_many: {request: {path: /things}, records: '${body}'}\n",
            [f"42: {OPERATIONS}.get_many.request: the request does not say `ids`"],
            id="get_many without ids",
        ),
        pytest.param(
            '      get_many: {request: {path: "/things/${join(\',\', ids)}"}, records: "${body}", max: 1}\n',
            [f"42: {OPERATIONS}.get_many.max: input should be greater than or equal to 2"],
            id="get_many of one",
        ),
        pytest.param(
            "      match: {fields: [id]}\n",
            [f"42: {OPERATIONS}.match.fields.0: `list` has no filter `eq` for 'id'; give it one, or match a `request`"],
            id="match without a filter",
        ),
        pytest.param(
            "      match: {fields: [id, name], request: {path: /find}}\n",
            [
                f"42: {OPERATIONS}.match: a request needs `record`",
                f"42: {OPERATIONS}.match.fields.1: there is no field 'name'; there are id",
                f"42: {OPERATIONS}.match.request: the request does not say `fields`",
            ],
            id="match of nothing",
        ),
        pytest.param(
            f"      create: {{{WRITE}, record: '${{body}}'}}\n",
            [f"42: {OPERATIONS}.create.request.path: there is no name 'id' here; there are connection, fields, idempotency_key, "],
            id="id of what is created",
        ),
        pytest.param(
            "      create: {request: {method: POST, path: /things, json: '${fields}'}}\n",
            [
                f"42: {OPERATIONS}.create: its answer holds no record (`record`), and without `get` the record cannot be read again",
                f"42: {OPERATIONS}.create: say by `record`, or else by `id`, where the answer tells of the new record",
            ],
            id="creation that tells nothing",
        ),
        pytest.param(
            f"      update: {{{WRITE}}}\n",
            [f"42: {OPERATIONS}.update: its answer holds no record (`record`), and without `get` the record cannot be read again"],
            id="update that tells nothing",
        ),
        pytest.param(
            '      update: {request: {path: "/things/${id}", query: {n: "${fields.name}"}}, record: "${body}"}\n',
            [
                f"42: {OPERATIONS}.update.request: this changes something, and is no GET request and not `read`",
                f"42: {OPERATIONS}.update.request.query.n: 'fields' has no 'name'; it has id",
            ],
            id="update by GET",
        ),
        pytest.param(
            '      delete: {request: {method: POST, read: true, path: "/things/${id}"}}\n',
            [f"42: {OPERATIONS}.delete.request: this changes something, and is no POST request and not `read`"],
            id="deletion that reads",
        ),
        pytest.param(
            '      delete: {request: {method: DELETE, path: "/things/${id}", headers: {If-Match: "${version}"}}}\n',
            [f"42: {OPERATIONS}.delete.request: the request says `version`, and no record has one: name it under `record`"],
            id="version of records that have none",
        ),
        pytest.param(
            "      delete: {request: {method: DELETE, path: /things}}\n",
            [f"42: {OPERATIONS}.delete.request: the request does not say `id`"],
            id="deletion of all",
        ),
        pytest.param(
            GET + f"      update: {{{WRITE}, required: [nme], excluded: [id], included: [id]}}\n",
            [
                f"43: {OPERATIONS}.update.included.0: 'id' is excluded as well",
                f"43: {OPERATIONS}.update.required.0: there is no field 'nme'; there are id",
            ],
            id="fields of a write",
        ),
        pytest.param(
            "    to_api: {name: '${fields.nme}', at: '${record.at}'}\n",
            [
                "42: collections.things.to_api: 'fields' has no 'nme'; it has id",
                "42: collections.things.to_api: there is no name 'record' here",
            ],
            id="names of to_api",
        ),
    ],
)
def test_a_broken_rule_of_an_operation_is_told(problems, text, expected):
    found = problems(added(text))

    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True)), found


def test_an_order_that_is_said_and_not_declared_is_told(problems):
    assert problems(("query: {shelf:", 'query: {sort: "${order.field}", shelf:')) == [
        f"39: {OPERATIONS}.list.request: the request says `order`, which is always null: name the fields to order by under `order`"
    ]


@pytest.mark.parametrize("pattern", ["'['", "'(?=a)'", r"'(a)\1'"])
def test_a_pattern_of_ids_that_cannot_be_matched_in_linear_time_is_told(problems, pattern):
    (found,) = problems(('record: {id: "${record.id}"}', f'record: {{id: "${{record.id}}", id_pattern: {pattern}}}'))

    assert found.startswith("36: collections.things.record.id_pattern: not a usable JSON Schema")


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("{collection: thngs}", "x-reference: there is no collection 'thngs'; there are things"),
        ("things", "x-reference: a reference is a mapping with a `collection`, and `parameters` where needed; there are things"),
        ("{collection: 1}", "x-reference: a reference is a mapping with a `collection`"),
        ("{collection: things, parameters: [1]}", "x-reference: a reference is a mapping with a `collection`"),
        (
            "{collection: things, parameters: {box: 1}}",
            "x-reference.parameters.box: collection 'Things' has no parameter 'box'; it has shelf",
        ),
    ],
)
def test_a_reference_leads_to_a_collection_that_there_is(problems, reference, expected):
    changed = f"thing: {{type: object, properties: {{id: {{type: integer, x-reference: {reference}}}}}}}"

    (found,) = problems((THING, changed))

    assert found.startswith(f"35: collections.things.fields.properties.id.{expected}"), found


def test_a_reference_gives_what_its_collection_requires(problems):
    others = """\
  boxes:
    name: Boxes
    fields: {type: object, properties: {thing: {x-reference: {collection: things}}, box: {x-reference: {collection: boxes}}}}
    record: {id: "${record.id}"}
default_collections:
"""
    required = "additionalProperties: false, properties: {shelf: {type: integer}}}\n    fields"
    strict = "required: [shelf], " + required

    found = problems(
        ("default_collections:\n", others), (required, strict), ("{collection: things, name: All things}", "{collection: boxes}")
    )

    assert found == [
        "45: collections.boxes.fields.properties.thing.x-reference: collection 'Things' requires the parameter 'shelf': "
        "give it, as these records have none of that name"
    ]


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ("nme: name", "nme: the model tasks has no field 'nme' there; it has assigneeId, "),
        ("subject: nme", "subject: there is no field 'nme'; there are at, done, id, name, tags"),
        ("subject: at.town", "subject: there is no field 'at.town'; there are city"),
        ("subject: {field: at.town}", "subject.field: there is no field 'at.town'; there are city"),
        ("subject: {}", "subject: say where the field comes from: by `field`, by `from`, or by the `fields` of an object"),
        ("subject: {from: '${fields.nme}'}", "subject.from: 'fields' has no 'nme'; it has at, done, id, name, tags"),
        ("subject: {from: '${record.name}'}", "subject.from: there is no name 'record' here; there are fields, value"),
        ("subject: {field: name, to: '${fields.name}'}", "subject.to: there is no name 'fields' here; there are unified, value"),
        ("subject: {field: name, to: '${unified.nme}'}", "subject.to: 'unified' has no 'nme'; it has "),
        (
            "subject: {from: '${fields.name}', to: '${value}'}",
            "subject.to: a field that is written needs `field`, the app's field to write",
        ),
        ("subject: {field: name, values: {a: 1}}", 'subject.values.a: 1 is not of type "string"'),
        ("subject: {field: name, each: {text: text}}", "subject.each: this is no list; map what it holds by `fields`"),
        ("subject: {feild: name}", "subject.feild: unknown key; did you mean `field`?"),
        ("subject: 7", "subject: a mapping of a field is the name of the app's field, or a mapping with `field`, `from` or `to`"),
    ],
)
def test_a_mapping_names_what_both_sides_have(problems, mapping, expected):
    (found,) = problems(*mapped(mapping))

    assert found.split(": ", 1)[1].startswith(f"collections.things.universal_data_models.tasks.fields.{expected}"), found


def test_a_mapping_of_fields_that_only_the_app_knows_is_left_to_it(load):
    file = load(
        ("universal_data_models: {tasks: {}}", "universal_data_models: {tasks: {fields: {subject: whatever}}}"),
        ("    fields: {$ref:", "    dynamic_fields: {request: {path: /f}, schema: '${body}'}\n    fields: {$ref:"),
    )

    assert file.collections["things"].universal_data_models["tasks"].fields == {"subject": "whatever"}
