"""What a connector promises of the records that it writes."""

from unittest import SkipTest

from gateway.errors import ConflictError, UnsupportedError, UpstreamUnavailableError
from gateway.models import CollectionOperation, CollectionSpec, Record
from gateway.testing.connector_suite.trial import Subject, Trial, error_of, part


class Writes(Trial):
    """What is written is there, a version that has passed is a conflict, and nothing is created twice."""

    async def test_a_record_is_created_changed_and_deleted(self) -> None:
        """What is written is there afterwards, what is deleted is not, and nothing else changes. What cannot be done is left out."""
        new_fields = self.given_new_fields()
        async with self.healthy() as subject:
            connector, access = subject.connector, subject.access
            spec = await connector.describe(access, self.collection)
            before = await self.ids(subject)
            created = await connector.create(access, self.collection, new_fields)
            after_creation = await self._record(subject, created.external_id)
            assert created.record is None or created.record.fields == after_creation.fields
            assert part(after_creation.fields, of=new_fields) == new_fields
            assert sorted(await self.ids(subject)) == sorted([*before, created.external_id])

            external_id = created.external_id
            if CollectionOperation.UPDATE in spec.operations:
                updated = await connector.update(access, self.collection, external_id, self.changed_fields)
                external_id = updated.external_id
                after_update = await self._record(subject, external_id)
                expected = {**new_fields, **self.changed_fields}
                assert updated.record is None or updated.record.fields == after_update.fields
                assert part(after_update.fields, of=expected) == expected
            if CollectionOperation.DELETE in spec.operations:
                await connector.delete(access, self.collection, external_id)
                assert await connector.record(access, self.collection, external_id) is None
                assert await self.ids(subject) == before

    async def test_a_stale_version_is_a_conflict_and_changes_nothing(self) -> None:
        """A write that is bound to a version that has passed is refused, be it an update or a deletion."""
        new_fields = self.given_new_fields()
        async with self.healthy() as subject:
            connector, access = subject.connector, subject.access
            spec = await connector.describe(access, self.collection)
            if not spec.takes_version:
                raise SkipTest("The app knows no versions.")
            created = (await connector.create(access, self.collection, new_fields)).external_id
            stale = (await self._record(subject, created)).version
            assert stale is not None, "The collection takes versions, and its records have none: say `version` in `record`."
            await connector.update(access, self.collection, created, self.changed_fields)
            before = await self._record(subject, created)
            errors = [
                await error_of(connector.update(access, self.collection, created, new_fields, if_version=stale)),
                await error_of(connector.delete(access, self.collection, created, if_version=stale)),
            ]
            after = await self._record(subject, created)
            await self._take_out(subject, spec, [created])

        assert {type(error) for error in errors} - {UnsupportedError} == {ConflictError}
        assert (after.fields, after.version) == (before.fields, before.version)

    async def test_a_creation_whose_answer_is_lost_is_sent_once(self) -> None:
        """The app may have created the record: it is not asked for a second one, and the error says that it is not known."""
        new_fields = self.given_new_fields()
        async with self.healthy() as subject:
            connector, access = subject.connector, subject.access
            spec = await connector.describe(access, self.collection)
            before = await self.ids(subject)
            subject.http.lose()
            error = await error_of(connector.create(access, self.collection, new_fields))
            created = [external_id for external_id in await self.ids(subject) if external_id not in before]
            sent = subject.http.lost_count
            subject.http.find()
            await self._take_out(subject, spec, created)

        assert type(error) is UpstreamUnavailableError
        assert error.may_have_been_received
        assert (sent, len(created) <= 1) == (1, True)

    async def test_a_creation_with_a_key_is_made_once(self) -> None:
        """Where the app knows idempotency keys, the same creation with the same key finds what it has made."""
        new_fields = self.given_new_fields()
        async with self.healthy() as subject:
            connector, access = subject.connector, subject.access
            spec = await connector.describe(access, self.collection)
            if not spec.takes_idempotency_key:
                raise SkipTest("The app knows no idempotency keys.")
            before = await self.ids(subject)
            made = [await connector.create(access, self.collection, new_fields, idempotency_key="made-once") for _ in range(2)]
            created = [external_id for external_id in await self.ids(subject) if external_id not in before]
            await self._take_out(subject, spec, created)

        assert {written.external_id for written in made} == set(created)
        assert len(created) == 1

    async def _record(self, subject: Subject, external_id: str) -> Record:
        """The record of that id, which must be there."""
        record = await subject.connector.record(subject.access, self.collection, external_id)
        assert record is not None, f"The record {external_id!r} was written, and is not there."
        return record

    async def _take_out(self, subject: Subject, spec: CollectionSpec, external_ids: list[str]) -> None:
        """Deletes records, where that can be done: the next test finds the collection as it was."""
        if CollectionOperation.DELETE in spec.operations:
            for external_id in external_ids:
                await subject.connector.delete(subject.access, self.collection, external_id)
