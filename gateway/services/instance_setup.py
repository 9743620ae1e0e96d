"""Setting an instance up: asking the app for the collection that it points at, and remembering how that went."""

from collections.abc import Callable

from gateway.errors import (
    ConfigurationError,
    ConflictError,
    InvalidError,
    LimitError,
    NoCollectionSelectedError,
    UpstreamAuthError,
    UpstreamError,
    UserError,
)
from gateway.models import DataSourceInstance, Principal
from gateway.models.json import JsonObject
from gateway.runtime import Runtime
from gateway.services import elements, places, selection, sync_requests
from gateway.services.instance_context import InstanceContext, read_context
from gateway.services.selectors import DataSourceInstanceSelector

Change = Callable[[InstanceContext], None]
"""Sets overrides on the instance of a context; raises before it has changed anything."""

_BY = ["input", "by"]


async def run(runtime: Runtime, principal: Principal, context: InstanceContext) -> DataSourceInstance:
    """The instance with the outcome of reading its collection's spec from the app.

    An app that cannot answer makes it SETUP_FAILED, it is not an error of the caller. No transaction is open meanwhile.
    """
    failure = await _failure(runtime, principal, context)
    try:
        async with runtime.database.write(principal) as session:
            instance = await selection.by_id(session, DataSourceInstance, context.instance.id, field=_BY)
            if instance.revision == context.instance.revision and instance.setup_error != failure:
                # A newer revision was set up, or will be, by whoever made it.
                instance.setup_error, instance.updated_at = failure, runtime.clock.now()
        return instance
    except ConflictError:
        # It got a newer revision at this moment. What the caller asked for is saved, so that a refusal would be a lie.
        async with runtime.database.read_once(principal) as session:
            return await selection.by_id(session, DataSourceInstance, context.instance.id, field=_BY)


async def changed(
    runtime: Runtime, principal: Principal, by: DataSourceInstanceSelector, change: Change, *, is_dry_run: bool
) -> DataSourceInstance:
    """The instance after a change of its overrides; one that now points elsewhere starts a new generation and is set up anew."""
    if is_dry_run:
        return await _tried(runtime, principal, by, change)
    async with runtime.database.write(principal) as session:
        context = await read_context(session, await selection.instance(session, principal, by, field=_BY))
        is_moved = _apply(runtime, context, change)
        context.instance.updated_at = runtime.clock.now()
        await sync_requests.of_instance(session, runtime, context.instance.id)
    runtime.events.bell.ring()
    return await run(runtime, principal, context) if is_moved else context.instance


async def _tried(runtime: Runtime, principal: Principal, by: DataSourceInstanceSelector, change: Change) -> DataSourceInstance:
    async with runtime.database.read(principal) as session:
        context = await read_context(session, await selection.instance(session, principal, by, field=_BY))
        # Apart from its session the row can be changed, and nothing of that is ever saved.
        session.expunge(context.instance)
    _apply(runtime, context, change)
    return context.instance


def _apply(runtime: Runtime, context: InstanceContext, change: Change) -> bool:
    """Makes the change and tells whether the instance points elsewhere than before."""
    instance = context.instance
    context.require_in_use(field=_BY)
    before = context.settings(runtime).pointer
    change(context)
    is_moved = context.settings(runtime).pointer != before
    if is_moved:
        instance.generation += 1
        instance.setup_error = None
    return is_moved


async def _failure(runtime: Runtime, principal: Principal, context: InstanceContext) -> JsonObject | None:
    """What to remember of the setup: only what cannot be told from the rows at every read, as the state is then."""
    pointer = context.settings(runtime).pointer
    try:
        await places.spec(
            runtime,
            principal,
            connection=context.connection,
            integration=context.integration,
            pointer=elements.pointer_of(runtime, context.settings(runtime), context.integration),
        )
    except (NoCollectionSelectedError, InvalidError, UpstreamAuthError):
        # No collection, a wrong one, or a connection that cannot be used: refused credentials are remembered there.
        return None
    except (UserError, UpstreamError, LimitError, ConfigurationError) as error:
        return {"code": error.code, "message": error.message, "pointer": pointer.as_json() if pointer is not None else None}
    return None
