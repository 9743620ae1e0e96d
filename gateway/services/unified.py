"""Universal data models of records: which one is meant, how it translates, and where records of another one are."""

from collections.abc import Iterator, Sequence
from functools import partial

from sqlalchemy import or_
from sqlmodel import col, select

from gateway.connectors.protocol import Connector
from gateway.errors import InvalidError, NotFoundError, UnsupportedError, UserError
from gateway.models import DataSource, DataSourceInstance, Pointer, Principal
from gateway.runtime import Runtime
from gateway.services import elements, instance_context, record_places
from gateway.services.record_places import RecordPlace
from gateway.udm import Translation, translation


def translation_of(runtime: Runtime, place: RecordPlace, udm: str | None = None) -> Translation:
    """How a place's records translate into a model: `udm`, else the data source's, else the collection's only one.

    Asks nobody. Raises NotFoundError for an unknown model, InvalidError where the model must be named, and UnsupportedError,
    which names the models that can be, where the collection's records cannot be read as this one.
    """
    connector = place.app.connector if place.app is not None else _connector(runtime, place)
    model = udm or place.udm or _only_model(connector, place.pointer)
    found = translation(runtime.udm, model, partial(connector.mapping, place.pointer))
    if found is None:
        if model not in runtime.udm:
            raise NotFoundError(f"There is no universal data model {model[:100]!r}.", field=["udm"])
        models = _models_of(connector, place.pointer)
        can = f"They can as {', '.join(models)}." if models else "They can as no model."
        raise UnsupportedError(f"Records of collection {place.pointer.key!r} cannot be read or written as {model!r}. {can}", field=["udm"])
    return found


async def model_place(runtime: Runtime, principal: Principal, *, place: RecordPlace, model: str) -> RecordPlace:
    """Where the records of a model are that records at `place` refer to: in the same connection.

    The default instance of a data source of that model, the oldest first; else a definition's collection; else the
    connector's default for the model. Raises UnsupportedError when there is none, or none whose records can be read as the model.
    """
    connector = _connector(runtime, place)
    found = await _of_instances(runtime, principal, place, model)
    found = found or await _of_definitions(runtime, principal, place, model) or _of_connector(runtime, connector, place, model)
    if found is None:
        raise UnsupportedError(
            f"No data source of this connection is of the model {model!r}, and {connector.spec.name} has no collection for it."
        )
    try:
        translation_of(runtime, found, model)
    except UserError as error:
        # Nobody named the model: it is what a field refers to.
        raise type(error)(error.message) from None
    return found


async def _of_instances(runtime: Runtime, principal: Principal, place: RecordPlace, model: str) -> RecordPlace | None:
    statement = select(DataSourceInstance).where(
        DataSourceInstance.connection_id == place.connection.id,
        col(DataSourceInstance.instance_key).is_(None),
        col(DataSourceInstance.archived_at).is_(None),
    )
    async with runtime.database.read(principal) as session:
        instances = (await session.exec(statement.order_by(col(DataSourceInstance.id)))).all()
        contexts = await instance_context.contexts(session, instances)
    for context in contexts:
        if context is not None and context.root.archived_at is None:
            settings = context.settings(runtime)
            if settings.udm == model and settings.pointer is not None:
                return record_places.instance_place(runtime, context)
    return None


async def _of_definitions(runtime: Runtime, principal: Principal, place: RecordPlace, model: str) -> RecordPlace | None:
    integration = place.integration
    statement = select(DataSource).where(
        or_(col(DataSource.integration_id) == integration.id, col(DataSource.integration_id).is_(None)),
        col(DataSource.archived_at).is_(None),
    )
    async with runtime.database.read_once(principal) as session:
        definitions = (await session.exec(statement.order_by(col(DataSource.id)))).all()
    for definition, universal in _in_force(definitions):
        settings = elements.definition_settings(runtime, definition, universal=universal, integration=integration)
        is_explicit = definition.pointer is not None or (universal is not None and universal.pointer is not None)
        if settings.udm == model and is_explicit:
            pointer = elements.pointer_of(runtime, settings, integration)
            return RecordPlace(connection=place.connection, integration=integration, pointer=pointer, udm=model)
    return None


def _of_connector(runtime: Runtime, connector: Connector, place: RecordPlace, model: str) -> RecordPlace | None:
    candidates = (model, *(runtime.udm[model].fallbacks if model in runtime.udm else ()))
    defaults = connector.spec.default_collections
    pointer = next((defaults[key] for key in candidates if key in defaults), None)
    return None if pointer is None else RecordPlace(connection=place.connection, integration=place.integration, pointer=pointer, udm=model)


def _in_force(definitions: Sequence[DataSource]) -> Iterator[tuple[DataSource, DataSource | None]]:
    """The definitions as they apply in the integration: its own first, a universal one only where nothing customises it."""
    by_id = {definition.id: definition for definition in definitions}
    own = [definition for definition in definitions if not definition.is_universal]
    for definition in own:
        if definition.universal_id is None or definition.universal_id in by_id:
            yield definition, by_id.get(definition.universal_id) if definition.universal_id else None
    customized = {definition.universal_id for definition in own}
    yield from ((definition, None) for definition in definitions if definition.is_universal and definition.id not in customized)


def _only_model(connector: Connector, pointer: Pointer) -> str:
    models = _models_of(connector, pointer)
    if len(models) == 1:
        return models[0]
    if models:
        raise InvalidError(f"Name the model (`udm`): records of collection {pointer.key!r} can be {', '.join(models)}.", field=["udm"])
    raise UnsupportedError(f"Records of collection {pointer.key!r} cannot be read or written as any universal data model.", field=["udm"])


def _models_of(connector: Connector, pointer: Pointer) -> tuple[str, ...]:
    """The models that the collection is mapped to."""
    spec = connector.spec.collection(pointer.key)
    return tuple(filter(partial(connector.mapping, pointer), spec.universal_data_models)) if spec is not None else ()


def _connector(runtime: Runtime, place: RecordPlace) -> Connector:
    connector = runtime.connectors.get(place.integration.connector_key)
    if connector is None:
        raise InvalidError(f"Connector {place.integration.connector_key!r} is not installed in this gateway.")
    return connector
