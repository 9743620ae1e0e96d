"""Setting an instance up: asking the app for the collection that it points at, and remembering how that went."""

from collections.abc import Callable

from gateway.errors import GatewayError, InvalidError, NoCollectionSelectedError, UpstreamError
from gateway.models import DataSourceInstance, Pointer, Principal
from gateway.models.json import JsonObject
from gateway.runtime import Runtime
from gateway.services import elements, places, selection
from gateway.services.instance_context import InstanceContext, read_context
from gateway.services.selectors import DataSourceInstanceSelector

Change = Callable[[InstanceContext], None]
"""Sets overrides on the instance of a context; raises before it has changed anything."""


async def run(runtime: Runtime, principal: Principal, context: InstanceContext) -> DataSourceInstance:
    """The instance with the outcome of reading its collection's spec from the app.

    An app that cannot answer makes it SETUP_FAILED, it is not an error of the caller. No transaction is open meanwhile.
    """
    error = await _failure(runtime, principal, context)
    async with runtime.database.write(principal) as session:
        instance = await selection.by_id(session, DataSourceInstance, context.instance.id, field=["input", "by"])
        if instance.revision == context.instance.revision and instance.setup_error != error:
            # A newer revision was set up, or will be, by whoever made it.
            instance.setup_error, instance.updated_at = error, runtime.clock.now()
    return instance


async def changed(
    runtime: Runtime, principal: Principal, by: DataSourceInstanceSelector, change: Change, *, is_dry_run: bool
) -> DataSourceInstance:
    """The instance after a change of its overrides; one that now points elsewhere starts a new generation and is set up anew."""
    if is_dry_run:
        async with runtime.database.read(principal) as session, session.no_autoflush:
            context = await read_context(session, await selection.instance(session, principal, by, field=["input", "by"]))
            _apply(runtime, context, change)
            session.expunge_all()
        return context.instance
    async with runtime.database.write(principal) as session:
        context = await read_context(session, await selection.instance(session, principal, by, field=["input", "by"]))
        is_moved = _apply(runtime, context, change)
        context.instance.updated_at = runtime.clock.now()
    return await run(runtime, principal, context) if is_moved else context.instance


def _apply(runtime: Runtime, context: InstanceContext, change: Change) -> bool:
    """Makes the change and tells whether the instance points elsewhere than before."""
    instance = context.instance
    if instance.archived_at is not None:
        raise InvalidError("The instance is archived. Restore it first.", field=["input", "by"])
    before = context.settings(runtime).pointer
    change(context)
    is_moved = context.settings(runtime).pointer != before
    if is_moved:
        instance.generation += 1
        instance.setup_error = None
    return is_moved


async def _failure(runtime: Runtime, principal: Principal, context: InstanceContext) -> JsonObject | None:
    try:
        pointer: Pointer = elements.pointer_of(runtime, context.settings(runtime), context.integration)
        await places.spec(runtime, principal, connection=context.connection, pointer=pointer)
    except NoCollectionSelectedError:
        return None
    except (InvalidError, UpstreamError) as error:
        return _stored(error)
    return None


def _stored(error: GatewayError) -> JsonObject:
    return {"code": error.code, "message": error.message}
