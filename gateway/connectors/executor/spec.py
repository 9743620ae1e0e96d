"""What a connector file says of its app, in the gateway's own words."""

from collections.abc import Iterator, Sequence

from gateway.connectors.format.auth import ApiKeyAuth, Auth, HttpBasicAuth, HttpBearerAuth
from gateway.connectors.format.collections import Collection
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.locations import CollectionEntry, Entry
from gateway.expressions import ExpressionError
from gateway.models import AuthMethod, AuthType, CollectionOperation, CollectionSpec, ConnectorSpec, JsonObject, Pointer


def spec_of(file: ConnectorFile) -> ConnectorSpec:
    """All that a connector file promises without asking any app."""
    return ConnectorSpec(
        key=file.key,
        name=file.name,
        version=file.version,
        description=file.description,
        categories=file.categories,
        logo_url=file.logo_url,
        integration_schema=file.integration.parameters_schema,
        connection_schema=file.connection.parameters_schema,
        auth_methods=tuple(_auth_method(key, method) for key, method in file.auth.items()),
        collections=tuple(collection_spec(key, collection) for key, collection in file.collections.items()),
        default_collections=_default_collections(file),
    )


def collection_spec(key: str, collection: Collection) -> CollectionSpec:
    """What a collection promises without asking any app."""
    return CollectionSpec(
        key=key,
        name=collection.name,
        description=collection.description,
        fields_schema=collection.fields,
        parameters_schema=collection.parameters,
        operations=(CollectionOperation.LIST,) if collection.operations.list is not None else (),
        universal_data_models=tuple(collection.universal_data_models),
        has_custom_fields=collection.dynamic_fields is not None,
    )


def _auth_method(key: str, method: Auth) -> AuthMethod:
    return AuthMethod(key=key, name=method.name or key, type=_auth_type(method), credentials_schema=method.credentials)


def _auth_type(method: Auth) -> AuthType:
    if isinstance(method, ApiKeyAuth):
        return AuthType.API_KEY
    if isinstance(method, HttpBasicAuth):
        return AuthType.HTTP_BASIC
    return AuthType.HTTP_BEARER if isinstance(method, HttpBearerAuth) else AuthType.NONE


def _default_collections(file: ConnectorFile) -> dict[str, Pointer]:
    """The explicit ones, and for each other model the first collection of the tree that stands there whatever the app holds."""
    defaults = {model: Pointer(default.collection, dict(default.parameters)) for model, default in file.default_collections.items()}
    for pointer in _static_collections(file.locations, {}):
        for model in file.collections[pointer.key].universal_data_models:
            defaults.setdefault(model, pointer)
    return defaults


def _static_collections(entries: Sequence[Entry], parameters: JsonObject) -> Iterator[Pointer]:
    for entry in entries:
        own = _constant_parameters(entry, parameters)
        if own is None:
            continue
        if isinstance(entry, CollectionEntry):
            yield Pointer(entry.collection, own)
        else:
            yield from _static_collections(entry.locations, own)


def _constant_parameters(entry: Entry, parameters: JsonObject) -> JsonObject | None:
    if entry.list is not None or any(not value.names <= {"parameters"} for value in entry.parameters.values()):
        return None
    try:
        return {name: value.render({"parameters": parameters}) for name, value in entry.parameters.items()}
    except ExpressionError:
        return None
