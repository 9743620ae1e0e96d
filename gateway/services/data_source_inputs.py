"""Settings of a definition as an admin writes them, checked and assigned."""

from collections.abc import Sequence
from difflib import get_close_matches

from gateway.connectors.protocol import Connector
from gateway.errors import InvalidError
from gateway.models import DataSource, Integration
from gateway.runtime import Runtime
from gateway.services import checks, pointers
from gateway.services.patches import KEEP, Keep
from gateway.services.selectors import PointerInput
from gateway.udm import Models


def assign(
    runtime: Runtime,
    definition: DataSource,
    integration: Integration | None,
    *,
    name: str | Keep | None = KEEP,
    udm: str | Keep | None = KEEP,
    pointer: PointerInput | Keep | None = KEEP,
    pull_updates_interval_seconds: int | Keep | None = KEEP,
    full_sync_interval_seconds: int | Keep | None = KEEP,
    event_bodies: bool | Keep | None = KEEP,
) -> None:
    """Sets the given settings on a definition; null inherits. Raises InvalidError before anything is saved."""
    if not isinstance(name, Keep):
        definition.name = checks.optional_text(name, field=["input", "name"])
    if not isinstance(udm, Keep):
        definition.udm = _known_model(runtime.udm, udm, field=["input", "udm"])
    if not isinstance(pointer, Keep):
        connector = _connector(runtime, integration)
        field = ["input", "pointer"]
        definition.pointer = None if pointer is None else pointers.read_pointer(pointer, connector=connector, field=field).as_json()
    if not isinstance(pull_updates_interval_seconds, Keep):
        definition.pull_updates_interval_seconds = checks.interval(
            pull_updates_interval_seconds,
            minimum=runtime.settings.minimum_pull_updates_interval_seconds,
            field=["input", "pullUpdatesIntervalSeconds"],
        )
    if not isinstance(full_sync_interval_seconds, Keep):
        definition.full_sync_interval_seconds = checks.interval(
            full_sync_interval_seconds,
            minimum=runtime.settings.minimum_full_sync_interval_seconds,
            field=["input", "fullSyncIntervalSeconds"],
        )
    if not isinstance(event_bodies, Keep):
        definition.event_bodies = event_bodies


def clear(definition: DataSource) -> None:
    """Drops every override of a definition."""
    definition.name = definition.udm = definition.pointer = definition.event_bodies = None
    definition.pull_updates_interval_seconds = definition.full_sync_interval_seconds = None


def _known_model(models: Models, udm: str | None, *, field: Sequence[str]) -> str | None:
    if udm is not None and udm not in models:
        near = get_close_matches(udm[:100], models, n=1) or list(models)[:3]
        raise InvalidError(f"There is no universal data model {udm[:100]!r}. There is {', '.join(map(repr, near))}.", field=field)
    return udm


def _connector(runtime: Runtime, integration: Integration | None) -> Connector | None:
    return runtime.connectors.get(integration.connector_key) if integration is not None else None
