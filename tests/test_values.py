"""Values: frozen dataclasses that are made with few steps."""

import inspect
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any

import pytest

from gateway.values import value


@value()
class Spot:
    """A place with something to tell."""

    key: str
    parameters: dict[str, Any] = field(default_factory=dict)
    note: str = field(default="none", compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.key == "":
            raise ValueError("no key")


@value(kw_only=True)
class Named:
    """A name, and perhaps where."""

    name: str
    spot: Spot | None = None


@dataclass(frozen=True, kw_only=True)
class Stock:
    """The same as a plain frozen dataclass."""

    name: str
    spot: Spot | None = None


def test_a_value_is_a_frozen_dataclass():
    spot = Spot("a", note="x")

    assert (spot.key, spot.parameters, spot.note) == ("a", {}, "x")
    assert spot.parameters is not Spot("a").parameters
    assert (spot == Spot("a"), spot == Spot("b"), repr(spot)) == (True, False, "Spot(key='a', parameters={})")
    assert replace(spot, key="b") == Spot("b")
    assert hash(Named(name="n")) == hash(Stock(name="n"))
    with pytest.raises(FrozenInstanceError):
        spot.key = "b"  # type: ignore[misc]
    with pytest.raises(ValueError, match="no key"):
        Spot("")


def test_a_value_takes_what_the_dataclass_takes():
    assert [each.name for each in fields(Named)] == ["name", "spot"]
    own, stock = inspect.signature(Named).parameters, inspect.signature(Stock).parameters
    assert [(each.name, each.kind, each.default) for each in own.values()] == [
        (each.name, each.kind, each.default) for each in stock.values()
    ]
    for arguments, named in [((), {}), (("n",), {}), ((), {"name": "n", "other": 1})]:
        with pytest.raises(TypeError):
            Named(*arguments, **named)
    with pytest.raises(TypeError, match="hidden is not given"):

        @value()
        class _Hiding:
            hidden: int = field(default=1, init=False)
