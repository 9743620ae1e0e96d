"""What a connector promises where its app fails."""

from gateway.testing.connector_suite.faults import answering, echo
from gateway.testing.connector_suite.trial import Trial, error_of

_SHORTEST_SECRET = 8
# A shorter one stands in any text by chance.


class Failures(Trial):
    """Each fault has its class, and no secret is told with it."""

    async def test_every_fault_of_the_app_has_its_class(self) -> None:
        """What a list ends with tells whose move is next: the customer's, the caller's or time's."""
        found = {}
        for name, (scripted, _) in self.faults.items():
            async with self.faulty(answering(scripted)) as (subject, _):
                found[name] = type(await error_of(self.page(subject, size=1)))

        assert found == {name: error for name, (_, error) in self.faults.items()}

    async def test_no_fault_tells_a_secret(self) -> None:
        """Not even where the app says in its refusal what it was sent, in whatever form that was."""
        secrets = {value for value in self.credentials.values() if isinstance(value, str) and len(value) >= _SHORTEST_SECRET}
        told = {}
        for status in (400, 401, 403, 409, 422, 429, 500):
            async with self.faulty(echo(status)) as (subject, app):
                errors = [await error_of(self.page(subject, size=1))]
                if self.new_fields is not None:
                    errors.append(await error_of(subject.connector.create(subject.access, self.collection, self.new_fields)))
                told[status] = " ".join(f"{error} {error!r} {getattr(error, 'fields', '')}" for error in errors)
                secrets |= {proof for request in app.requests if (proof := request.headers.get("authorization", "").rpartition(" ")[2])}

        assert [(status, text) for status, text in told.items() if any(secret in text for secret in secrets)] == []
