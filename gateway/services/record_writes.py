"""Creating, changing and deleting records, and what the fields of a model are in an app."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from gateway.errors import (
    ConflictError,
    GatewayError,
    NotFoundError,
    UnsupportedError,
    UpstreamRejectedError,
    UpstreamResponseError,
    UpstreamUnavailableError,
    UserError,
)
from gateway.models import CollectionOperation, CollectionSpec, JsonValue, Principal, Record, Written
from gateway.runtime import Runtime
from gateway.services import checks, own_writes, record_specs, record_values, records, unified
from gateway.services.access import App
from gateway.services.own_writes import OwnWrite
from gateway.services.record_places import RecordPlace, app_at
from gateway.services.record_values import NativeValues
from gateway.services.selectors import FieldValues
from gateway.services.violations import Violations, at
from gateway.udm import Native, Translation

_IN = ["input", "in"]
_VALUES = ["input", "values"]
_EXTERNAL_ID = ["input", "externalId"]
_IF_VERSION = ["input", "ifVersion"]
_IDEMPOTENCY_KEY = ["input", "idempotencyKey"]
_MAXIMUM_VERSION = 1000
_UNKNOWN = "It is not known whether"
_DOUBT = f"{_UNKNOWN} the app has done it: look before you try again."


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
    if idempotency_key is not None:
        checks.text(idempotency_key, field=_IDEMPOTENCY_KEY)
    translation = _translation(runtime, place, values, udm)

    def native_of(spec: CollectionSpec) -> NativeValues:
        _require(spec, CollectionOperation.CREATE, idempotency_key=idempotency_key)
        return record_values.native_values(values, spec=spec, operation=CollectionOperation.CREATE, translation=translation, place=_VALUES)

    async with own_writes.told(runtime, place) as write, app_at(runtime, principal, place) as app:
        native = await record_specs.decided(runtime, app, place, native_of)
        with _in_callers_words(native, found_by=_IN):
            written = await app.connector.create(app.access, place.pointer, native.fields, idempotency_key=idempotency_key)
        return await _outcome(runtime, app, place, written, native, write, done="created")


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
    _check_target(external_id, if_version)
    translation = _translation(runtime, place, values, udm)

    def native_of(spec: CollectionSpec) -> NativeValues:
        _require(spec, CollectionOperation.UPDATE, if_version=if_version)
        return record_values.native_values(values, spec=spec, operation=CollectionOperation.UPDATE, translation=translation, place=_VALUES)

    async with own_writes.told(runtime, place) as write, app_at(runtime, principal, place) as app:
        native = await record_specs.decided(runtime, app, place, native_of)
        with _in_callers_words(native, if_version=if_version):
            written = await app.connector.update(app.access, place.pointer, external_id, native.fields, if_version=if_version)
        return await _outcome(runtime, app, place, written, native, write, done="changed", external_id=external_id)


async def delete(runtime: Runtime, principal: Principal, *, place: RecordPlace, external_id: str, if_version: str | None = None) -> str:
    """The id of the record that is no longer there. Raises as `update` does."""
    _check_target(external_id, if_version)
    async with own_writes.told(runtime, place) as write, app_at(runtime, principal, place) as app:
        decide = partial(_require, operation=CollectionOperation.DELETE, if_version=if_version)
        await record_specs.decided_at_once(runtime, app, place, decide)
        with _in_callers_words(NativeValues(fields={}), if_version=if_version):
            await app.connector.delete(app.access, place.pointer, external_id, if_version=if_version)
        await write.record({external_id: None})
    return external_id


async def unified_fields_to_native(
    runtime: Runtime, principal: Principal, *, place: RecordPlace, unified_fields: JsonValue, udm: str | None = None
) -> Native:
    """The app's own fields that fields of a model stand for, and the names of those that have no place there. Writes nothing."""
    field = ["input", "unifiedFields"]
    given = checks.record_object(unified_fields, field=field)
    translation = _model(runtime, place, udm)
    decide = partial(record_values.model_fields, given, translation=translation, place=field)
    return await record_specs.decided_for(runtime, principal, place, lambda spec: decide(spec=spec))


def _translation(runtime: Runtime, place: RecordPlace, values: FieldValues, udm: str | None) -> Translation | None:
    if values.unified_fields is not None:
        return _model(runtime, place, udm)
    if udm is not None and udm not in runtime.udm:
        raise NotFoundError(f"There is no universal data model {udm[:100]!r}.", field=["input", "udm"])
    return None


