"""However alike they ask: everybody is told what they would be told if they were alone."""

import asyncio
import json
from contextlib import aclosing
from functools import partial
from itertools import product
from uuid import UUID

import pytest
from strawberry.http import GraphQLRequestData

from gateway.graphql.operations import Operations
from gateway.models import Principal
from gateway.models.principal import ANONYMOUS
from gateway.web.streaming import Subscriptions
from tests.support.documents import documents_of
from tests.web.serving import Context
from tests.web.streams import STREAMS, fresh_log

ACME, GLOBEX = (UUID(int=number) for number in (1, 2))
PRINCIPALS = (
    ANONYMOUS,
    Principal(customer_id=ACME),
    Principal(customer_id=GLOBEX),
    Principal(customer_id=ACME, is_admin=True),
    Principal(is_admin=True),
)
FIELDS = "number who times(factor: $factor)"
DOCUMENTS = (
    f"subscription($factor: Int = 2) {{ changes {{ {FIELDS} }} }}",
    f"subscription($factor: Int = 3) {{ changes {{ {FIELDS} }} }}",
    f"subscription($factor: Int = 2) {{ changes {{ {FIELDS} cursor @include(if: true) }} }}",
    f"subscription($factor: Int = 2, $with: Boolean = true) {{ changes {{ {FIELDS} cursor @include(if: $with) }} }}",
    f"subscription($factor: Int = 2, $with: Boolean = true) {{ changes {{ {FIELDS} ...c @skip(if: $with) }} }}"
    " fragment c on Changes { cursor }",
    f"subscription($factor: Int = 2, $with: Boolean = true) {{ changes {{ ... @skip(if: $with) {{ ...c }} {FIELDS} }} }}"
    " fragment c on Changes { cursor }",
    f"subscription($factor: Int = 2) {{ ... {{ changes {{ ...a }} }} }}"
    f" fragment a on Changes {{ ...b }} fragment b on Changes {{ {FIELDS} }}",
    f'subscription($factor: Int = 2, $after: String! = "0") {{ changes(after: $after) {{ {FIELDS} echoed: echo(text: $after) }} }}',
    f'subscription($factor: Int = 2, $who: String! = "me") {{ renamed: changes(who: $who) {{ {FIELDS} }} }}',
    f"subscription A($factor: Int = 2) {{ changes {{ {FIELDS} }} }}"
    " subscription B($factor: Int = 2) { changes { times(factor: $factor) } }",
)
VARIABLES = (
    {},
    {"factor": None},
    {"factor": 5},
    {"factor": 2},
    {"factor": -5},
    {"with": False},
    {"with": True, "factor": 5},
    {"after": "00"},
    {"who": "you"},
)
NAMES = (None, "A", "B")


@pytest.fixture
def log():
    return fresh_log()


async def first_frame(subscriptions, query, variables, name, principal):
    subscription = subscriptions.subscription(GraphQLRequestData(query, variables, name, None), principal)
    if subscription is None:
        return None
    async with aclosing(subscription.frames()) as frames:
        return await anext(frames)


async def test_whoever_asks_is_told_what_they_would_be_told_alone(runtime, log):
    await log.append()
    askings = [
        (query, variables, name, principal)
        for query, variables, name, principal in product(DOCUMENTS, VARIABLES, NAMES, PRINCIPALS)
        if (name is not None) == ("subscription A" in query)
    ]
    documents, make_context = documents_of(STREAMS), partial(Context, runtime)
    shared, alone = Subscriptions(Operations(STREAMS), documents=documents, make_context=make_context), []
    for asking in askings:
        one = Subscriptions(Operations(STREAMS), documents=documents, make_context=make_context)
        alone.append(await first_frame(one, *asking))
        log.batches[0].results.clear()
    log.answers.clear()
    together = await asyncio.gather(*(first_frame(shared, *asking) for asking in askings for _ in range(2)))

    assert together[::2] == together[1::2] == alone
    told = [json.loads(frame.text)["data"] for frame in alone]
    assert all(data is not None for data in told)
    assert len({frame.text for frame in alone}) > len(PRINCIPALS) * 8
    assert log.answers[1] < len(askings), "nobody shared anything"
