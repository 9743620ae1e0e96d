"""Documents that clients name instead of sending: those of the operator's manifest, and those that clients registered by their hash."""

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from gateway.config import LimitSettings
from gateway.connectors.bounded import Bounded
from gateway.errors import AccessDeniedError, ConfigurationError, InvalidError, NotJsonError, PersistedQueryNotFoundError
from gateway.models import JsonValue
from gateway.web.bodies import decode_json

__all__ = ["PersistedDocuments", "read_manifest"]

_REGISTERED_BYTES = 16 * 1024 * 1024
_BYTES_OF_AN_ENTRY = 512
_MAX_MANIFEST_BYTES = 64 * 1024 * 1024
_APOLLO_FORMAT = "apollo-persisted-query-manifest"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class PersistedDocuments:
    """Finds the document of a request.

    `trusted` are those of the manifest, by their ids; with `only_trusted` no other document passes. Else clients may
    register documents, as with Apollo's automatic persisted queries: the last used are kept, in this process.
    """

    def __init__(self, trusted: Mapping[str, str] | None = None, *, only_trusted: bool = False) -> None:
        self._trusted = trusted or {}
        self._allowed = frozenset(self._trusted.values()) if only_trusted else None
        self._registered: Bounded[str] = Bounded(maximum_weight=_REGISTERED_BYTES)

    @classmethod
    def of(cls, settings: LimitSettings) -> "PersistedDocuments":
        """Those of the manifest that the operator named. Raises ConfigurationError."""
        if settings.persisted_documents is not None:
            return cls(read_manifest(settings.persisted_documents), only_trusted=settings.persisted_documents_only)
        if settings.persisted_documents_only:
            raise ConfigurationError("GATEWAY_PERSISTED_DOCUMENTS_ONLY is set, but GATEWAY_PERSISTED_DOCUMENTS names no manifest.")
        return cls()

    def resolved(self, request: Mapping[str, JsonValue]) -> str:
        """The document that a request holds, or names in `documentId` or `extensions.persistedQuery`.

        Raises PersistedQueryNotFoundError for a name that is not known, InvalidError where the request has neither, or a
        hash of something else, and AccessDeniedError for a document that is not trusted where only those pass.
        """
        query = request.get("query") or None
        if query is not None and not isinstance(query, str):
            raise InvalidError("`query` of the request must be a string.")
        identifier = _identifier(request)
        if query is None and identifier is None:
            raise InvalidError("The request has no `query`. Send a GraphQL document in it.")
        if query is None:
            return self._found(identifier or "")
        if identifier is not None and self._trusted.get(identifier) != query:
            self._register(identifier, query)
        if self._allowed is not None and query not in self._allowed:
            raise AccessDeniedError("This gateway executes only the documents of its manifest, and this is none of them.")
        return query

    def _found(self, identifier: str) -> str:
        found = self._trusted.get(identifier)
        if found is None and self._allowed is None:
            found = self._registered.get(identifier.lower())
        if found is None:
            # Word for word what clients of automatic persisted queries look for before they send the document.
            raise PersistedQueryNotFoundError("PersistedQueryNotFound")
        return found

    def _register(self, identifier: str, query: str) -> None:
        if sha256(query.encode()).hexdigest() != identifier.lower():
            raise InvalidError(
                "The hash of the request is not the SHA-256 of its `query`. Send the hash of exactly that text, in hexadecimal."
            )
        if self._allowed is None:
            self._registered.put(identifier.lower(), query, weight=len(query) * 4 + _BYTES_OF_AN_ENTRY)


def read_manifest(path: Path) -> Mapping[str, str]:
    """The documents of a manifest by their ids: of Apollo's format, or one JSON object of ids and documents.

    Raises ConfigurationError that names the file and what is wrong in it.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_MANIFEST_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{path}: the file cannot be read ({error.strerror or type(error).__name__}).") from None
    if len(content) > _MAX_MANIFEST_BYTES:
        raise ConfigurationError(f"{path}: the file is larger than {_MAX_MANIFEST_BYTES} bytes, the most that is read.")
    try:
        return _documents(decode_json(content), path)
    except NotJsonError:
        raise ConfigurationError(f"{path}: the file is not valid JSON.") from None


def _documents(manifest: JsonValue, path: Path) -> Mapping[str, str]:
    if not isinstance(manifest, dict):
        raise ConfigurationError(f"{path}: a manifest is a JSON object of ids and documents, or one of the format `{_APOLLO_FORMAT}`.")
    if isinstance(manifest.get("operations"), list):
        return _apollo_documents(manifest, path)
    return {identifier: _document(identifier, body, path) for identifier, body in manifest.items()}


def _apollo_documents(manifest: Mapping[str, JsonValue], path: Path) -> Mapping[str, str]:
    if manifest.get("format") != _APOLLO_FORMAT or manifest.get("version") != 1:
        raise ConfigurationError(f"{path}: the manifest has `operations`, but is not of the format `{_APOLLO_FORMAT}` in version 1.")
    documents: dict[str, str] = {}
    for number, operation in enumerate(manifest["operations"]):
        identifier = operation.get("id") if isinstance(operation, dict) else None
        if not isinstance(identifier, str):
            raise ConfigurationError(f"{path}: operation {number} has no `id`, a string.")
        body = _document(identifier, operation.get("body"), path)
        if documents.setdefault(identifier, body) != body:
            raise ConfigurationError(f"{path}: two operations have the id {identifier!r}.")
    return documents


def _document(identifier: str, body: JsonValue, path: Path) -> str:
    if not identifier or not isinstance(body, str) or not body.strip():
        raise ConfigurationError(f"{path}: the id {identifier!r} has no document, a string that is not empty.")
    return body


def _identifier(request: Mapping[str, JsonValue]) -> str | None:
    """What the request calls its document: the id of a manifest, or a hash."""
    named = request.get("documentId")
    if named is not None and not isinstance(named, str):
        raise InvalidError("`documentId` of the request must be a string or null.")
    if named:
        prefix, _, digest = named.partition(":")
        return digest if prefix == "sha256" and _SHA256.fullmatch(digest) else named
    extensions = request.get("extensions")
    persisted = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    return None if persisted is None else _hash_of(persisted)


def _hash_of(persisted: JsonValue) -> str:
    if not isinstance(persisted, dict) or persisted.get("version") != 1 or not isinstance(persisted.get("sha256Hash"), str):
        raise InvalidError("`extensions.persistedQuery` of the request must be an object with `version` 1 and `sha256Hash`, a string.")
    digest: str = persisted["sha256Hash"]
    return digest
