"""What a connector file must satisfy beyond the shape of its parts, all of it told before any app is asked."""

import re
from collections.abc import Iterator

from gateway.connectors.format import places
from gateway.connectors.format.auth_rules import auth_problems
from gateway.connectors.format.collections import Collection
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.exchanges import header_problems, request_problems
from gateway.connectors.format.field_rules import field_problems, reference_problems
from gateway.connectors.format.mapping_rules import mapping_problems
from gateway.connectors.format.operation_rules import operation_problems
from gateway.connectors.format.schema_rules import constant_problems, schema_problems
from gateway.connectors.format.scopes import ANSWER, FIELDS_SCHEMA, RECORD, Scope, keys_of, listed, misuses, selector_problems
from gateway.connectors.format.sync_rules import sync_problems
from gateway.connectors.format.transform_rules import transform_problems
from gateway.connectors.format.webhook_rules import webhook_problems
from gateway.connectors.schemas import writable_secrets
from gateway.documents import Place, Problem
from gateway.udm import MODELS, Models

_HTTP_ADDRESS = re.compile(r"https?://[^/?#\s]+[^?#\s]*")


def problems(file: ConnectorFile, models: Models = MODELS) -> Iterator[Problem]:
    """What is wrong with the file, where there are these universal data models."""
    shared: Scope = {
        "connection": keys_of(file.connection.parameters_schema),
        "integration": keys_of(file.integration.parameters_schema),
    }
    yield from _settings_problems(file)
    yield from _http_problems(file, shared)
    yield from request_problems(("connection", "check", "request"), file.connection.check.request, shared)
    yield from misuses(("connection", "check", "when"), file.connection.check.when, {**shared, **ANSWER})
    for key, method in file.auth.items():
        yield from auth_problems(("auth", key), method, shared)
    for key, collection in file.collections.items():
        yield from _collection_problems(("collections", key), collection, file, shared, models)
    yield from webhook_problems(file, shared)
    yield from places.problems(file, shared)
    yield from _default_problems(file)


def _settings_problems(file: ConnectorFile) -> Iterator[Problem]:
    for part, schema in (("integration", file.integration.parameters_schema), ("connection", file.connection.parameters_schema)):
        yield from schema_problems((part, "schema"), schema)
        for name in sorted(writable_secrets(schema)):
            yield (part, "schema", "properties", name), "secrets belong to the `credentials` of an auth method, not here"
    for name, schema in file.schemas.items():
        yield from schema_problems(("schemas", name), schema, is_object=False)


def _http_problems(file: ConnectorFile, shared: Scope) -> Iterator[Problem]:
    http, base_url = file.http, file.http.base_url
    yield from misuses(("http", "base_url"), base_url, shared)
    if not isinstance(base_url.source, str):
        yield ("http", "base_url"), "the base URL is text"
    elif base_url.is_constant and not _HTTP_ADDRESS.fullmatch(base_url.source):
        yield ("http", "base_url"), f"{base_url.source!r} is not an address such as https://api.example.com/v1"
    for index, host in enumerate(http.allowed_hosts):
        if not re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]+)?", host):
            yield ("http", "allowed_hosts", index), f"{host!r} is not a host such as files.example.com or example.com:8443"
    yield from header_problems(("http", "headers"), http.headers, shared)
    answer: Scope = {**shared, **ANSWER}
    for index, rule in enumerate(http.errors):
        yield from misuses(("http", "errors", index, "when", "body"), rule.when.body, answer)
        yield from misuses(("http", "errors", index, "message"), rule.message, answer)
    yield from misuses(("http", "error_message"), http.error_message, answer)
    yield from misuses(("http", "field_errors"), http.field_errors, answer)


def _collection_problems(place: Place, collection: Collection, file: ConnectorFile, shared: Scope, models: Models) -> Iterator[Problem]:
    yield from schema_problems((*place, "parameters"), collection.parameters)
    scope: Scope = {**shared, "parameters": keys_of(collection.parameters)}
    yield from misuses((*place, "location_name"), collection.location_name, scope)
    if collection.fields is not None:
        yield from schema_problems((*place, "fields"), collection.fields)
    if collection.dynamic_fields is not None:
        yield from request_problems((*place, "dynamic_fields", "request"), collection.dynamic_fields.request, scope)
        yield from misuses((*place, "dynamic_fields", "schema"), collection.dynamic_fields.fields_schema, {**scope, **ANSWER})
    elif collection.fields is None:
        yield place, "the collection needs `fields`, `dynamic_fields` or both, so that callers know what its records hold"
    yield from _record_problems(place, collection, scope)
    yield from operation_problems(place, collection, file, {**scope, **FIELDS_SCHEMA})
    yield from sync_problems(place, collection, file.pagination, {**scope, **FIELDS_SCHEMA})
    yield from field_problems(place, collection)
    yield from reference_problems(place, collection, file.collections)
    yield from mapping_problems(place, collection, models)


def _record_problems(place: Place, collection: Collection, scope: Scope) -> Iterator[Problem]:
    of_record: Scope = {**scope, **RECORD}
    yield from transform_problems((*place, "transforms"), collection.transforms, scope)
    yield from misuses((*place, "record", "id"), collection.record.id, of_record)
    for key in ("name", "url", "version", "created_at", "updated_at"):
        yield from selector_problems((*place, "record", key), getattr(collection.record, key), of_record)
    if "record" not in collection.record.id.names:
        yield (*place, "record", "id"), "the id must be read from `record`, or all records would be one"
    yield from schema_problems((*place, "record", "id_pattern"), collection.record.id_schema, is_object=False)
    yield from misuses((*place, "from_api"), collection.from_api, of_record)


def _default_problems(file: ConnectorFile) -> Iterator[Problem]:
    for model, default in file.default_collections.items():
        place: Place = ("default_collections", model)
        collection = file.collections.get(default.collection)
        if collection is None:
            yield (*place, "collection"), f"there is no collection {default.collection!r}; there are {listed(file.collections)}"
            continue
        if model not in collection.universal_data_models:
            yield place, f"collection {default.collection!r} does not name {model!r} under `universal_data_models`"
        yield from constant_problems((*place, "parameters"), default.parameters, collection.parameters)
