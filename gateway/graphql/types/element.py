"""What all configured elements have in common in the schema."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from gateway import models
from gateway.graphql.batching import ByIdentity
from gateway.graphql.context import Info
from gateway.graphql.errors import ErrorCode
from gateway.graphql.fields import UNIVERSAL_DATA_MODEL, Asked, field, loaded
from gateway.graphql.layers import Layers
from gateway.graphql.types.node import Node
from gateway.models import ElementState, Pointer
from gateway.models.settings_in_force import SettingName, SettingOrigin


@strawberry.type(description="Why an element cannot be used.")
class ElementError:
    code: str = strawberry.field(description="What is wrong, for programs.", graphql_type=ErrorCode)
    message: str = strawberry.field(description="What is wrong and what to do about it, for people.")

    @field("The element at fault. Null when it is the element itself.", type=Node | None)
    def element(self: models.ElementError) -> Any:
        return self.element


def stored_error(stored: models.JsonObject | None) -> models.ElementError | None:
    """An error as a row keeps it; null where it keeps none."""
    return models.ElementError(code=stored["code"], message=stored["message"]) if stored is not None else None


@strawberry.type(description="One setting, its value in force, and the layer that decided it.")
class EffectiveSetting:
    name: SettingName = strawberry.field(description="Which setting it is.")
    value: JSON | None = strawberry.field(
        description="The value in force; a pointer is an object of `key` and `parameters`. Null where nothing is set."
    )
    origin: SettingOrigin = strawberry.field(description="The layer that decided it.")


def from_layers(description: str, value: Callable[[Any], Any], *, type: Any) -> Any:
    """A field of a definition or an instance that all its layers decide."""

    def resolve(self: models.DataSource | models.DataSourceInstance, info: Info, layers: Layers) -> Any:
        return value(layers)

    return loaded(description, type=type, asks=_layers_of)(resolve)


def _layers_of(row: models.DataSource | models.DataSourceInstance, info: Info) -> Asked:
    loaders = info.context.loaders
    loader = loaders.layers_by_definition if isinstance(row, models.DataSource) else loaders.layers_by_instance
    return loader, ByIdentity(row)


def of_pointer(name: str, *, setting: str = "pointer") -> Callable[[Layers], Any]:
    """Reads one spelling of a pointer, which is null where nothing is selected."""

    def value(layers: Layers) -> Any:
        pointer: Pointer | None = getattr(layers.settings, setting)
        return getattr(pointer, name) if pointer is not None else None

    return value


@strawberry.type(description="What everything that is stored tells of itself.")
class Stored(Node):
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")


@strawberry.type(description="What everything that can be configured tells of itself.")
class Configured(Stored):
    archived_at: datetime | None = strawberry.field(description="When it was archived. Null while it is in use.")

    @field("Changes with every change: pass it as `ifRevision` to change only what you have read.")
    def revision(self: models.Integration | models.Connection | models.DataSource | models.DataSourceInstance) -> str:
        return str(self.revision)


@strawberry.type(description="What data sources and their instances have in common: settings that layers decide.")
class Pointing(Configured):
    path = from_layers(
        "The pointer as a path, such as `/data/tasks?projectId=12`. Null where no collection is selected.",
        of_pointer("path"),
        type=str | None,
    )
    collection_key = from_layers("The key of the collection pointed at. Null where none is selected.", of_pointer("key"), type=str | None)
    collection_parameters = from_layers(
        "The parameters of the collection pointed at. Null where none is selected.", of_pointer("parameters"), type=JSON | None
    )
    pull_updates_interval_seconds = from_layers(
        "How often changes are pulled.", lambda layers: layers.settings.pull_updates_interval_seconds, type=int
    )
    full_sync_interval_seconds = from_layers(
        "How often the whole collection is read.", lambda layers: layers.settings.full_sync_interval_seconds, type=int
    )
    settings = from_layers(
        "Every setting with its value in force and the layer that decided it.",
        lambda layers: layers.settings.settings,
        type=list[EffectiveSetting],
    )
    udm = from_layers(
        "The model that its records are read as. Null where it has none.",
        lambda layers: layers.model,
        type=UNIVERSAL_DATA_MODEL | None,
    )
    state = from_layers("Whether it can be used.", lambda layers: layers.health.state, type=ElementState)
    errors = from_layers("Why it cannot be used; empty when it can.", lambda layers: layers.health.errors, type=list[ElementError])
