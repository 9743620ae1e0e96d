"""What a connector file must satisfy where it says how changes are learned of."""

import pytest

SYNC = "collections.things.sync"
BEFORE = "    universal_data_models: {tasks: {}}\n"
TIMED = ('record: {id: "${record.id}"}', 'record: {id: "${record.id}", updated_at: "${record.at}"}')
RECORDS = '        records: "${body.items}"\n'
FILTERED = (
    RECORDS,
    RECORDS + "        filters: {at: {gte: {query: from}, lte: {query: to}}, seq: {gt: {query: above}}}\n        order: {fields: [at]}\n",
)
ORDERED = (
    'query: {shelf: "${parameters.shelf}"}',
    'query: {shelf: "${parameters.shelf}", sort: "${order.field}"}',
)
FIELDS = ("thing: {type: object, properties: {id: {type: integer}}}", "thing: {type: object, properties: {id: {}, at: {}, seq: {}}}")
OWN = 'request: {path: /changes, query: {from: "${since.start}"}}'
TOKEN = 'request: {path: /changes, query: {from: "${since.token}"}}'


def sync(text):
    """The change that lets the collection tell of changes; OWN and TOKEN stand for requests."""
    spelled = text.replace("OWN", OWN).replace("TOKEN", TOKEN)
    return BEFORE, f"    sync: {spelled}\n{BEFORE}"


