"""Random documents over an app's random pages are answered alike whether or not pages are read whole."""

import json
from contextlib import aclosing
from ipaddress import ip_network
from random import Random

import pytest

from gateway.config import Settings
from gateway.connectors.executor import DeclarativeConnector
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.http import Http
from gateway.runtime import open_runtime
from gateway.testing import Answer, FakeClock, ScriptedApp
from gateway.web.bodies import encode_json
from tests.connectors.executor.notes import notes_file
from tests.graphql.world import World
from tests.support.limits import UNLIMITED
from tests.support.prepared import KEY_RING
from tests.support.runtime import connection, customer, integration

FIELDS = ("title", "rev", "at", "who", "done", "tags", "url", "n")
VALUES = (
    *(None, True, 0, -1, 1.5, 10**30, 0.1, 1e300),
    *("", "  ", "a", "é", "open", "completed", "2026-11-21T16:16:37Z"),
    *([], ["a"], [1, None], [{"a": 1}], {}, {"name": "x"}),
)
FAULTY = ({}, [], {"items": None}, {"items": [{"id": 1}, {"id": None}]}, {"items": [{"id": 1}, 5]})
PARTS = (
    *("externalId", "id", "name", "url", "version", "fields", "f: fields", "rawFields", "createdAt", "updatedAt", "collection { key }"),
    *('u1: unifiedFields(udm: "tasks")', "u2: unifiedFields", 'u3: unified(udm: "nope") { externalId }'),
    'u4: unified(udm: "tasks") { ... on UnifiedTask { externalId subject tags dueTime status priority updatedTime } }',
    *('u5: unified(udm: "tasks") { record { externalId fields } }', 'u6: unified(udm: "tasks") { record { name } __typename }'),
    *('reference(field: "n") { externalId fields }', "...Named", "...Modelled", "... on Record { fields }"),
    *("fields @skip(if: $yes)", "fields @include(if: $yes)", "...Modelled @include(if: $yes)"),
)
FRAGMENTS = {
    "Named": "fragment Named on Record { name fields }",
    "Modelled": 'fragment Modelled on Record { unified(udm: "tasks") { externalId ... on UnifiedTask { subject createdTime } } }',
}
MODEL = {
    "subject": "title",
    "tags": "tags",
    "dueTime": "at",
    "priority": "rev",
    "status": {"field": "done", "values": {"true": "completed"}},
    "description": {"from": "${fields.who.name || fields.title}"},
}
TOLD = {"name": "${record.title}", "url": "${record.url}", "version": "${record.rev}", "updated_at": "${record.at}"}
WHOLE, IN_PART = "reference", "Listed"
"""Names of an operation: the one is a word of documents whose records are read whole."""


def document(random: Random, *, name: str) -> str:
    """A document that lists records; by the same random numbers it is the same but for the name."""
    lists = []
    for number in range(random.choice((1, 1, 2))):
        parts = " ".join(random.sample(PARTS, random.randint(1, 4)))
        shape = random.choice(("nodes { %s }", "edges { node { %s } cursor }", "nodes { %s } pageInfo { endCursor hasNextPage }"))
        first = random.choice((1, 3, 6, 10))
        lists.append(f'l{number}: collection(key: "notes") {{ records(first: {first}) {{ {shape % parts} }} }}')
    selected = f'connection(by: {{ integrationKey: "notes" }}) {{ {" ".join(lists)} }}'
    operation = f"query {name}($yes: Boolean = {random.choice(('true', 'false'))}) {{ __typename @skip(if: $yes) {selected} }}"
    return " ".join([operation, *(text for fragment, text in FRAGMENTS.items() if f"...{fragment}" in operation)])


def page(random: Random, *, start: int) -> list[dict[str, object]]:
    ids = (random.choice((number, str(number), f"k{number}")) for number in range(start, start + 6))
    return [{"id": each, **{name: random.choice(VALUES) for name in FIELDS if random.random() < 0.8}} for each in ids]


def answers(random: Random) -> dict[bool, Answer]:
    """The app's first page, and the second."""
    body = {"items": page(random, start=0), "next": random.choice((None, "more"))} if random.random() < 0.95 else random.choice(FAULTY)
    text = json.dumps(body, indent=random.choice((None, 1)), ensure_ascii=random.random() < 0.5)
    return {
        False: Answer(body=text.encode(), headers={"Content-Type": "application/json"}),
        True: Answer(json={"items": page(random, start=6)}),
    }


async def told(world: World, source: str) -> str:
    """What a document is answered, as it is sent."""
    found = await world.execute(source)
    errors = sorted(json.dumps([error.message, error.path]) for error in found.errors or ())
    return json.dumps([json.loads(encode_json(found.data)), errors])


@pytest.mark.long
@pytest.mark.parametrize(
    "collection",
    [
        {"record": {"id": "${record.id}"}},
        {"record": {"id": "${record.id}", **TOLD}},
        {"record": {"id": "${record.id}", "name": "N ${record.id}"}},
    ],
    ids=["ids", "columns", "expressions"],
)
async def test_whether_pages_are_read_whole_is_not_seen_in_any_answer(sqlite_url: str, collection: dict[str, object]):
    random = Random(7)
    operations = {
        "list": {
            "request": {"path": "/notes"},
            "records": "${body.items}",
            "pagination": {"type": "cursor", "name": "c", "next": "${body.next}"},
        },
        "get": {"request": {"path": "/one/${id}"}, "record": "${body}"},
    }
    fields = {"type": "object", "properties": {"n": {"type": ["string", "integer"], "x-reference": {"collection": "notes"}}}}
    described = {"fields": fields, "universal_data_models": {"tasks": {"fields": MODEL}}, "operations": operations, **collection}
    settings = Settings(database_url=sqlite_url, token_secret="t" * 32, encryption_keys=KEY_RING, **UNLIMITED)
    http = Http(allowed_networks=[ip_network("127.0.0.0/8")])
    async with ScriptedApp() as app, aclosing(http):
        file = ConnectorFile.model_validate(notes_file(app.url, auth={"token": {"type": "none"}}, collection=described))
        connector = DeclarativeConnector(file, http, clock=FakeClock())
        async with open_runtime(settings, connectors=[connector]) as runtime:
            app.answer_with(lambda request: Answer(json={}))
            await integration(runtime)
            acme = await customer(runtime)
            await connection(runtime, acme, parameters=None, credentials={})
            world = World(runtime, acme)
            for _ in range(300):
                pages = answers(random)
                app.answer_with(
                    lambda request, pages=pages: (
                        Answer(json={"id": request.target.rpartition("/")[2], "title": "found"})
                        if request.target.startswith("/one/")
                        else pages["c=more" in request.target]
                    )
                )
                seed = random.random()
                in_part, whole = (document(Random(seed), name=name) for name in (IN_PART, WHOLE))
                assert await told(world, in_part) == await told(world, whole), in_part
