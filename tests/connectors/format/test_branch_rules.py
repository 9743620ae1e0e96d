"""What a list that is made of many lists must satisfy beyond its shape."""

import pytest

LIST = "collections.things.operations.list"
REQUEST = '        request: {path: /things, query: {shelf: "${parameters.shelf}"}}'


def with_parts(*lines, path="/things"):
    return REQUEST, "\n".join([f'        request: {{path: "{path}"}}', *(f"        {line}" for line in lines)])


GIVEN = "partitions: [{as: box, values: [a, b]}]"


def test_a_list_of_partitions_and_drilldowns(load):
    parts = with_parts(
        "partitions:",
        "  - {as: box, values: [a, b]}",
        '  - {as: shelf, request: {path: "/${partition.box}"}, items: "${body}", where: item.open, batch: 10, pagination: pages}',
        'drilldowns: "${body.inner}"',
        "where: item.open",
        path="/${partition.box}/${partition.shelf}",
    )
    listing = load(parts).collections["things"].operations.list

    assert [partition.as_ for partition in listing.partitions] == ["box", "shelf"]
    assert listing.where.source == "item.open"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param(
            with_parts(GIVEN, path="/${partition.bax}"), [f"39: {LIST}.request.path: 'partition' has no 'bax'; it has box"], id="unknown"
        ),
        pytest.param(
            with_parts(path="/${partition.box}"), [f"39: {LIST}.request.path: 'partition' has no 'box'; it has nothing"], id="none"
        ),
        pytest.param(
            with_parts("partitions: [{as: a, values: '${partition.b}'}, {as: b, values: []}]"),
            [f"40: {LIST}.partitions.0.values: 'partition' has no 'b'; it has nothing"],
            id="later",
        ),
        pytest.param(
            with_parts("partitions: [{as: a, values: []}, {as: a, values: []}]"),
            [f"40: {LIST}.partitions.1.as: there is another partition 'a'; a name stands for one"],
            id="twice",
        ),
        pytest.param(
            with_parts("partitions: [{as: a}]"),
            [f"40: {LIST}.partitions.0: a partition has `values`, or a `request` with `items`, not both or neither"],
            id="neither",
        ),
        pytest.param(
            with_parts("partitions: [{as: a, request: {path: /a}}]"),
            [f"40: {LIST}.partitions.0: the `request` of a partition needs `items`, which selects its values from `body`"],
            id="no items",
        ),
        pytest.param(
            with_parts("partitions: [{as: a, request: {path: /a}, items: '${bdy}', pagination: pagse}]"),
            [
                f"40: {LIST}.partitions.0.items: there is no name 'bdy' here",
                f"40: {LIST}.partitions.0.pagination: there is no pagination 'pagse'; there are none, pages",
            ],
            id="items",
        ),
        pytest.param(with_parts("where: itm.open"), [f"40: {LIST}.where: there is no name 'itm' here"], id="where"),
        pytest.param(with_parts("drilldowns: '${item}'"), [f"40: {LIST}.drilldowns: there is no name 'item' here"], id="drilldowns"),
        pytest.param(
            with_parts("order: {fields: [id]}", "drilldowns: '${body}'", path="/things/${order.field}"),
            [f"40: {LIST}.order: a list of several lists has no order of its own; take `order` out, or `partitions` and `drilldowns`"],
            id="order",
        ),
        pytest.param(
            with_parts("partitions: [{as: a, values: []}, {as: b, values: []}, {as: c, values: []}, {as: d, values: []}]"),
            [f"40: {LIST}.partitions: tuple should have at most 3 items"],
            id="four",
        ),
    ],
)
def test_a_mistake_in_a_list_of_lists_is_told_with_its_line(problems, parts, expected):
    found = problems(parts)

    assert len(found) == len(expected), found
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True)), found
