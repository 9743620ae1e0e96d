"""Reading the records of a collection that the schema shows."""

from functools import partial
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from gateway.errors import UnsupportedError
from gateway.graphql import relay
from gateway.graphql.context import Context, Info
from gateway.graphql.fields import given
from gateway.graphql.inputs.records import FieldsInput, RecordOrder
from gateway.graphql.mentions import mentioned_in
from gateway.graphql.record_loaders import RecordKey
from gateway.graphql.sources import Place, RecordSource, records_of, shown
from gateway.services import records
from gateway.services.record_places import RecordPlace
from gateway.services.selectors import ALL_RECORDS, RecordListQuery

Filter = Annotated[
    JSON | None,
    strawberry.argument(
        description='What must hold, by the app\'s own field names: `{"status": "open"}`, or `{"size": {"GT": 5}}` with one of the '
        "operators that `filters` of the collection has for the field. All of it must hold."
    ),
]
UnifiedFilter = Annotated[
    JSON | None, strawberry.argument(description="The same by the field names of the universal data model that its data source has.")
]
Search = Annotated[str | None, strawberry.argument(description="Only those that the app finds by this text.")]
OrderBy = Annotated[RecordOrder | None, strawberry.argument(description="The order; the app's own where it is left out.")]
ExternalId = Annotated[str, strawberry.argument(description="What the app calls the record.")]
By = Annotated[FieldsInput, strawberry.argument(description="Fields of which each must equal: those that `matchFields` has.")]

_ALL_LEFT_OUT = (strawberry.UNSET,) * 4


def query_of(filter: object, unified_filter: object, search: str | None, order_by: RecordOrder | None) -> RecordListQuery:
    """What the arguments of a list of records ask for."""
    if (filter, unified_filter, search, order_by) == _ALL_LEFT_OUT:
        return ALL_RECORDS
    order = given(order_by)
    return RecordListQuery(
        filter=given(filter), unified_filter=given(unified_filter), search=given(search), order=order.read() if order is not None else None
    )


async def note_log_end(info: Info) -> None:
    """Returns when the log's end is known, where the operation shows it anywhere: only then may an app be asked for records.

    Else a change could be recorded after the app has answered and before that end: whoever goes on from there would miss it.
    """
    if mentioned_in(info.operation).log_end:
        await info.context.loaders.events.log_end()


async def home_of(info: Info, place: Place) -> RecordPlace:
    """Where the records of a collection are. Raises UnsupportedError without a connection."""
    if place.home is not None:
        return place.home
    connection = place.origin.connection
    if connection is None:
        raise UnsupportedError("Records belong to a connection. Read them through `collection` of a connection, or an instance.")
    integration = await info.context.loaders.integration_of(connection)
    return RecordPlace(connection=connection, integration=integration, pointer=place.pointer, udm=place.origin.udm)


async def list_records(info: Info, place: Place, query: RecordListQuery, *, first: int, after: str | None) -> relay.ItemPage[RecordSource]:
    """A page of a collection's records."""
    context, mentioned = info.context, mentioned_in(info.operation)
    home = place.home or await home_of(info, place)
    if mentioned.log_end:
        await note_log_end(info)
    size = relay.bounded(first, maximum=context.runtime.settings.max_app_page_size)
    parts = mentioned.record_parts
    page = await records.page(*context.caller, place=home, first=size, after=after or None, query=query, parts=parts)
    context.budget.spend(len(page.items))
    return relay.page_of_app(page, after=after, show=partial(shown, place, home))


async def record_at(info: Info, place: Place, external_id: str) -> RecordSource | None:
    """One record of a collection by its id; those that one operation asks for are read together."""
    context, home = info.context, await home_of(info, place)
    await note_log_end(info)
    record = await context.loaders.records.record_by_key.load(RecordKey.of(home, external_id))
    return _counted(context, records_of(place, home)(record)) if record is not None else None


async def matching_record(info: Info, place: Place, by: FieldsInput) -> RecordSource | None:
    """One record of a collection by the values of fields."""
    context, home = info.context, await home_of(info, place)
    await note_log_end(info)
    record = await records.match(*context.caller, place=home, by=by.read())
    return _counted(context, records_of(place, home)(record)) if record is not None else None


async def record_of_home(info: Info, home: RecordPlace, external_id: str) -> RecordSource | None:
    """One record of a place that no location led to."""
    context = info.context
    await note_log_end(info)
    record = await context.loaders.records.record_by_key.load(RecordKey.of(home, external_id))
    place = context.loaders.records.collection_of(home)
    return _counted(context, records_of(place, home)(record)) if record is not None else None


def _counted(context: Context, record: RecordSource) -> RecordSource:
    """The record, which counts among what the operation lists: references multiply as lists do."""
    context.budget.spend(1)
    return record
