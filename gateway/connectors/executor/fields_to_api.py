"""The fields of a creation or an update as the app takes them."""

from gateway.connectors.executor.names import Names, asked, kind_of
from gateway.connectors.format.collections import Collection
from gateway.errors import UpstreamRejectedError
from gateway.expressions import Template
from gateway.models import JsonObject

_FIELDS = "fields"


class FieldsToApi:
    """Makes the app's fields of those that a caller gives, by `to_api` of a collection."""

    def __init__(self, collection: Collection) -> None:
        self._whole = collection.to_api
        source = collection.to_api.source if collection.to_api is not None else None
        self._members = {name: Template.compile(value) for name, value in source.items()} if isinstance(source, dict) else None

    def of(self, fields: JsonObject, *, names: Names) -> JsonObject:
        """The app's fields. Of a mapping, a field that is made of fields which are not given is left out: an update must not clear it."""
        if self._whole is None:
            return fields
        seen = {**names, _FIELDS: fields}
        if self._members is not None:
            given = {name: template for name, template in self._members.items() if _is_given(template, fields)}
            return {name: asked(template, seen, what=f"Field {name!r}") for name, template in given.items()}
        made = asked(self._whole, seen, what="The fields")
        if not isinstance(made, dict):
            raise UpstreamRejectedError(f"The fields become {kind_of(made)} by `to_api` of the connector, not an object.")
        return made


def _is_given(template: Template, fields: JsonObject) -> bool:
    """Whether the template reads a field that is given, all of them at once, or none at all."""
    read = [path[1] if len(path) > 1 else None for path in template.paths if path[0] == _FIELDS]
    return not read or any(name is None or name in fields for name in read)