@pytest.mark.parametrize(
    "text",
    [
        "{volatile_fields: [id]}",
        "{cursor: {}}",
        "{cursor: {filter: at, order: ascending, granularity: 1, lookback: 60, window: 3600, max_records: 500}}",
        '{cursor: {filter: seq, type: count, value: "${record.seq}", granularity: 1}}',
        "{cursor: {OWN, order: newest_first, times: epoch_ms}}",
        "{cursor: {OWN, where: item.id, pagination: none, records: '${body}'}, deleted: {when: item.gone}}",
        "{delta: {TOKEN, token: '${headers.etag}', told_on: first_page, gone: body.reset}}",
        "{delta: {token: '${body.link}', is_address: true}, deleted: {when: item.gone, id: '${item.key}'}}",
    ],
)
def test_a_file_that_tells_of_changes_is_right(load, text):
    file = load(sync(text), TIMED, FILTERED, ORDERED, FIELDS)

    assert file.collections["things"].sync is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{cursor: {lookback: -1}}", f"{SYNC}.cursor.lookback: input should be greater than or equal to 0"),
        ("{cursor: {window: 0}}", f"{SYNC}.cursor.window: input should be greater than 0"),
        ("{cursor: {order: descending}}", f"{SYNC}.cursor.order: input should be 'ascending', 'newest_first' or 'unsorted'"),
        ("{cursor: {filter: at, OWN}}", f"{SYNC}.cursor: the app is told by `filter` or by a `request`, not both"),
        (
            "{cursor: {filter: at, inclusive: true}}",
            f"{SYNC}.cursor: `filter` tells by the condition that `list` has, `gte` or `gt`, what is included; take `inclusive` out",
        ),
        (
            "{cursor: {records: '${body}', where: item.id}}",
            f"{SYNC}.cursor: without a `request` of its own this is read as `list` says; take records and where out",
        ),
        (
            "{cursor: {}, delta: {TOKEN, token: '${body.t}'}}",
            f"{SYNC}: changes are learned of by `cursor` or by `delta`, not both",
        ),
        (
            "{deleted: {when: item.gone}}",
            f"{SYNC}: `deleted` speaks of the items of `cursor` or `delta`; a list that is compared holds no deleted records",
        ),
        ("{cursor: {filtr: at}}", f"{SYNC}.cursor.filtr: unknown key; did you mean `filter`?"),
    ],
)
def test_a_mistake_in_shape_is_told_with_its_place(problems, text, expected):
    [line] = problems(sync(text), TIMED, FILTERED, ORDERED, FIELDS)

    assert line.split(": ", 1)[1] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "{cursor: {value: at}}",
            f"{SYNC}.cursor.value: 'at' is plain text, the same whatever the app sends; an expression is written ${{...}}",
        ),
        (
            "{cursor: {value: '${item.at}'}}",
            f"{SYNC}.cursor.value: there is no name 'item' here; there are connection, integration, parameters",
        ),
        (
            "{cursor: {filter: id}}",
            f"{SYNC}.cursor.filter: `list` has no filter `gte` or `gt` for 'id'; give it one, or say how the app is told by a `request`",
        ),
        (
            "{cursor: {filter: seq, order: ascending, granularity: 1}}",
            f"{SYNC}.cursor.order: `list` cannot order by 'seq'; name it there under `order`, or take this out",
        ),
        (
            "{cursor: {filter: seq}}",
            f"{SYNC}.cursor: the app leaves out records of exactly the value that it is asked for: give `granularity`",
        ),
        (
            "{cursor: {OWN, inclusive: false}}",
            f"{SYNC}.cursor: the app leaves out records of exactly the value that it is asked for: give `granularity`",
        ),
        (
            "{cursor: {OWN, window: 60}}",
            f"{SYNC}.cursor.window: the app is not told where a part ends; tell it by `since.end` in the request",
        ),
        (
            "{cursor: {filter: seq, granularity: 1, max_records: 60}}",
            f"{SYNC}.cursor.max_records: the app is not told where a part ends; tell it by a filter `lte` of `list`",
        ),
        ("{cursor: {TOKEN}}", f"{SYNC}.cursor.request.query.from: 'since' has no 'token'; it has end, start"),
        ("{cursor: {OWN, pagination: leaves}}", f"{SYNC}.cursor.pagination: there is no pagination 'leaves'; there are none, pages"),
        ("{delta: {OWN, token: '${body.t}'}}", f"{SYNC}.delta.request.query.from: 'since' has no 'start'; it has token"),
        (
            "{delta: {request: {path: /changes}, token: '${body.t}'}}",
            f"{SYNC}.delta: the `request` must say `since.token`, or the app would not know what was told before",
        ),
        (
            "{delta: {token: '${body.t}'}}",
            f"{SYNC}.delta: the `request` must say `since.token`, or the app would not know what was told before",
        ),
        ("{delta: {TOKEN, token: fixed}}", f"{SYNC}.delta.token: 'fixed' is plain text, the same whatever the app sends"),
        ("{delta: {TOKEN, token: '${record.t}'}}", f"{SYNC}.delta.token: there is no name 'record' here"),
        ("{delta: {TOKEN, token: '${body.t}', gone: item.x}}", f"{SYNC}.delta.gone: there is no name 'item' here"),
        ("{cursor: {}, deleted: {when: '`true`'}}", f"{SYNC}.deleted.when: this does not read `item`, so that it would hold for all items"),
        ("{cursor: {}, deleted: {when: record.gone}}", f"{SYNC}.deleted.when: there is no name 'record' here"),
        ("{cursor: {}, deleted: {when: item.gone, id: x}}", f"{SYNC}.deleted.id: 'x' is plain text, the same whatever the app sends"),
    ],
)
def test_what_could_not_work_is_told_with_its_place(problems, text, expected):
    lines = problems(sync(text), TIMED, FILTERED, ORDERED, FIELDS)

    assert len([line for line in lines if line.split(": ", 1)[1].startswith(expected)]) == 1


def test_a_cursor_needs_a_value_in_the_records(problems):
    [line] = problems(sync("{cursor: {}}"))

    assert line.endswith(f"{SYNC}.cursor: no record has a value to go by: say `value`, or name `updated_at` under `record`")


def test_volatile_fields_are_fields(problems):
    closed = (
        "thing: {type: object, properties: {id: {type: integer}}}",
        "thing: {type: object, properties: {id: {}}, additionalProperties: false}",
    )

    [line] = problems(sync("{volatile_fields: [id, views]}"), closed)

    assert line.endswith(f"{SYNC}.volatile_fields.1: there is no field 'views'; there are id")


def test_changes_need_a_list_to_start_from(problems):
    listing = (
        '      list:\n        request: {path: /things, query: {shelf: "${parameters.shelf}"}}\n'
        '        pagination: pages\n        records: "${body.items}"\n',
        '      get: {request: {path: "/things/${id}"}, record: "${body}"}\n',
    )
    text = "{delta: {TOKEN, token: '${body.t}', records: '${body}'}}"

    [line] = problems(sync(text), listing)

    assert line.endswith(
        f"{SYNC}: the collection has no `list`, from which every reading of changes starts; give it one under `operations`"
    )
