"""Rules for the transforms of records."""

from collections.abc import Iterator, Sequence

from gateway.connectors.format.scopes import RECORD, Scope, all_misuses
from gateway.connectors.format.transforms import AddFields, FlattenFields, RemoveFields, RenameFields, Transform
from gateway.documents import Place, Problem


def transform_problems(place: Place, transforms: Sequence[Transform], scope: Scope) -> Iterator[Problem]:
    """What is wrong with transforms; `scope` are the names that they know beside the record."""
    for index, transform in enumerate(transforms):
        if isinstance(transform, AddFields):
            yield from all_misuses((*place, index, "add"), transform.add, {**scope, **RECORD})
        for path in _paths(transform):
            if "" in path.split("."):
                yield (*place, index), f"{path!r} is no field: dots stand between names"


def _paths(transform: Transform) -> Sequence[str]:
    match transform:
        case AddFields():
            return tuple(transform.add)
        case RemoveFields():
            return transform.remove
        case RenameFields():
            return (*transform.rename, *transform.rename.values())
        case FlattenFields():
            return (transform.flatten,)
        case _:
            return ()
