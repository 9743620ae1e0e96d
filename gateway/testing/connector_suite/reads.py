"""What a connector promises of the records that it reads."""

import json
from unittest import SkipTest

from gateway.connectors.schemas import CompiledSchema
from gateway.errors import UpstreamResponseError
from gateway.models import CollectionOperation, CollectionSpec, Condition, FilterOperator, RecordQuery
from gateway.testing.connector_suite.trial import Trial


class Reads(Trial):
    """Lists end and are whole, records are what the spec says, and filters filter."""

    async def test_the_app_accepts_the_connection(self) -> None:
        """The check of the connection succeeds."""
        async with self.healthy() as subject:
            await subject.connector.check(subject.access)

    async def test_the_pages_end_and_hold_every_record_once(self) -> None:
        """However large the pages are, the list is the same, and its page tokens are plain JSON."""
        async with self.healthy() as subject:
            in_small_pages = [record.external_id for record in await self.read(subject, size=self.page_size)]
            in_large_pages = [record.external_id for record in await self.read(subject, size=1000)]

        assert in_small_pages, "The collection of the suite holds no record, so that nothing is shown."
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
            missing = await subject.connector.record(subject.access, self.collection, f"{first.external_id}0missing")

        assert found is not None
        assert (found.external_id, found.fields) == (first.external_id, first.fields)
        assert missing is None

    async def test_records_are_found_by_their_ids_together(self) -> None:
        """Where the app finds several by id, it finds those that it has."""
        async with self.healthy() as subject:
            spec = await subject.connector.describe(subject.access, self.collection)
            if spec.find_by_ids_maximum < 2:
                raise SkipTest("The collection finds no records by several ids.")
            records = (await self.page(subject, size=2))[:2]
            ids = [record.external_id for record in records]
            found = await subject.connector.records_by_ids(subject.access, self.collection, [*ids, f"{ids[0]}0missing"][-2:])

        assert {key: record.fields for key, record in found.items()} == {
            r.external_id: r.fields for r in records if r.external_id in ids[1:]
        }

    async def test_a_filter_by_equality_gives_the_records_that_are_equal(self) -> None:
        """For every field that can be filtered so, the value of the first record finds it, and others of that value only."""
        async with self.healthy() as subject:
            spec = await subject.connector.describe(subject.access, self.collection)
            first, *_ = await self.page(subject, size=1)
            fields = [name for name, value in first.fields.items() if isinstance(value, str | int) and _is_filterable(spec, name)]
            if not fields:
                raise SkipTest("The collection cannot be filtered by equality.")
            found = {}
            for name in fields:
                equal = RecordQuery(conditions=(Condition(field=name, operator=FilterOperator.EQ, value=first.fields[name]),))
                found[name] = await self.read(subject, size=1000, query=equal)

        assert {name: {json.dumps(record.fields.get(name)) for record in records} for name, records in found.items()} == {
            name: {json.dumps(first.fields[name])} for name in fields
        }
        assert [name for name, records in found.items() if first.external_id not in {record.external_id for record in records}] == []


def _is_filterable(spec: CollectionSpec, name: str) -> bool:
    return any(part.field in (name, "*") and FilterOperator.EQ in part.operators for part in spec.filters)
