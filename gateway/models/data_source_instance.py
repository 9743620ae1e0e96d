"""A data source within one connection."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Column, Index, Integer, text
from sqlmodel import Field, SQLModel

from gateway.models.base import JsonColumn, UTCDateTime, new_id

_revision = Column("revision", Integer, nullable=False)


class DataSourceInstance(SQLModel, table=True):
    """The pointer in one connection; it stores only what the connection overrides, and hangs on the root definition."""

    __tablename__ = "data_source_instance"
    __table_args__ = (
        # An archived instance keeps its key: creating it again revives it.
        Index("uq_data_source_instance_key", "connection_id", "data_source_id", text("coalesce(instance_key, '')"), unique=True),
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"version_id_col": _revision}

    id: UUID = Field(default_factory=new_id, primary_key=True)
    connection_id: UUID = Field(foreign_key="connection.id", index=True)
    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    """The connection's customer, which never changes: kept here so that scoping needs no join."""
    data_source_id: UUID = Field(foreign_key="data_source.id", index=True)
    instance_key: str | None = None
    pointer: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonColumn))
    pull_updates_interval_seconds: int | None = None
    full_sync_interval_seconds: int | None = None
    setup_error: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonColumn))
    """Why the last setup failed (`code`, `message`), and for which collection (`pointer`); null when it did not."""
    generation: int = 1
    """Counts the times it was pointed elsewhere; each generation takes its own baseline."""
    revision: int = Field(default=None, sa_column=_revision)
    created_at: datetime = Field(sa_type=UTCDateTime)
    updated_at: datetime = Field(sa_type=UTCDateTime)
    archived_at: datetime | None = Field(default=None, sa_type=UTCDateTime)

    @property
    def is_customized(self) -> bool:
        """Whether the connection overrides any setting."""
        overrides = (self.pointer, self.pull_updates_interval_seconds, self.full_sync_interval_seconds)
        return any(value is not None for value in overrides)