def _model(runtime: Runtime, place: RecordPlace, udm: str | None) -> Translation:
    try:
        return unified.translation_of(runtime, place, udm)
    except UserError as error:
        raise at(error, ["input", *(error.field or ())]) from None


def _check_target(external_id: str, if_version: str | None) -> None:
    violations = Violations()
    if not records.is_possible_id(external_id):
        violations.add(NotFoundError(f"No record can have the id {external_id[:100]!r}.", field=_EXTERNAL_ID))
    if if_version is not None:
        violations.collect(lambda: checks.text(if_version, field=_IF_VERSION, maximum=_MAXIMUM_VERSION))
    violations.refuse()


def _require(
    spec: CollectionSpec, operation: CollectionOperation, *, if_version: str | None = None, idempotency_key: str | None = None
) -> None:
    record_specs.require_operation(spec, operation)
    if if_version is not None and not spec.takes_version:
        message = f"The app cannot bind this to a version of a record of collection {spec.key!r}. Leave it out, and the last writer wins."
        raise UnsupportedError(message, field=_IF_VERSION)
    if idempotency_key is not None and not spec.takes_idempotency_key:
        message = f"The app knows no idempotency keys for collection {spec.key!r}. Leave the key out, and look before you create twice."
        raise UnsupportedError(message, field=_IDEMPOTENCY_KEY)


@contextmanager
def _in_callers_words(native: NativeValues, *, found_by: Sequence[str] = _EXTERNAL_ID, if_version: str | None = None) -> Iterator[None]:
    """Tells of the app's refusals at the places of the caller's input, and lets no doubt whether the write happened go unsaid."""
    try:
        yield
    except NotFoundError as error:
        raise at(error, found_by) from None
    except ConflictError as error:
        raise at(error, _IF_VERSION) if if_version is not None else error from None
    except UpstreamRejectedError as error:
        named = {native.unified_names.get(name, name): text for name, text in error.fields.items()}
        raise UpstreamRejectedError(error.message, status=error.status, fields=named) from None
    except UpstreamUnavailableError as error:
        if error.may_have_been_received and _UNKNOWN not in error.message:
            raise UpstreamUnavailableError(f"{error.message} {_DOUBT}", may_have_been_received=True) from None
        raise
    except UpstreamResponseError as error:
        # Only an answer leads here: the app has been asked, whatever became of it.
        raise UpstreamResponseError(error.message if _UNKNOWN in error.message else f"{error.message} {_DOUBT}") from None


async def _outcome(
    runtime: Runtime,
    app: App,
    place: RecordPlace,
    written: Written,
    native: NativeValues,
    write: OwnWrite,
    *,
    done: str,
    external_id: str | None = None,
) -> Record:
    """The record as it is after a write, told to those who follow; where the app reads none by id, what was written of it.

    `external_id` is the id that it had before.
    """
    record = await _read_back(runtime, app, place, written, done=done)
    if record is None:
        await write.look()
        return Record(external_id=written.external_id, fields=native.fields)
    gone = {external_id: None} if external_id not in (None, record.external_id) else {}
    await write.record({**gone, record.external_id: record})
    return record


async def _read_back(runtime: Runtime, app: App, place: RecordPlace, written: Written, *, done: str) -> Record | None:
    """The record as it is after a write; null where the app reads none by id.

    Whatever goes wrong in reading it, the write has happened: the error says so.
    """
    if written.record is not None:
        return written.record
    external_id = written.external_id
    try:
        found = await _read_again(runtime, app, place, external_id)
    except UnsupportedError:
        return None
    except GatewayError as error:
        raise _not_read_back(external_id, done, error.message) from None
    if found is None:
        raise _not_read_back(external_id, done, "The app does not show it yet.")
    return found


async def _read_again(runtime: Runtime, app: App, place: RecordPlace, external_id: str) -> Record | None:
    maximum = await record_specs.decided_at_once(runtime, app, place, partial(records.ids_at_once, count=1))
    if maximum == 1:
        return await app.connector.record(app.access, place.pointer, external_id)
    return (await app.connector.records_by_ids(app.access, place.pointer, [external_id])).get(external_id)


def _not_read_back(external_id: str, done: str, reason: str) -> UpstreamResponseError:
    return UpstreamResponseError(
        f"The record was {done}, its id is {external_id[:100]!r}, but it could not be read back: {reason} "
        "Do not write it again: read it by its id."
    )
