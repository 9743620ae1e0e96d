"""Reads what changed since a token that the app gave out."""

import json

from gateway.connectors.executor.calls import Caller
from gateway.connectors.executor.change_items import ChangeItem, ChangeReader
from gateway.connectors.executor.lists import Asking, asking
from gateway.connectors.executor.names import Names, holds, kind_of, told
from gateway.connectors.executor.pages import Listed, Listing, address_of, address_token, read_listing
from gateway.connectors.format.collections import Collection
from gateway.connectors.format.sync import Delta, Sync
from gateway.connectors.http import WebAddress
from gateway.errors import CursorExpiredError, UnsupportedError, UpstreamRejectedError, UpstreamResponseError
from gateway.models import ChangePage, JsonValue, PageRequest, RecordQuery, Since

_GONE = (404, 410)
# A collection that is not there may be there again later, made anew: then its app knows nothing of what was told before.
_MAX_TOKEN_CHARACTERS = 65_536


async def page_of_delta(
    caller: Caller, collection: Collection, sync: Sync, delta: Delta, *, names: Names, since: Since, page: PageRequest
) -> ChangePage:
    """One page of what changed since the token; without one, of every record there is.

    Raises CursorExpiredError when the app no longer knows the token.
    """
    listing = _listing(caller, collection, sync, delta, names={**names, "since": {"token": since.delta_token}}, token=since.delta_token)
    try:
        listed = await read_listing(caller, listing, page)
    except UpstreamRejectedError as error:
        if since.delta_token is None or error.status not in _GONE:
            raise
        raise _expired() from None
    changes = tuple(item.change for item in listed.items if item.change is not None)
    is_told = page.token is None if delta.told_on == "first_page" else listed.next_token is None
    token = _token(caller, delta, listed, before=since.delta_token) if is_told else None
    return ChangePage(changes=changes, next_token=listed.next_token, delta_token=token)


def _listing(caller: Caller, collection: Collection, sync: Sync, delta: Delta, *, names: Names, token: JsonValue) -> Listing[ChangeItem]:
    listing = collection.operations.list
    request = delta.request or (listing.request if listing is not None else None)
    records = delta.records or (listing.records if listing is not None else None)
    pagination = delta.pagination or (listing.pagination if listing is not None else "none")
    if request is None or records is None:
        raise UnsupportedError(f"The file does not say where the records of {collection.name} stand.")
    where = delta.where if delta.request is not None or listing is None else listing.where
    told_of = Asking(names=names, query={})
    if delta.request is None and listing is not None:
        told_of = asking(caller, listing, RecordQuery(), names=names)
    seen = {**caller.names, **names}
    reader = ChangeReader(collection, names=seen, where=where, deleted=sync.deleted, cursor=lambda *_: None)
    return Listing(
        request=request,
        pagination=pagination,
        items=records,
        read=reader.read,
        identify=lambda item: item.print,
        address=_address(caller, delta, token),
        check=lambda answered: _require_known(delta, token, answered),
        **told_of,
    )


def _address(caller: Caller, delta: Delta, token: JsonValue) -> WebAddress | None:
    if not delta.is_address or token is None:
        return None
    if not isinstance(token, str):
        raise _expired()
    return address_of(caller, token, what="The delta token")


def _require_known(delta: Delta, token: JsonValue, names: Names) -> None:
    if token is not None and delta.gone is not None and holds(delta.gone, names, what="Whether the delta token is known"):
        raise _expired()


def _token(caller: Caller, delta: Delta, listed: Listed[ChangeItem], *, before: JsonValue) -> JsonValue:
    """The token for the next reading: the same as before where the app's answer stands for nothing."""
    token = told(delta.token, listed.names, what="The token of the next reading") if listed.names else before
    if token is None or token is False or token == "":
        raise UpstreamResponseError("The app gives no token to read later changes from.")
    if len(json.dumps(token)) > _MAX_TOKEN_CHARACTERS:
        raise UpstreamResponseError(f"The app gives a token of more than {_MAX_TOKEN_CHARACTERS} characters to read later changes from.")
    if not delta.is_address:
        return token
    if not isinstance(token, str):
        raise UpstreamResponseError(f"The app gives {kind_of(token)} to read later changes from, where an address is expected.")
    return address_token(caller, token, what="The address of later changes") if listed.names else token


def _expired() -> CursorExpiredError:
    return CursorExpiredError("The app no longer knows the token from which changes are read. Compare the whole list, and start anew.")
