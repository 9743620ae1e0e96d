"""Creating, changing and deleting records, and what the fields of a model are in an app."""

from gateway.models import JsonValue, Principal, Record
from gateway.runtime import Runtime
from gateway.services.record_places import RecordPlace
from gateway.services.selectors import FieldValues
from gateway.udm import Native


async def create(
    runtime: Runtime,
    principal: Principal,
    *,
    place: RecordPlace,
    values: FieldValues,
    udm: str | None = None,
    idempotency_key: str | None = None,
) -> Record:
    """The new record as the app has it.

    Raises UserErrors or a CombinedUserError of them, with paths below `input`, before the app is asked; ConflictError and UpstreamErrors
    of the app. An error after the app may have created it says so.
    """
    raise NotImplementedError


async def update(
    runtime: Runtime,
    principal: Principal,
    *,
    place: RecordPlace,
    external_id: str,
    values: FieldValues,
    udm: str | None = None,
    if_version: str | None = None,
) -> Record:
    """The record as the app has it after these fields were changed; its id may be another than before.

    Raises as `create` does, and NotFoundError.
    """
    raise NotImplementedError


async def delete(runtime: Runtime, principal: Principal, *, place: RecordPlace, external_id: str, if_version: str | None = None) -> str:
    """The id of the record that is no longer there. Raises as `update` does."""
    raise NotImplementedError


async def unified_fields_to_native(
    runtime: Runtime, principal: Principal, *, place: RecordPlace, unified_fields: JsonValue, udm: str | None = None
) -> Native:
    """The app's own fields that fields of a model stand for, and the names of those that have no place there. Writes nothing."""
    raise NotImplementedError
