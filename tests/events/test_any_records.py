"""Whatever an app's records hold, and whatever their ids are, on both databases: events tell it as it is."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.events import bodies, log
from gateway.events.observations import ObservedPlace, is_followable
from gateway.models.principal import SYSTEM
from gateway.storage.database import Database
from tests.events.observing import events, followed, record, seen, tell
from tests.support.examples import ANY_JSON, TEXTS, part_of_examples

IDS = TEXTS | st.text(alphabet="\"\\/'%_{}u0é\U0001f600\u2028,", max_size=6)


@pytest.fixture
async def place(database: Database) -> ObservedPlace:
    """An instance to observe."""
    (place,) = await followed(database)
    return place


@part_of_examples(percent=30)
@given(external_id=IDS, one=ANY_JSON, other=ANY_JSON)
@example(external_id='\\u0022"', one="a\x00b", other={"\x00": "\\u0000"})
@example(external_id="é", one=[-0.0, 1e22, 1e308, 5e-324], other=[0, 10**22, 2**64, 10**4300 - 1])
async def test_what_is_told_of_a_record_is_what_it_held(database: Database, place: ObservedPlace, external_id: str, one, other):
    async with database.read(SYSTEM) as session:
        start = (await log.log_meta(session)).end

    for value in (one, other):
        await tell(database, place, seen(record(external_id, value=value)))
    await tell(database, place, seen(gone=[external_id]))

    told = await events(database, after_pos=start)
    if not is_followable(external_id):
        assert told == []
        return
    is_update = bodies.hash_of(record("", value=one)) != bodies.hash_of(record("", value=other))
    values = [one, other] if is_update else [one]
    assert [event.type.value for event in told] == ["CREATED", *["UPDATED"][:is_update], "DELETED"]
    assert {event.record_id for event in told} == {external_id}
    assert [exact(event.body) for event in told] == [*(json.dumps({"value": value}, sort_keys=True) for value in values), None]
    assert [exact(event.previous) for event in told] == [None, *(json.dumps({"value": value}, sort_keys=True) for value in values)]


def exact(body: bytes | None) -> str | None:
    """The fields with their types, as 1, 1.0 and true are equal in Python, and so are 0.0 and -0.0."""
    return None if body is None else json.dumps(bodies.fields_of(body), sort_keys=True)
