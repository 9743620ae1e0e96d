"""Creates, changes and deletes records. No write is sent twice unless the app knows it again."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.connectors.executor.answers import Answer
from gateway.connectors.executor.calls import Caller
from gateway.connectors.executor.collections import KnownCollection
from gateway.connectors.executor.finding import NOT_FOUND
from gateway.connectors.executor.names import Names, told
from gateway.connectors.executor.record_values import read_id
from gateway.connectors.executor.records import RecordReader
from gateway.connectors.format.operations import WriteOperation
from gateway.connectors.format.requests import Request
from gateway.connectors.format.scopes import names_read
from gateway.errors import (
    ConflictError,
    NotFoundError,
    UnsupportedError,
    UpstreamRejectedError,
    UpstreamResponseError,
    UpstreamUnavailableError,
)
from gateway.models import JsonObject, Written

_CONFLICT = 412
_TRY_AGAIN = " Try again later."
_MAX_SHOWN_CHARACTERS = 100


async def create(caller: Caller, collection: KnownCollection, fields: JsonObject, *, names: Names, idempotency_key: str | None) -> Written:
    """The new record; without the record itself where the app answers only its id.

    Raises ConflictError when the app has it already, and UnsupportedError for a key that it would not know again.
    """
    operation = collection.file.operations.create
    if operation is None:
        raise UnsupportedError(f"No records can be created in {collection.file.name}.")
    if idempotency_key is not None and not collection.spec.takes_idempotency_key:
        raise UnsupportedError(f"The app knows no idempotency keys for {collection.file.name}. Leave the key out.")
    sent = collection.fields_to_api.of(fields, names={**caller.names, **names})
    seen = {**names, "fields": sent, "idempotency_key": idempotency_key}
    try:
        answer = await caller.ask(operation.request, names=seen, is_known_again=idempotency_key is not None)
    except UpstreamRejectedError as error:
        if error.status == _CONFLICT:
            raise ConflictError(f"No record was created: one of that identity is there already. {error.message}") from error
        raise
    reader = RecordReader(collection.file, names={**caller.names, **names})
    written = _written(operation, answer, reader=reader, names={**caller.names, **seen})
    if written is None:
        raise UpstreamResponseError(f"{caller.file.name} did not answer with the record that it was to create.")
    return written


async def update(
    caller: Caller, collection: KnownCollection, external_id: str, fields: JsonObject, *, names: Names, if_version: str | None
) -> Written:
    """The record with these fields changed; without the record itself where the app does not answer with it.

    Raises NotFoundError, ConflictError, and UnsupportedError for a version that would bind the app to nothing.
    """
    operation = collection.file.operations.update
    if operation is None:
        raise UnsupportedError(f"The records of {collection.file.name} cannot be changed.")
    sent = collection.fields_to_api.of(fields, names={**caller.names, **names})
    seen = {**names, "id": external_id, "fields": sent, "version": if_version}
    answer = await _ask(caller, collection, operation.request, external_id, names=seen)
    reader = RecordReader(collection.file, names={**caller.names, **names})
    # An answer that says nothing of the record left its id as it was.
    return _written(operation, answer, reader=reader, names={**caller.names, **seen}) or Written(external_id=external_id)


async def delete(caller: Caller, collection: KnownCollection, external_id: str, *, names: Names, if_version: str | None) -> None:
    """Returns when the record is no longer there. Raises what `update` does."""
    operation = collection.file.operations.delete
    if operation is None:
        raise UnsupportedError(f"The records of {collection.file.name} cannot be deleted.")
    await _ask(caller, collection, operation.request, external_id, names={**names, "id": external_id, "version": if_version})


@contextmanager
def telling_outcome(done: str, *, key: str | None = None) -> Iterator[None]:
    """Lets no error of a write leave without saying so where it is not known whether the record was `done`: created, changed, deleted."""
    doubt = f"It is not known whether the record was {done}: look before you try again" + (
        ", or try again with the same idempotency key." if key is not None else "."
    )
    try:
        yield
    except (UpstreamUnavailableError, UpstreamResponseError) as error:
        if not error.may_have_been_received:
            raise
        raise type(error)(f"{error.message.removesuffix(_TRY_AGAIN)} {doubt}", may_have_been_received=True) from None


async def _ask(caller: Caller, collection: KnownCollection, request: Request, external_id: str, *, names: Names) -> Answer:
    if names["version"] is not None and "version" not in names_read(request):
        raise UnsupportedError(f"The app cannot bind this to a version of a record in {collection.file.name}. Leave the version out.")
    if not collection.ids.may_exist(external_id):
        raise _not_found(collection, external_id)
    try:
        answer = await caller.ask(request, names=names)
    except UpstreamRejectedError as error:
        if error.status == _CONFLICT:
            raise ConflictError(f"The record is as it was. {error.message} Read it again, then repeat.") from error
        if error.status in NOT_FOUND:
            raise _not_found(collection, external_id) from error
        raise
    if answer.is_empty:
        raise _not_found(collection, external_id)
    return answer


def _not_found(collection: KnownCollection, external_id: str) -> NotFoundError:
    shown = external_id if len(external_id) <= _MAX_SHOWN_CHARACTERS else f"{external_id[: _MAX_SHOWN_CHARACTERS - 3]}..."
    return NotFoundError(f"{collection.file.name} has no record {shown!r}.")


def _written(operation: WriteOperation, answer: Answer, *, reader: RecordReader, names: Names) -> Written | None:
    """What the answer says of the record; null where it says nothing."""
    if answer.is_empty:
        return None
    seen = {**names, **answer.names}
    raw = told(operation.record, seen, what="The record") if operation.record is not None else None
    if raw is not None:
        record = reader.read_one(raw)
        return Written(external_id=record.external_id, record=record)
    given = told(operation.id, seen, what="The record's id") if operation.id is not None else None
    if operation.id is None or given is None:
        return None
    return Written(external_id=read_id(given, operation.id, what="The record"))
