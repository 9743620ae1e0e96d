"""What is made of a connection once: for every operation that asks, and for nobody else."""

import gc
import weakref
from dataclasses import replace

from gateway.connectors.operation import Operation
from gateway.testing import Answer
from tests.connectors.executor.notes import TOKEN, access_with, items, read

SERVER = {
    "connection": {
        "schema": {"type": "object", "properties": {"server": {"type": "string"}}},
        "check": {"request": {"path": "/me"}},
    },
    "http": {"base_url": "${connection.server}"},
}


async def test_other_parameters_and_credentials_are_another_connection_to_whoever_knew_the_first(app, other_app, connector):
    app.answer(json=items(1))
    other_app.answer(json=items(2))
    notes, access = connector(**SERVER), access_with(parameters={"server": app.url})
    await read(notes, access)

    moved = replace(access, parameters={"server": other_app.url}, credentials={"token": "another-token-4712"})
    page = await read(notes, moved)

    assert [record.external_id for record in page.items] == ["2"]
    assert app.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert other_app.requests[0].headers["authorization"] == "Bearer another-token-4712"


async def test_another_operation_finds_what_was_made_and_an_operation_that_ended_is_not_kept(app, connector, access):
    app.answer_with(lambda request: Answer(json=items(1)))
    notes, operation = connector(), Operation(remembers=True)
    ended = weakref.ref(operation)
    await read(notes, access.during(operation))
    made = dict(access.made)
    del operation
    gc.collect()

    await read(notes, access.during(Operation()))

    assert ended() is None
    assert len(app.requests) == 2
    assert list(made) == [notes]
    assert access.made == made


async def test_two_connectors_make_each_their_own_of_a_connection(app, connector, access):
    app.answer_with(lambda request: Answer(json=items(request.headers.get("x-plan", "none"))))
    pages = [await read(connector(http={"headers": {"X-Plan": plan}}), access) for plan in ("a", "b")]

    assert [[record.external_id for record in page.items] for page in pages] == [["a"], ["b"]]


def test_what_was_made_of_a_connection_is_not_shown_and_does_not_tell_it_from_another(access):
    twin = access.during(access.operation)
    twin.made["connector"] = "s3cret"

    assert "s3cret" not in repr(access)
    assert replace(access).made == {}
    assert replace(access) == access
