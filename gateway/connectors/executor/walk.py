"""Reads a list that is made of many: for each value of its partitions, and wherever its drilldowns lead.

The lists are read one after another, deepest first. Where a page stands among them is all in its token; what lies on the way
there is read again, which costs nothing within an operation, and little where the app confirms what it sent before.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Generic, TypeVar

from gateway.connectors.executor.branches import MAX_DEPTH, Frame, Frames, after, as_token, canonical, from_token
from gateway.connectors.executor.calls import Caller
from gateway.connectors.executor.names import Names, asked, holds, kind_of, told, with_defaults
from gateway.connectors.executor.pages import Listed, Listing, read_listing
from gateway.connectors.executor.pagination import fingerprint, resolved
from gateway.connectors.format.operations import ListOperation, Partition
from gateway.connectors.format.requests import Request
from gateway.connectors.schemas import CompiledSchema
from gateway.errors import CursorExpiredError, UpstreamRejectedError, UpstreamResponseError
from gateway.expressions import Template
from gateway.models import JsonObject, JsonSchema, JsonValue, Page, PageRequest
from gateway.udm.coercion import fitted

MAX_DRILLDOWNS = 10_000
"""To how many further lists one page may lead."""

_STEPS_AT_ONCE = 25
# So many empty lists are passed before an empty page says that there is more to come: a read has a deadline.

Item = TypeVar("Item")
ListingOf = Callable[[Names], Listing[Item]]
"""The listing of one of the lists, by its `parameters` and `partition`."""


@dataclass(frozen=True)
class _Branches:
    """A page of what the next level is read for, each with what tells it from others."""

    values: list[JsonValue]
    prints: list[str]
    next_token: JsonValue

    @classmethod
    def of(cls, values: Iterable[JsonValue], *, next_token: JsonValue = None) -> "_Branches":
        kept = list(values)
        return cls(kept, [fingerprint([canonical(value)]) for value in kept], next_token)


class Walk(Generic[Item]):
    """One read of a list that is made of many."""

    def __init__(self, caller: Caller, operation: ListOperation, *, names: Names, schema: JsonSchema, listing_of: ListingOf[Item]) -> None:
        self._caller = caller
        self._operation = operation
        self._names = names
        self._schema = schema
        self._listing_of = listing_of
        self._size = 1
        self._read_already: dict[str, Listed[Item] | _Branches] = {}

    async def page(self, request: PageRequest) -> Page[Item]:
        """The next page that holds something; an empty one with a token where many lists in a row hold nothing.

        Raises CursorExpiredError for a token of other lists, and UpstreamResponseError where drilldowns lead in circles or too deep.
        """
        self._size = request.size
        frames, steps = self._start(request.token)
        items: tuple[Item, ...] = ()
        for _ in range(_STEPS_AT_ONCE):
            items, frames = await self._step(frames)
            steps += 1
            if items or not frames:
                break
        # On to the next list, as far as the way is known: so the last page of the last list is seen to be the last.
        while items and frames and self._is_free(frames):
            _, frames = await self._step(frames)
            steps += 1
            # Nothing is waited for, and there may be thousands: everybody else gets their turn in between.
            await asyncio.sleep(0)
        return Page(items=items, next_token=as_token(frames, steps=steps) if frames else None)

    def _start(self, token: JsonValue) -> tuple[Frames, int]:
        if token is None:
            return (Frame(),), 0
        partitions = len(self._operation.partitions)
        frames, steps = from_token(token, partitions=partitions, has_drilldowns=self._operation.drilldowns is not None)
        for frame in frames[partitions + 1 :]:
            if self._fault(frame.parameters or {}) is not None:
                raise CursorExpiredError("The cursor does not fit the collection's parameters (any more). Start again from the first page.")
        return frames, steps

    async def _step(self, frames: Frames) -> tuple[tuple[Item, ...], Frames]:
        """The items of the innermost level, where that is a list that was not read yet, and the way on."""
        level = len(frames) - 1
        names = await self._names_at(frames)
        if names is None:
            return (), await self._without_lost_branch(frames)
        *outer, top = frames
        if level < len(self._operation.partitions):
            branches = await self._partition(frames, names)
            return (), self._into_next(frames, branches, child=lambda _: Frame())
        listed = await self._list(frames, names)
        drilldowns = self._drilldowns(frames, listed)
        if top.index is None:
            return listed.items, (*outer, replace(top, index=0)) if drilldowns.values else after(frames, listed.next_token)
        return (), self._into_next(frames, drilldowns, child=lambda value: self._drilled(frames, value))

    def _into_next(self, frames: Frames, branches: _Branches, *, child: Callable[[JsonValue], Frame]) -> Frames:
        *outer, top = frames
        position = top.position(branches.prints)
        if position >= len(branches.values):
            return after(frames, branches.next_token)
        under_way = replace(top, index=position, print=branches.prints[position], is_done=False)
        return (*outer, under_way, child(branches.values[position]))

    async def _names_at(self, frames: Frames) -> Names | None:
        """The names of the innermost level; null when one of the partition's values on the way there is gone."""
        partition: JsonObject = {}
        names = {**self._names, "partition": partition}
        for level, described in enumerate(self._operation.partitions[: len(frames) - 1]):
            branches = await self._partition(frames[: level + 1], names)
            found = frames[level].found(branches.prints)
            if found is None:
                return None
            partition = {**partition, described.as_: branches.values[found]}
            names = {**names, "partition": partition}
        return {**names, "parameters": self._parameters_at(frames)}

    async def _without_lost_branch(self, frames: Frames) -> Frames:
        for level in range(1, len(frames)):
            if await self._names_at(frames[: level + 1]) is None:
                return frames[:level]
        return frames

    def _parameters_at(self, frames: Frames) -> JsonObject:
        own = frames[-1].parameters
        if own is not None:
            return own
        given = self._names["parameters"]
        return given if isinstance(given, dict) else {}

    async def _partition(self, frames: Frames, names: Names) -> _Branches:
        key = self._key(frames)
        known = self._read_already.get(key)
        if isinstance(known, _Branches):
            return known
        described = self._operation.partitions[len(frames) - 1]
        values, next_token = await self._values(described, frames[-1].page, names)
        if described.batch is not None:
            values = [values[start : start + described.batch] for start in range(0, len(values), described.batch)]
        branches = self._read_already[key] = _Branches.of(values, next_token=next_token)
        return branches

    async def _values(self, described: Partition, token: JsonValue, names: Names) -> tuple[list[JsonValue], JsonValue]:
        if described.request is None or described.items is None:
            return self._given(described, names), None
        listed = await self._listed_branches(described, described.request, described.items, token, names)
        return list(listed.items), listed.next_token

    async def _listed_branches(
        self, described: Partition, request: Request, items: Template, token: JsonValue, names: Names
    ) -> Listed[JsonValue]:
        listing = Listing[JsonValue](
            request=request,
            pagination=described.pagination,
            items=items,
            names=names,
            where=described.where,
            read=lambda item, _: item,
            identify=canonical,
        )
        size = resolved(described.pagination, self._caller.file.pagination).size.max
        return await read_listing(self._caller, listing, PageRequest(size=size, token=token))

    def _given(self, described: Partition, names: Names) -> list[JsonValue]:
        seen = {**self._caller.names, **names}
        values = asked(described.values, seen, what=f"Partition {described.as_!r}") if described.values is not None else None
        if not isinstance(values, list):
            raise UpstreamRejectedError(f"The list cannot be read: partition {described.as_!r} is {kind_of(values)}, not a list of values.")
        where = described.where
        what = f"Whether a value belongs to partition {described.as_!r}"
        return [value for value in values if where is None or holds(where, {**seen, "item": value}, what=what)]

    async def _list(self, frames: Frames, names: Names) -> Listed[Item]:
        key = self._key(frames)
        known = self._read_already.get(key)
        if not isinstance(known, Listed):
            known = await read_listing(self._caller, self._listing_of(names), PageRequest(size=self._size, token=frames[-1].page))
            self._read_already[key] = known
        return known

    def _drilldowns(self, frames: Frames, listed: Listed[Item]) -> _Branches:
        """Where the page leads, as the parameters of the lists there."""
        template = self._operation.drilldowns
        found = told(template, listed.names, what="The drilldowns") if template is not None and listed.names else None
        if found is None:
            return _Branches.of((), next_token=listed.next_token)
        if not isinstance(found, list):
            raise UpstreamResponseError(f"The drilldowns are {kind_of(found)}, where the connector expects a list.")
        if len(found) > MAX_DRILLDOWNS:
            raise UpstreamResponseError(f"A page leads to {len(found)} further lists, more than the {MAX_DRILLDOWNS} that are read.")
        around = self._parameters_at(frames)
        return _Branches.of((self._led_to(drilldown, around) for drilldown in found), next_token=listed.next_token)

    def _led_to(self, drilldown: JsonValue, around: JsonObject) -> JsonObject:
        given = drilldown.get("parameters") if isinstance(drilldown, dict) else None
        if not isinstance(given, dict):
            raise UpstreamResponseError(f"A drilldown is {kind_of(drilldown)} without `parameters`.")
        merged = {name: value for name, value in {**around, **given}.items() if value is not None}
        parameters = fitted(with_defaults(self._schema, merged), self._schema)
        fault = self._fault(parameters)
        if not isinstance(parameters, dict) or fault is not None:
            raise UpstreamResponseError(f"A drilldown leads to parameters that the collection does not take: {fault}")
        return parameters

    def _drilled(self, frames: Frames, parameters: JsonValue) -> Frame:
        lists = frames[len(self._operation.partitions) :]
        if len(lists) > MAX_DEPTH:
            raise UpstreamResponseError(f"The drilldowns of the list nest deeper than {MAX_DEPTH} levels.")
        on_the_way = [self._parameters_at((frame,)) for frame in lists]
        if parameters in on_the_way:
            raise UpstreamResponseError("The drilldowns of the list lead in a circle: it would never end.")
        return Frame(parameters=parameters if isinstance(parameters, dict) else {})

    def _fault(self, parameters: JsonValue) -> str | None:
        return next((violation.message for violation in self._compiled.violations(parameters)), None)

    @cached_property
    def _compiled(self) -> CompiledSchema:
        return CompiledSchema.compile(self._schema, at="parameters")

    def _is_free(self, frames: Frames) -> bool:
        """Whether the next step leads on among branches, and asks the app nothing."""
        level, partitions = len(frames) - 1, self._operation.partitions
        if level < len(partitions):
            return partitions[level].values is not None or self._key(frames) in self._read_already
        return frames[-1].index is not None and self._key(frames) in self._read_already

    def _key(self, frames: Frames) -> str:
        *outer, top = frames
        way: JsonValue = [[frame.page, frame.print, frame.parameters] for frame in outer]
        return canonical([way, top.page, top.parameters])
