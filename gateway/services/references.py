"""References from a record's own fields to records of other collections."""

from dataclasses import dataclass

from gateway.models import Principal, Record
from gateway.runtime import Runtime
from gateway.services.record_places import RecordPlace


@dataclass(frozen=True, kw_only=True)
class RecordReference:
    """A record by its place and id, not read yet."""

    place: RecordPlace
    external_id: str


async def native_reference(
    runtime: Runtime, principal: Principal, *, place: RecordPlace, record: Record, field: str
) -> RecordReference | None:
    """The record that a field of a record at `place` names, by the collection's own schema (`x-reference`); null where the field is empty.

    Raises InvalidError, which names the fields that do, for a field that refers to no collection; UpstreamError when the app is asked
    for the schema and cannot answer.
    """
    raise NotImplementedError
