"""What the transforms of a collection must satisfy beyond their shape."""

import pytest

RECORD = '    record: {id: "${record.id}"}'


def with_transforms(text):
    return RECORD, f"{RECORD}\n    transforms: {text}"


@pytest.mark.parametrize(
    ("transforms", "expected"),
    [
        ("[{add: {a: '${recrd.b}'}}]", ["37: collections.things.transforms.0.add.a: there is no name 'recrd' here"]),
        ("[{add: {a: '${parameters.b}'}}]", ["37: collections.things.transforms.0.add.a: 'parameters' has no 'b'; it has shelf"]),
        ("[{lower_keys: true}, {remove: [a..b]}]", ["37: collections.things.transforms.1: 'a..b' is no field: dots stand between names"]),
        ("[{rename: {a: .b}}]", ["37: collections.things.transforms.0: '.b' is no field: dots stand between names"]),
        ("[{flatten: a.}]", ["37: collections.things.transforms.0: 'a.' is no field: dots stand between names"]),
        ("[{add: {'': 1}}]", ["37: collections.things.transforms.0: '' is no field: dots stand between names"]),
        ("[{lower_keys: false}]", ["37: collections.things.transforms.0.lower_keys: input should be True"]),
        ("[{merge: {}}]", ["37: collections.things.transforms.0: a transform has one of add, remove, rename, flatten, lower_keys"]),
        (
            "[{add: {a: 1}, remove: [b]}]",
            ["37: collections.things.transforms.0: a transform has one of add, remove, rename, flatten, lower_keys"],
        ),
    ],
    ids=str,
)
def test_a_mistake_in_a_transform_is_told_with_its_line(problems, transforms, expected):
    found = problems(with_transforms(transforms))

    assert len(found) == len(expected), found
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True)), found
