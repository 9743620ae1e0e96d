"""What a connector promises of the records that it reads."""

import json
from collections.abc import Sequence
from unittest import SkipTest

from gateway.connectors.schemas import CompiledSchema
from gateway.errors import UpstreamResponseError
from gateway.models import (
    CollectionOperation,
    CollectionSpec,
    Condition,
    FilterOperator,
    JsonValue,
    OrderDirection,
    Record,
    RecordOrder,
    RecordQuery,
)
from gateway.testing.connector_suite.trial import Trial


class Reads(Trial):
    """Lists end and are whole, records are what the spec says, filters filter, and orders order."""

    async def test_the_app_accepts_the_connection(self) -> None:
        """The check of the connection succeeds."""
        async with self.healthy() as subject:
            await subject.connector.check(subject.access)

    async def test_the_pages_end_and_hold_every_record_once(self) -> None:
        """However large the pages are, the list is the same, and its page tokens are plain JSON."""
        async with self.healthy() as subject:
            in_small_pages = [record.external_id for record in await self.read(subject, size=self.page_size)]
            in_large_pages = [record.external_id for record in await self.read(subject, size=1000)]

        assert len(in_small_pages) > self.page_size, (
            "The collection of the suite fits into one page: make `page_size` smaller, or add records."
        )
        assert len(set(in_small_pages)) == len(in_small_pages)
        assert in_small_pages == in_large_pages

    async def test_an_app_that_repeats_a_page_does_not_loop(self) -> None:
        """The same answer to every request ends the list, or is told as the app's fault."""
        async with self.healthy() as subject:
            await self.page(subject, size=1)
            subject.http.repeat()
            try:
                found = await self.read(subject, size=self.page_size, most_pages=4)
            except UpstreamResponseError:
                return

        assert len({record.external_id for record in found}) == len(found)

    async def test_records_match_the_schema_of_their_fields(self) -> None:
        """Every field of every record is what the collection's spec says."""
        async with self.healthy() as subject:
            spec = await subject.connector.describe(subject.access, self.collection)
            records = await self.read(subject, size=1000)

        assert spec.fields_schema is not None, "The spec of the collection has no schema of its fields."
        schema = CompiledSchema.compile(spec.fields_schema, at="fields_schema")
        assert {record.external_id: found for record in records if (found := schema.violations(record.fields))} == {}

    async def test_a_record_is_found_by_its_id(self) -> None:
        """A record of the list is found alone, and one that does not exist is null."""
        async with self.healthy() as subject:
            spec = await subject.connector.describe(subject.access, self.collection)
            if CollectionOperation.FIND_BY_ID not in spec.operations:
                raise SkipTest("The collection finds no record by its id.")
            first, *_ = await self.page(subject, size=1)
            found = await subject.connector.record(subject.access, self.collection, first.external_id)
            missing = await subject.connector.record(subject.access, self.collection, self.missing_beside(first.external_id))

        assert found is not None
        assert (found.external_id, found.fields) == (first.external_id, first.fields)
        assert missing is None

    async def test_records_are_found_by_their_ids_together(self) -> None:
        """Where the app finds several by id, it finds all those that it has, and no others."""
        async with self.healthy() as subject:
            spec = await subject.connector.describe(subject.access, self.collection)
            if spec.find_by_ids_maximum < 2:
                raise SkipTest("The collection finds no records by several ids.")
            records = (await self.read(subject, size=self.page_size))[: spec.find_by_ids_maximum]
            wanted = {record.external_id: record.fields for record in records}
            found = await subject.connector.records_by_ids(subject.access, self.collection, [*wanted])
            last = records[-1].external_id
            beside = await subject.connector.records_by_ids(subject.access, self.collection, [self.missing_beside(last), last])

        assert {key: record.fields for key, record in found.items()} == wanted
        assert {key: record.fields for key, record in beside.items()} == {last: wanted[last]}

    async def test_a_filter_by_equality_gives_the_records_that_are_equal(self) -> None:
        """For every field that can be filtered so, the value of the first record finds it, and all others of that value only."""
        async with self.healthy() as subject:
            spec = await subject.connector.describe(subject.access, self.collection)
            records = await self.read(subject, size=1000)
            first = records[0].fields
            fields = [name for name, value in first.items() if isinstance(value, str | int) and _is_filterable(spec, name)]
            if not fields:
                raise SkipTest("The collection cannot be filtered by equality.")
            found = {}
            for name in fields:
                equal = RecordQuery(conditions=(Condition(field=name, operator=FilterOperator.EQ, value=first[name]),))
                found[name] = sorted(record.external_id for record in await self.read(subject, size=1000, query=equal))

        assert found == {
            name: sorted(record.external_id for record in records if _same(record.fields.get(name), first[name])) for name in fields
        }

    async def test_an_order_holds_every_record_once(self) -> None:
        """By whatever field, and however many records are equal in it, small pages hold the whole list; falling, it is another order."""
        async with self.healthy() as subject:
            spec = await subject.connector.describe(subject.access, self.collection)
            records = await self.read(subject, size=1000)
            fields = [*records[0].fields] if "*" in spec.order_fields else [*spec.order_fields]
            if not fields:
                raise SkipTest("The collection cannot be ordered.")
            found = {}
            for name in fields:
                orders = [RecordOrder(field=name, direction=direction) for direction in OrderDirection]
                found[name] = [
                    [record.external_id for record in await self.read(subject, size=self.page_size, query=RecordQuery(order=order))]
                    for order in orders
                ]
        ids = sorted(record.external_id for record in records)

        assert {name: [sorted(part) for part in parts] for name, parts in found.items()} == {name: [ids, ids] for name in fields}
        assert [name for name, (rising, falling) in found.items() if _differs(records, name) and rising == falling] == []


def _is_filterable(spec: CollectionSpec, name: str) -> bool:
    return any(part.field in (name, "*") and FilterOperator.EQ in part.operators for part in spec.filters)


def _same(value: JsonValue, other: JsonValue) -> bool:
    """Whether they are equal, their types too: in Python, 1 is true."""
    return json.dumps(value) == json.dumps(other)


def _differs(records: Sequence[Record], name: str) -> bool:
    return len({json.dumps(record.fields.get(name)) for record in records}) > 1
