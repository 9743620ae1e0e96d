"""What the expressions of a connector file see, and how their failures are told."""

from collections.abc import Mapping

from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.protocol import Access
from gateway.connectors.schemas import property_defaults
from gateway.errors import UpstreamError, UpstreamRejectedError, UpstreamResponseError
from gateway.expressions import Expression, ExpressionError, Template
from gateway.models import JsonObject, JsonSchema, JsonValue

Names = Mapping[str, JsonValue]
"""The names of expressions, such as `connection`, `parameters` and `body`, with their values."""


def asked(template: Template, names: Names, *, what: str) -> JsonValue:
    """A value of a request. Raises UpstreamRejectedError: the request cannot be made."""
    return _rendered(template, names, what=what, fault=UpstreamRejectedError)


def told(template: Template, names: Names, *, what: str) -> JsonValue:
    """A value of an answer. Raises UpstreamResponseError: the answer is not what the connector expects."""
    return _rendered(template, names, what=what, fault=UpstreamResponseError)


def holds(condition: Expression, names: Names, *, what: str) -> bool:
    """Whether a condition on an answer holds. Raises UpstreamResponseError when the answer does not allow to tell."""
    try:
        return condition.holds(names)
    except ExpressionError as error:
        raise UpstreamResponseError(f"{what} cannot be told from the answer: {error}.") from error


def with_defaults(schema: JsonSchema, values: Mapping[str, JsonValue]) -> JsonObject:
    """The values, and the schema's defaults for those that are not given."""
    return {**property_defaults(schema), **values}


def shared_names(file: ConnectorFile, access: Access) -> JsonObject:
    """What every expression of a connector sees: the parameters of the connection and of the integration, with their defaults."""
    return {
        "connection": {**file.connection.defaults, **access.parameters},
        "integration": {**file.integration.defaults, **access.integration_parameters},
    }


def properties(schema: JsonSchema) -> JsonObject:
    """The schema's properties; none where it names none."""
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def kind_of(value: JsonValue) -> str:
    """What a value is, for messages, which show no values of answers."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "an object"


def _rendered(template: Template, names: Names, *, what: str, fault: type[UpstreamError]) -> JsonValue:
    try:
        return template.render(names)
    except ExpressionError as error:
        raise fault(f"{what} cannot be told: {error}.") from error
