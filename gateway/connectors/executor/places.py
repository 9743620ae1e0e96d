"""Reads locations: those that the file names, and those that only the app knows."""

from gateway.connectors.executor.calls import Caller
from gateway.connectors.executor.locations import LocationTree
from gateway.connectors.executor.names import Names, told, with_defaults
from gateway.connectors.executor.pages import Listing, read_page
from gateway.connectors.format.locations import DirectoryEntry, Entry, LocationList, LocationRead
from gateway.errors import CursorExpiredError, UpstreamRejectedError
from gateway.models import JsonObject, JsonValue, Location, Page, PageRequest, Pointer

_NOT_FOUND = (404, 410)
_SEARCH_PAGE_SIZE = 100


async def page_of_locations(caller: Caller, tree: LocationTree, directory: Pointer, page: PageRequest) -> Page[Location]:
    """What a directory holds: one page of all that the file names, then the pages of each list of the app's."""
    names = _names(tree, directory)
    entries = tree.children(directory.key)
    lists = [(entry, entry.list) for entry in entries if entry.list is not None]
    static = [entry for entry in entries if entry.list is None]
    if page.token is None and (static or not lists):
        items = tuple(tree.location_of(entry, {**caller.names, **names}) for entry in static)
        return Page(items=items, next_token=_token(0) if lists else None)

    index, token = _place(page.token, len(lists))
    entry, listed = lists[index]
    found = await _page_of_list(caller, tree, entry, listed, names=names, page=PageRequest(size=page.size, token=token))
    if found.next_token is not None:
        return Page(items=found.items, next_token=_token(index, found.next_token))
    return Page(items=found.items, next_token=_token(index + 1) if index + 1 < len(lists) else None)


async def one_directory(caller: Caller, tree: LocationTree, pointer: Pointer) -> Location | None:
    """A directory by its pointer; null when the app says that it does not exist. Asks the app only where the file says how or must."""
    entry = tree.directory(pointer.key)
    if entry is None:
        return tree.root
    if entry.read is not None:
        return await _read_directory(caller, tree, entry, entry.read, pointer=pointer)
    names = {**caller.names, **_names(tree, pointer)}
    if entry.list is None:
        return tree.named_directory(entry, pointer, names)
    return tree.known_directory(entry, pointer, names) or await _searched(caller, tree, entry, entry.list, pointer=pointer)


async def _page_of_list(
    caller: Caller, tree: LocationTree, entry: Entry, listed: LocationList, *, names: Names, page: PageRequest
) -> Page[Location]:
    listing = Listing(
        request=listed.request,
        pagination=listed.pagination,
        items=listed.items,
        names=names,
        read=lambda item, _: tree.location_of(entry, {**caller.names, **names, "item": item}),
        identify=lambda location: location.pointer.path,
    )
    return await read_page(caller, listing, page)


async def _read_directory(
    caller: Caller, tree: LocationTree, entry: DirectoryEntry, read: LocationRead, *, pointer: Pointer
) -> Location | None:
    names = _names(tree, pointer)
    try:
        answer = await caller.ask(read.request, names=names)
    except UpstreamRejectedError as error:
        if error.status in _NOT_FOUND:
            return None
        raise
    seen = {**caller.names, **names, **answer.names}
    item = None if answer.is_empty else told(read.item, seen, what=f"Location {pointer.key!r}")
    return tree.named_directory(entry, pointer, {**seen, "item": item}) if item is not None else None


async def _searched(
    caller: Caller, tree: LocationTree, entry: DirectoryEntry, listed: LocationList, *, pointer: Pointer
) -> Location | None:
    """The directory among those that the app lists: there is no shorter way to its name."""
    names = _names(tree, pointer)
    token: JsonValue = None
    while True:
        page = await _page_of_list(caller, tree, entry, listed, names=names, page=PageRequest(size=_SEARCH_PAGE_SIZE, token=token))
        found = next((location for location in page.items if location.pointer == pointer), None)
        if found is not None or page.next_token is None:
            return found
        token = page.next_token


def _names(tree: LocationTree, pointer: Pointer) -> JsonObject:
    return {"parameters": with_defaults(tree.parameters_schema(pointer.key) or {}, pointer.parameters)}


def _token(index: int, page: JsonValue = None) -> JsonObject:
    """Which of the directory's lists to read, and where in it."""
    return {"list": index, "page": page}


def _place(token: JsonValue, lists: int) -> tuple[int, JsonValue]:
    match token:
        case None:
            return 0, None
        case {"list": int(index), "page": page} if 0 <= index < lists:
            return index, page
    raise CursorExpiredError("The cursor does not fit the app's locations (any more). Start again from the first page.")
