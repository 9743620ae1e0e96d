"""What a connector file says of its app, in the gateway's own words."""

from collections.abc import Iterable, Iterator, Sequence

from gateway.connectors.format.auth import ApiKeyAuth, Auth, HttpBasicAuth, HttpBearerAuth, JwtAuth, NoAuth, SessionAuth
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.locations import CollectionEntry, Entry
from gateway.expressions import ExpressionError
from gateway.models import AuthMethod, AuthType, CollectionSpec, ConnectorSpec, JsonObject, Pointer

_AUTH_TYPES: dict[type[Auth], AuthType] = {
    NoAuth: AuthType.NONE,
    ApiKeyAuth: AuthType.API_KEY,
    HttpBasicAuth: AuthType.HTTP_BASIC,
    HttpBearerAuth: AuthType.HTTP_BEARER,
    SessionAuth: AuthType.SESSION,
    JwtAuth: AuthType.CUSTOM,
}


def spec_of(file: ConnectorFile, collections: Iterable[CollectionSpec]) -> ConnectorSpec:
    """All that a connector file, which has these collections, promises without asking any app."""
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
        collections=tuple(collections),
        default_collections=_default_collections(file),
    )


def _auth_method(key: str, method: Auth) -> AuthMethod:
    return AuthMethod(key=key, name=method.name or key, type=_auth_type(method), credentials_schema=method.credentials)


def _auth_type(method: Auth) -> AuthType:
    return _AUTH_TYPES[type(method)]


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
