"""What a connector promises of the changes that it tells."""

import json
from collections.abc import Mapping
from datetime import timedelta
from unittest import SkipTest

from gateway.errors import CursorExpiredError
from gateway.models import (
    Change,
    CollectionOperation,
    CursorSync,
    CursorType,
    CursorValue,
    JsonObject,
    JsonValue,
    PageRequest,
    Record,
    Since,
    SyncSupport,
)
from gateway.testing.connector_suite.trial import Subject, Trial

_MOST_PAGES = 2_000
Found = Mapping[str, Change]
"""What was told, by id: of each record the last."""


class Sync(Trial):
    """Where changes are told, all of them are; and a record is the same whoever tells of it, so that no change is told twice."""

    async def test_a_written_record_is_the_same_in_the_list(self) -> None:
        """What a write answers, the list, the record alone and the changes hold the same fields, apart from those that are volatile."""
        new_fields = self.given_new_fields()
        async with self.healthy() as subject:
            connector, access = subject.connector, subject.access
            spec = await connector.describe(access, self.collection)
            written = await connector.create(access, self.collection, new_fields)
            told = [written.record, *await self._as_told(subject, written.external_id)]
            if CollectionOperation.UPDATE in spec.operations:
                written = await connector.update(access, self.collection, written.external_id, self.changed_fields)
                after_update = [written.record, *await self._as_told(subject, written.external_id)]
            else:
                after_update = told
            await self._take_back(subject, written.external_id)

        assert len({_canonical(self._lasting(subject, record)) for record in told if record is not None}) == 1
        assert len({_canonical(self._lasting(subject, record)) for record in after_update if record is not None}) == 1

    async def test_without_a_beginning_changes_hold_every_record(self) -> None:
        """With the fields that the list has, however large the pages are."""
        async with self.healthy() as subject:
            self._support(subject)
            listed = {record.external_id: self._lasting(subject, record) for record in await self.read(subject, size=1000)}
            found = [(await self._changes(subject, Since(), size=size))[0] for size in (self.page_size, 1000)]
            told = [{key: self._lasting(subject, change.record) for key, change in part.items() if change.record} for part in found]

        assert told == [listed, listed]

    async def test_a_creation_a_change_and_a_deletion_are_told(self) -> None:
        """Since the last reading: what was created and changed with its record, and what was deleted where that can be told."""
        new_fields = self.given_new_fields()
        async with self.healthy() as subject:
            connector, access = subject.connector, subject.access
            support = self._support(subject)
            spec = await connector.describe(access, self.collection)
            found, since = await self._changes(subject, Since(), size=1000)
            known = {key for key, change in found.items() if change.record is not None}
            created = await connector.create(access, self.collection, new_fields)
            since = await self._require_told(subject, since, created.external_id)
            assert created.external_id not in known

            if CollectionOperation.UPDATE in spec.operations:
                created = await connector.update(access, self.collection, created.external_id, self.changed_fields)
                since = await self._require_told(subject, since, created.external_id)
            await self._take_back(subject, created.external_id)
            if support.sees_deletions and CollectionOperation.DELETE in spec.operations:
                told, since = await self._changes(subject, since, size=1000)
                assert told[created.external_id].record is None

    async def test_a_reading_from_a_value_on_holds_the_record_of_that_value(self) -> None:
        """Wherever it begins: no record of that value or a later one is left out, so that those that are equal are not lost."""
        async with self.healthy() as subject:
            support = self._support(subject)
            if support.cursor is None or not support.cursor.is_filtered:
                raise SkipTest("The collection has no cursor, or its app leaves nothing out.")
            found, _ = await self._changes(subject, Since(), size=1000)
            values = {key: change.cursor for key, change in found.items() if change.cursor is not None}
            for start in sorted({*values.values()}, key=_order)[:: max(len(values) // 5, 1)]:
                told, _ = await self._changes(subject, Since(start=start), size=self.page_size)
                later = {key for key, value in values.items() if _order(value) >= _order(start)}
                assert later - told.keys() == set()

    async def test_where_nothing_changes_a_token_tells_nothing(self) -> None:
        """A token is plain JSON, tells no record twice, and the next reading has one again."""
        async with self.healthy() as subject:
            if not self._support(subject).has_delta:
                raise SkipTest("The collection has no delta.")
            _, since = await self._changes(subject, Since(), size=self.page_size)
            first, since = await self._changes(subject, since, size=self.page_size)
            second, _ = await self._changes(subject, since, size=self.page_size)

        assert [dict(first), dict(second)] == [{}, {}]

    async def test_a_foreign_page_token_starts_anew(self) -> None:
        """A page token that the connector did not give ends with CursorExpiredError, not with a part of the changes."""
        async with self.healthy() as subject:
            self._support(subject)
            raised = []
            for token in ("no token", 17, {"start": "no token"}):
                try:
                    await subject.connector.changes(subject.access, self.collection, Since(), PageRequest(size=1, token=token))
                except CursorExpiredError as error:
                    raised.append(error)

        assert len(raised) == 3

    async def _require_told(self, subject: Subject, since: Since, external_id: str) -> Since:
        """From where the next reading begins. The record must be told as it is in the app."""
        told, following = await self._changes(subject, since, size=1000)
        expected = await subject.connector.record(subject.access, self.collection, external_id)
        assert external_id in told, f"The record {external_id!r} was written, and no reading of changes tells of it."
        record = told[external_id].record
        assert expected is not None
        assert record is not None
        assert self._lasting(subject, record) == self._lasting(subject, expected)
        return following

    def _support(self, subject: Subject) -> SyncSupport:
        """How the collection's changes are told. Skips the test where they are not, and its whole list is compared."""
        support = subject.connector.sync_support(self.collection)
        if not support.has_delta and support.cursor is None:
            raise SkipTest("The collection tells nothing of its changes.")
        return support

    async def _changes(self, subject: Subject, since: Since, *, size: int) -> tuple[Found, Since]:
        """All that changed, and where the next reading begins; tokens go through JSON, as they are stored."""
        found: dict[str, Change] = {}
        token, delta_token = None, None
        for _ in range(_MOST_PAGES):
            page = await subject.connector.changes(subject.access, self.collection, since, PageRequest(size=size, token=token))
            found |= {change.external_id: change for change in page.changes}
            delta_token = page.delta_token if page.delta_token is not None else delta_token
            if page.next_token is None:
                return found, self._next(subject, since, found, delta_token)
            token = json.loads(json.dumps(page.next_token))
        raise AssertionError(f"The changes have not ended after {_MOST_PAGES} pages.")

    def _next(self, subject: Subject, since: Since, found: Found, delta_token: JsonValue) -> Since:
        support = subject.connector.sync_support(self.collection)
        if support.has_delta:
            assert delta_token is not None, "A complete reading gives no token for the next one."
            return Since(delta_token=json.loads(json.dumps(delta_token)))
        values = [change.cursor for change in found.values() if change.cursor is not None]
        if support.cursor is None or not values:
            return since
        last = max(values, key=_order)
        return Since(start=_behind(last, support.cursor))

    async def _as_told(self, subject: Subject, external_id: str) -> list[Record | None]:
        """The record as all those tell it that can."""
        support = subject.connector.sync_support(self.collection)
        told: list[Record | None] = [record for record in await self.read(subject, size=1000) if record.external_id == external_id]
        told.append(await subject.connector.record(subject.access, self.collection, external_id))
        if support.has_delta or support.cursor is not None:
            found, _ = await self._changes(subject, Since(), size=1000)
            told.append(found[external_id].record)
        return told

    def _lasting(self, subject: Subject, record: Record) -> JsonObject:
        volatile = subject.connector.sync_support(self.collection).volatile_fields
        return {name: value for name, value in record.fields.items() if name not in volatile}

    async def _take_back(self, subject: Subject, external_id: str) -> None:
        spec = await subject.connector.describe(subject.access, self.collection)
        if CollectionOperation.DELETE in spec.operations:
            await subject.connector.delete(subject.access, self.collection, external_id)


def _order(value: CursorValue) -> float:
    return float(value) if isinstance(value, int | float) else value.timestamp()


def _behind(value: CursorValue, cursor: CursorSync) -> CursorValue:
    """From where the next reading begins: by its lookback behind the last value."""
    if cursor.type is CursorType.COUNT and isinstance(value, int | float):
        return value - (int(cursor.lookback) if float(cursor.lookback).is_integer() else cursor.lookback)
    return value - timedelta(seconds=cursor.lookback) if not isinstance(value, int | float) else value


def _canonical(fields: JsonObject) -> str:
    return json.dumps(fields, sort_keys=True)
