"""What a customer enters to connect, checked against the connector before the app is asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.errors import InvalidError
from gateway.models import AuthMethod, ConnectorSpec, Integration, JsonObject, JsonSchema
from gateway.runtime import Runtime
from gateway.services import checks, elements, pointers


@dataclass(frozen=True, kw_only=True)
class ConnectionInputs:
    """Valid parameters and credentials, with the schema's defaults filled in. Its `repr` shows no credential."""

    parameters: JsonObject
    auth_method: str
    credentials: JsonObject = field(repr=False)


def read(
    runtime: Runtime,
    integration: Integration,
    *,
    parameters: JsonObject | None,
    auth_method: str | None,
    credentials: JsonObject | None,
) -> ConnectionInputs:
    """The inputs of a connection to an integration. Raises InvalidError that never tells what a credential holds."""
    errors = elements.integration_errors(runtime, integration)
    if errors:
        raise InvalidError(errors[0].message, field=["input", "integrationKey"])
    spec = runtime.connectors[integration.connector_key].spec
    method = _method(spec, auth_method)
    return ConnectionInputs(
        parameters=_valid(spec.connection_schema, parameters, name="parameters"),
        auth_method=method.key,
        credentials=_valid(method.credentials_schema, credentials, name="credentials", is_secret=True),
    )


def _method(spec: ConnectorSpec, key: str | None) -> AuthMethod:
    if key is None and len(spec.auth_methods) == 1:
        return spec.auth_methods[0]
    method = spec.auth_method(key) if key is not None else None
    if method is None:
        known = ", ".join(repr(method.key) for method in spec.auth_methods)
        problem = "Choose an auth method" if key is None else f"There is no auth method {key[:100]!r}"
        raise InvalidError(f"{problem}. {spec.name} offers {known}.", field=["input", "authMethod"])
    return method


def _valid(schema: JsonSchema, given: object, *, name: str, is_secret: bool = False) -> JsonObject:
    path: Sequence[str] = ["input", name]
    value = _with_defaults(schema, checks.json_object(given, field=path))
    problems = pointers.violations(schema, value, is_secret=is_secret)
    if problems:
        raise InvalidError(f"The {name} are not valid: {'; '.join(problems)}.", field=path)
    return value


def _with_defaults(schema: JsonSchema, value: JsonObject) -> JsonObject:
    properties = schema.get("properties", {})
    defaults = {name: part["default"] for name, part in properties.items() if isinstance(part, dict) and "default" in part}
    return {**defaults, **value}
