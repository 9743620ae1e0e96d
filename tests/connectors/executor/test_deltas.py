"""Reading what changed: since a token that the app gave out."""

import pytest

from gateway.errors import CursorExpiredError, UpstreamRejectedError, UpstreamResponseError
from gateway.models import Change, PageRequest, Pointer, Since
from gateway.testing import Answer

NOTES = Pointer("notes")
ALL = Since()
DELTA = {
    "request": {"path": "/changes", "query": {"since": "${since.token}"}},
    "pagination": {"type": "cursor", "name": "after", "next": "${body.more}"},
    "token": "${body.sync}",
}
DELETED = {"when": "item.gone", "id": "${item.id}"}


async def changes(connector, access, since=ALL, *, token=None):
    return await connector.changes(access, NOTES, since, PageRequest(size=2, token=token))


def synced(**delta):
    return {"sync": {"delta": {**DELTA, **delta}, "deleted": DELETED}}


async def test_the_last_page_tells_the_token_for_the_next_reading(app, connector, access):
    app.answer(json={"items": [{"id": 1}], "more": "p2", "sync": "early"})
    app.answer(json={"items": [{"id": 2, "gone": True}], "sync": "t9"})
    notes = connector(collection=synced())

    first = await changes(notes, access, Since(delta_token="t1"))
    last = await changes(notes, access, Since(delta_token="t1"), token=first.next_token)

    assert [request.query for request in app.requests] == [{"since": "t1"}, {"since": "t1", "after": "p2"}]
    assert (first.delta_token, last.next_token, last.delta_token) == (None, None, "t9")
    assert last.changes == (Change(external_id="2"),)


async def test_the_first_page_may_tell_it(app, connector, access):
    app.answer(json={"items": [{"id": 1}], "more": "p2"}, headers={"ETag": '"77"'})
    app.answer(json={"items": [{"id": 2}]}, headers={"ETag": '"99"'})
    notes = connector(collection=synced(told_on="first_page", token="${headers.etag}"))

    first = await changes(notes, access)
    last = await changes(notes, access, token=first.next_token)

    assert app.requests[0].query == {}
    assert (first.delta_token, last.delta_token) == ('"77"', None)


async def test_a_token_may_be_the_whole_address_to_ask(app, connector, access):
    app.answer(json={"items": [{"id": 1}], "sync": f"{app.url}/changes/from/5?size=9"})
    app.answer(json={"items": [], "sync": "/changes/from/6"})
    app.answer(json={"items": [], "sync": "/changes/from/6"})
    notes = connector(collection=synced(is_address=True, request={"path": "/changes"}))

    tokens = [(await changes(notes, access)).delta_token]
    for _ in range(2):
        tokens.append((await changes(notes, access, Since(delta_token=tokens[-1]))).delta_token)

    assert [request.target for request in app.requests] == ["/changes", "/changes/from/5?size=9", "/changes/from/6"]
    # Without the app's own origin: a server that moves keeps its tokens.
    assert tokens == ["/changes/from/5?size=9", "/changes/from/6", "/changes/from/6"]


async def test_an_address_leads_nowhere_but_to_the_app(app, other_app, connector, access):
    app.answer(json={"items": [], "sync": f"{other_app.url}/changes"})
    notes = connector(collection=synced(is_address=True))

    with pytest.raises(UpstreamResponseError, match="leads to another host"):
        await changes(notes, access)
    with pytest.raises(UpstreamResponseError, match="leads to another host"):
        await changes(notes, access, Since(delta_token=f"{other_app.url}/changes"))
    assert other_app.requests == []


@pytest.mark.parametrize(
    "told",
    [
        Answer(status=410, json={}),
        Answer(status=404, json={}),
        Answer(status=400, json={"code": "old"}),
        Answer(json={"items": [], "sync": "t2", "reset": True}),
        Answer(json={"reset": True}),
    ],
    ids=["410", "404", "a rule of the file", "an answer of success", "one without items"],
)
async def test_a_token_that_the_app_no_longer_knows_is_told_as_such(app, connector, access, told):
    app.answer(told)
    rules = {"errors": [{"when": {"body": "body.code == 'old'"}, "action": "gone"}]}
    notes = connector(collection=synced(gone="body.reset"), http=rules)

    with pytest.raises(CursorExpiredError, match="The app no longer knows the token"):
        await changes(notes, access, Since(delta_token="t1"))


@pytest.mark.parametrize("status", [404, 410])
async def test_a_collection_that_was_never_read_is_told_as_missing(app, connector, access, status):
    app.answer(status=status, json={})

    with pytest.raises(UpstreamRejectedError) as caught:
        await changes(connector(collection=synced()), access)
    assert caught.value.status == status


@pytest.mark.parametrize("given", [None, "", False, "x" * 70_000], ids=["null", "empty", "false", "very long"])
async def test_an_app_that_gives_no_token_is_at_fault(app, connector, access, given):
    app.answer(json={"items": [], "sync": given})

    with pytest.raises(UpstreamResponseError, match="to read later changes from"):
        await changes(connector(collection=synced()), access)


@pytest.mark.parametrize("given", [7, {"url": "/a"}, ["/a"]])
async def test_an_address_that_is_none_is_the_apps_fault(app, connector, access, given):
    app.answer(json={"items": [], "sync": given})

    with pytest.raises(UpstreamResponseError, match="where an address is expected"):
        await changes(connector(collection=synced(is_address=True)), access)


@pytest.mark.parametrize("kept", [7, {"url": "/a"}])
async def test_a_kept_token_that_is_no_address_is_no_longer_known(app, connector, access, kept):
    with pytest.raises(CursorExpiredError):
        await changes(connector(collection=synced(is_address=True)), access, Since(delta_token=kept))
    assert app.requests == []


async def test_an_answer_that_stands_for_nothing_keeps_the_token(app, connector, access):
    app.answer(status=409, json={})
    rules = {"errors": [{"when": {"status": [409]}, "action": "empty"}]}

    page = await changes(connector(collection=synced(), http=rules), access, Since(delta_token="t1"))

    assert (page.changes, page.next_token, page.delta_token) == ((), None, "t1")


async def test_a_token_may_be_any_json_and_is_given_back_as_it_came(app, connector, access):
    token = {"shard": [1, 2], "at": "x"}
    app.answer(json={"items": [], "sync": token})
    app.answer(json={"items": [], "sync": token})
    notes = connector(collection=synced(request={"method": "POST", "read": True, "path": "/changes", "json": {"from": "${since.token}"}}))

    first = await changes(notes, access)
    await changes(notes, access, Since(delta_token=first.delta_token))

    assert [request.json() for request in app.requests] == [{"from": None}, {"from": token}]
