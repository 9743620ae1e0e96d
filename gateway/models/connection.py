"""One customer's link to one integration."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Column, Integer, LargeBinary
from sqlmodel import Field, SQLModel

from gateway.models.base import JsonColumn, UTCDateTime, new_id

_revision = Column("revision", Integer, nullable=False)


class ConnectionState(StrEnum):
    """Whether a connection can be used."""

    READY = "READY"
    DISCONNECTED = "DISCONNECTED"
    CONFIGURATION_ERROR = "CONFIGURATION_ERROR"


class Connection(SQLModel, table=True):
    """One customer's link to one integration; its credentials are readable only through `storage.encryption`."""

    __mapper_args__: ClassVar[dict[str, Any]] = {"version_id_col": _revision}

    id: UUID = Field(default_factory=new_id, primary_key=True)
    integration_id: UUID = Field(foreign_key="integration.id", index=True)
    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    name: str
    parameters: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JsonColumn, nullable=False))
    auth_method: str
    credentials: bytes = Field(sa_column=Column(LargeBinary, nullable=False), repr=False)
    error: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonColumn))
    """Why the app no longer accepts it (`code`, `message`); null while it does. It decides between READY and DISCONNECTED."""
    revision: int = Field(default=None, sa_column=_revision)
    created_at: datetime = Field(sa_type=UTCDateTime)
    updated_at: datetime = Field(sa_type=UTCDateTime)
    archived_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
