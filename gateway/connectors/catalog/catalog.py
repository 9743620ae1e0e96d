"""All connectors by key: the files that come along, the operator's own files, and Python classes."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from importlib.resources import files as resources
from importlib.resources.abc import Traversable
from pathlib import Path

from gateway.clock import Clock, SystemClock
from gateway.config import Settings
from gateway.connectors.executor import DeclarativeConnector, ExecutorLimits
from gateway.connectors.executor.known_files import known_file
from gateway.connectors.executor.reads import Reads
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.http import Http
from gateway.connectors.loading import load_connector_file
from gateway.connectors.protocol import Connector
from gateway.connectors.schemas import CompiledSchema, SchemaError, writable_secrets
from gateway.errors import ConfigurationError
from gateway.models import ConnectorSpec, JsonSchema
from gateway.udm import MODELS, Models

ENTRY_POINTS = "gateway.connectors"
"""The group of entry points whose objects are called with the Http and give a connector."""

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")


class Catalog(Mapping[str, Connector]):
    """Connectors by key, in the order of the keys. It does not change while the process runs."""

    def __init__(self, connectors: Mapping[str, Connector]) -> None:
        self._connectors = dict(sorted(connectors.items()))

    @classmethod
    def load(
        cls,
        http: Http,
        settings: Settings | None = None,
        *,
        files: Sequence[Path] = (),
        connectors: Sequence[Connector] = (),
        clock: Clock | None = None,
        models: Models = MODELS,
    ) -> "Catalog":
        """The connectors that come along, those of installed packages, those of the files, and those given.

        Raises ConfigurationError with every file's problems, for a connector that cannot be used, and for a key given twice.
        """
        limits = ExecutorLimits.from_settings(settings) if settings is not None else ExecutorLimits()
        found: dict[str, Connector] = {}
        origins: dict[str, str] = {}
        for origin, connector in (
            *_of_files([*_bundled(), *files], http, clock=clock or SystemClock(), limits=limits, models=models),
            *_checked_all(_of_packages(http)),
            *_checked_all((f"{type(connector).__module__}.{type(connector).__qualname__}", connector) for connector in connectors),
        ):
            key = connector.spec.key
            if key in found:
                raise ConfigurationError(f"{origin}: connector {key!r} comes from {origins[key]} already; give this one another key.")
            found[key], origins[key] = connector, origin
        return cls(found)

    def __getitem__(self, key: str) -> Connector:
        return self._connectors[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._connectors)

    def __len__(self) -> int:
        return len(self._connectors)


def _bundled() -> list[Traversable]:
    return sorted((file for file in resources(__package__).iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)


def _of_files(
    sources: Iterable[Path | Traversable], http: Http, *, clock: Clock, limits: ExecutorLimits, models: Models
) -> Iterator[tuple[str, Connector]]:
    problems = []
    # One for all: what may be kept of answers is bounded for the process, however many connectors there are.
    reads = Reads(clock=clock)
    for source in sources:
        try:
            file = load_connector_file(source, models=models)
        except ConfigurationError as error:
            problems.append(error.message)
            continue
        origin = str(source) if isinstance(source, Path) else source.name
        _check_file(file, models, origin)
        yield origin, DeclarativeConnector(file, http, clock=clock, limits=limits, models=models, reads=reads)
    if problems:
        raise ConfigurationError("\n".join(problems))


def _of_packages(http: Http) -> Iterator[tuple[str, Connector]]:
    for entry_point in _entry_points(tuple(sys.path)):
        yield f"entry point {entry_point.name}", _of_entry_point(entry_point, http)


@lru_cache(maxsize=1)
def _entry_points(path: tuple[str, ...]) -> EntryPoints:
    # Every installed package is opened for it, and what is installed there stays as it is while the process runs.
    return entry_points(group=ENTRY_POINTS)


def _of_entry_point(entry_point: EntryPoint, http: Http) -> Connector:
    try:
        make = entry_point.load()
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"Entry point {entry_point.name!r} of the group {ENTRY_POINTS} ({entry_point.value}) cannot be loaded: {error}."
        ) from error
    connector = make(http) if callable(make) else None
    if connector is None or not isinstance(getattr(connector, "spec", None), ConnectorSpec):
        raise ConfigurationError(
            f"Entry point {entry_point.name!r} of the group {ENTRY_POINTS} ({entry_point.value}) gives no connector: "
            "it must name what takes an Http and returns one."
        )
    made: Connector = connector
    return made


@lru_cache(maxsize=16)
def _check_file(file: ConnectorFile, models: Models, origin: str) -> None:
    # Kept by file: schemas are compiled for it. Most was checked when the file was read, with its lines.
    _check(known_file(file, models).spec, origin=origin)


def _checked_all(connectors: Iterable[tuple[str, Connector]]) -> Iterator[tuple[str, Connector]]:
    for origin, connector in connectors:
        _check(connector.spec, origin=origin)
        yield origin, connector


def _check(spec: ConnectorSpec, *, origin: str) -> None:
    """Returns for a connector whose key and schemas can be used."""
    if not _KEY.fullmatch(spec.key):
        raise ConfigurationError(f"{origin}: connector key {spec.key!r} must start with a letter and hold letters, digits, '-' and '_'.")
    for at, schema in (("integration_schema", spec.integration_schema), ("connection_schema", spec.connection_schema)):
        if writable_secrets(schema):
            raise ConfigurationError(f"{origin}: {at} marks a secret, and parameters are shown. Ask for it in a `credentials_schema`.")
    for at, schema in _schemas(spec):
        try:
            CompiledSchema.compile(schema, at=f"{origin}: {at}")
        except SchemaError as error:
            raise ConfigurationError(f"{error}.") from None


def _schemas(spec: ConnectorSpec) -> Iterator[tuple[str, JsonSchema]]:
    yield "integration_schema", spec.integration_schema
    yield "connection_schema", spec.connection_schema
    for method in spec.auth_methods:
        yield f"auth_methods.{method.key}.credentials_schema", method.credentials_schema
    for collection in spec.collections:
        for name in ("fields_schema", "parameters_schema", "create_fields_schema", "update_fields_schema"):
            schema = getattr(collection, name)
            if schema is not None:
                yield f"collections.{collection.key}.{name}", schema
