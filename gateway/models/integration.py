"""A connector, configured for this gateway."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Column, Index, Integer, text
from sqlmodel import Field, SQLModel

from gateway.models.base import JsonColumn, UTCDateTime, new_id

_revision = Column("revision", Integer, nullable=False)


class Integration(SQLModel, table=True):
    """A connector as this gateway offers it to customers; its key is unique among those not archived."""

    __table_args__ = (
        Index(
            "uq_integration_key", "key", unique=True, sqlite_where=text("archived_at IS NULL"), postgresql_where=text("archived_at IS NULL")
        ),
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"version_id_col": _revision}

    id: UUID = Field(default_factory=new_id, primary_key=True)
    key: str
    name: str
    connector_key: str
    parameters: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JsonColumn, nullable=False))
    revision: int = Field(default=None, sa_column=_revision)
    created_at: datetime = Field(sa_type=UTCDateTime)
    updated_at: datetime = Field(sa_type=UTCDateTime)
    archived_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
