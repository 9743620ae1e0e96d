"""What an operator can set."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.errors import ConfigurationError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")

_PUBLIC_URL = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?")


class _Environment(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True, extra="forbid")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given, then the environment: the other sources, which nobody configures, take as long to find nothing."""
        return init_settings, env_settings


class DatabaseSettings(_Environment):
    """What it takes to reach the database."""

    database_url: str = Field(default="sqlite+aiosqlite:///gateway.db", repr=False)  # It may hold a password.
    """SQLite (`sqlite+aiosqlite:///file.db`) or PostgreSQL (`postgresql+asyncpg://user:password@host/name`)."""

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not value.startswith(("sqlite+aiosqlite:", "postgresql+asyncpg:")):
            raise ValueError("it must start with sqlite+aiosqlite: or postgresql+asyncpg:")
        return value


class TokenSettings(_Environment):
    """What it takes to make and read tokens."""

    token_secret: SecretStr
    """Signs and checks customers' tokens (HS256); at least 32 bytes."""

    @field_validator("token_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value().encode()) < 32:
            raise ValueError("it must be at least 32 bytes long, such as the output of `openssl rand -hex 32`")
        return value


class ConnectorSettings(_Environment):
    """What it takes to know the connectors."""

    connector_files: Annotated[tuple[Path, ...], NoDecode] = ()
    """The operator's own connector files, comma separated."""

    @field_validator("connector_files", mode="before")
    @classmethod
    def _split_files(cls, value: object) -> object:
        return _parts(value) if isinstance(value, str) else value


class UdmSettings(_Environment):
    """What it takes to know the universal data models."""

    udm_files: Annotated[tuple[Path, ...], NoDecode] = ()
    """The operator's own models, and extensions of the existing ones, comma separated."""

    @field_validator("udm_files", mode="before")
    @classmethod
    def _split_udm_files(cls, value: object) -> object:
        return _parts(value) if isinstance(value, str) else value


class LimitSettings(_Environment):
    """What one operation, one customer and one socket may ask for."""

    max_document_tokens: int = Field(default=2_000, ge=10, le=100_000)
    """The most tokens that a document may have, comments included."""
    max_depth: int = Field(default=15, ge=1, le=100)
    """How deep the fields of an operation may be nested."""
    max_aliases: int = Field(default=30, ge=0)
    """The most aliases that an operation may have, those of fragments counted at each spread."""
    max_root_fields: int = Field(default=20, ge=1)
    """The most fields that an operation may ask of its root."""
    max_directives: int = Field(default=50, ge=0)
    """The most directives that a document may have."""
    introspection: bool = True
    """Whether clients may ask for the schema."""
    max_cost: int = Field(default=10_000, ge=1)
    """The most that one operation may cost, computed before it runs."""
    cost_bucket: int = Field(default=50_000, ge=1)
    """What a customer may spend at once on the cost of operations."""
    cost_restored_per_second: float = Field(default=10_000, gt=0)
    """What a customer gets back of the spent cost in each second."""
    max_page_size: int = Field(default=100, ge=50, le=1_000)  # Whoever does not say how many asks for 50.
    """The most items on a page of what the gateway keeps."""
    max_app_page_size: int = Field(default=1_000, ge=50, le=1_000)
    """The most records or locations on a page of what an app keeps."""
    operation_timeout_seconds: float = Field(default=30.0, gt=0, le=3600)
    """The longest that a query or a mutation may take."""
    max_batch_size: int = Field(default=10, ge=1)
    """The most operations that one HTTP request may hold."""
    max_sockets_per_customer: int = Field(default=1_000, ge=1)
    """The most WebSockets that a customer may have open at one process."""
    max_subscriptions_per_socket: int = Field(default=100, ge=1)
    """The most operations that one WebSocket may have under way."""
    max_subscriptions_per_customer: int = Field(default=2_000, ge=1)
    """The most subscriptions that a customer may have open at one process."""
    persisted_documents: Path | None = None
    """A file of documents that clients may ask for by their hash."""
    persisted_documents_only: bool = False
    """Whether only the documents of that file are executed."""
    status_codes: Literal["stable", "draft"] = "stable"
    """Which edition of GraphQL over HTTP decides about the status of answers."""


class Settings(DatabaseSettings, TokenSettings, ConnectorSettings, UdmSettings, LimitSettings):
    """What an operator can set. Each field is GATEWAY_<FIELD>; see docs/configuration.md."""

    encryption_keys: SecretStr
    """The key ring for credentials at rest: `id:base64-of-32-bytes`, comma separated; the first one encrypts."""
    allowed_networks: Annotated[tuple[Network, ...], NoDecode] = ()
    """Private networks that connections may reach, in CIDR notation, comma separated; public addresses always may."""
    upstream_timeout_seconds: float = Field(default=30.0, gt=0, le=600)
    """The longest one request to an app may take, connecting and reading included."""
    upstream_deadline_seconds: float = Field(default=60.0, gt=0, le=3600)
    """The longest one read of an app may take in all, retries and waiting included."""
    upstream_calls_per_operation: int = Field(default=100, ge=1)
    """The most requests to apps that one GraphQL operation may make."""
    upstream_max_response_bytes: int = Field(default=32 * 1024 * 1024, ge=1024)
    """The largest answer of an app that is read, after decompression."""
    minimum_pull_updates_interval_seconds: int = Field(default=60, ge=1)
    """The shortest interval between pulls of updates that a definition or instance may ask for."""
    minimum_full_sync_interval_seconds: int = Field(default=60, ge=1)
    """The shortest interval between full syncs that a definition or instance may ask for."""
    public_url: str | None = None
    """Where apps reach this gateway, for their webhooks; without it there are none, and changes are polled."""
    embedded_worker: bool = True
    """Whether `gateway serve` also syncs; else `gateway worker` processes do, which takes PostgreSQL."""
    sync_concurrency: int = Field(default=20, ge=1, le=1000)
    """How many instances one process syncs at the same time."""
    sync_lease_seconds: float = Field(default=15.0, ge=1, le=600)
    """How long a worker may give no sign of life before others take over what it had under way."""
    event_retention_days: int = Field(default=30, ge=1)
    """How long change events are kept."""
    event_retention_rows: int = Field(default=10_000_000, ge=1_000)
    """How many change events are kept."""
    max_body_bytes: int = Field(default=1024 * 1024, ge=1024)
    """The largest GraphQL request body that is read."""
    max_webhook_bytes: int = Field(default=1024 * 1024, ge=1024)
    """The largest body of a webhook that is read."""
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins of browser pages that may call the API, comma separated; none by default."""

    @field_validator("public_url")
    @classmethod
    def _as_an_origin(cls, value: str | None) -> str | None:
        if value is not None and not _PUBLIC_URL.fullmatch(value):
            raise ValueError("it must be an address such as https://gateway.example.com, without query and credentials")
        return value.rstrip("/") if value is not None else None

    @field_validator("allowed_networks", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        return [_network(part) for part in _parts(value)] if isinstance(value, str) else value

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        return _parts(value) if isinstance(value, str) else value

    @field_validator("allowed_origins")
    @classmethod
    def _as_browsers_send_them(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin, such as https://app.example.com, in lower case and without a path")
        return value


SomeSettings = TypeVar("SomeSettings", bound=_Environment)


def read_settings(kind: type[SomeSettings], **given: Any) -> SomeSettings:
    """The settings of that kind: what is given here, and the rest from the environment.

    Raises ConfigurationError that names each variable which is missing or wrong, and never a secret.
    """
    try:
        return kind(**given)
    except ValidationError as error:
        problems = "; ".join(f"GATEWAY_{'_'.join(map(str, e['loc'])).upper()}: {_reason(e)}" for e in error.errors(include_input=False))
        raise ConfigurationError(f"The configuration is not right. {problems}. See docs/configuration.md.") from None


def _reason(error: ErrorDetails) -> str:
    return "it is not set" if error["type"] == "missing" else error["msg"].removeprefix("Value error, ")


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise ValueError(f"{text!r} is no network in CIDR notation, such as 10.20.0.0/16; all bits after the prefix are 0") from None


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
