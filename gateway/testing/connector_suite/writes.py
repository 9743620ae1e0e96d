"""What a connector promises of the records that it writes."""

import json
from unittest import SkipTest

from gateway.errors import ConflictError, UpstreamUnavailableError
from gateway.testing.answers import Drop
from gateway.testing.connector_suite.faults import answering
from gateway.testing.connector_suite.trial import Trial, error_of, part


class Writes(Trial):
    """What is written is there, a version that has passed is a conflict, and nothing is created twice."""

    async def test_a_record_is_created_changed_and_deleted(self) -> None:
        """What is written is there afterwards, and what is deleted is not."""
        new_fields = self.given_new_fields()
        async with self.healthy() as subject:
            connector, access = subject.connector, subject.access
            created = await connector.create(access, self.collection, new_fields)
            after_creation = await connector.record(access, self.collection, created.external_id)
            updated = await connector.update(access, self.collection, created.external_id, self.changed_fields)
            after_update = await connector.record(access, self.collection, updated.external_id)
            await connector.delete(access, self.collection, updated.external_id)
            after_deletion = await connector.record(access, self.collection, updated.external_id)

        assert after_creation is not None
        assert part(after_creation.fields, of=new_fields) == new_fields
        assert after_update is not None
        assert part(after_update.fields, of={**new_fields, **self.changed_fields}) == {**new_fields, **self.changed_fields}
        assert after_deletion is None

    async def test_a_stale_version_is_a_conflict_and_changes_nothing(self) -> None:
        """An update that is bound to a version that has passed is refused."""
        new_fields = self.given_new_fields()
        async with self.healthy() as subject:
            connector, access = subject.connector, subject.access
            if not (await connector.describe(access, self.collection)).takes_version:
                raise SkipTest("The app knows no versions.")
            created = await connector.create(access, self.collection, new_fields)
            before = await connector.record(access, self.collection, created.external_id)
            assert before is not None
            await connector.update(access, self.collection, created.external_id, self.changed_fields, if_version=before.version)
            error = await error_of(connector.update(access, self.collection, created.external_id, new_fields, if_version=before.version))
            after = await connector.record(access, self.collection, created.external_id)
            await connector.delete(access, self.collection, created.external_id)

        assert type(error) is ConflictError
        assert after is not None
        assert part(after.fields, of=self.changed_fields) == self.changed_fields

    async def test_a_creation_without_an_answer_is_sent_once(self) -> None:
        """The app may have created the record: it is not asked for a second one, and the error says that it is not known."""
        new_fields = self.given_new_fields()
        mark = next(json.dumps(value).strip('"') for value in new_fields.values() if isinstance(value, str))
        async with self.faulty(answering(Drop())) as (subject, app):
            error = await error_of(subject.connector.create(subject.access, self.collection, new_fields))

        assert type(error) is UpstreamUnavailableError
        assert len([request for request in app.requests if mark in request.body.decode("utf-8", "replace")]) <= 1
