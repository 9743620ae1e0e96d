"""A named pointer: universal, of one integration, or one integration's customisation of a universal one."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Column, Index, Integer, text
from sqlmodel import Field, SQLModel

from gateway.models.base import JsonColumn, UTCDateTime, new_id

_revision = Column("revision", Integer, nullable=False)


class DataSource(SQLModel, table=True):
    """A definition. Every setting that is null inherits: from the universal definition, the connector, or the gateway's default."""

    __tablename__ = "data_source"
    __table_args__ = (
        Index(
            "uq_data_source_universal_key",
            "key",
            unique=True,
            sqlite_where=text("integration_id IS NULL AND archived_at IS NULL"),
            postgresql_where=text("integration_id IS NULL AND archived_at IS NULL"),
        ),
        Index(
            "uq_data_source_integration_key",
            "integration_id",
            "key",
            unique=True,
            sqlite_where=text("integration_id IS NOT NULL AND archived_at IS NULL"),
            postgresql_where=text("integration_id IS NOT NULL AND archived_at IS NULL"),
        ),
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"version_id_col": _revision}

    id: UUID = Field(default_factory=new_id, primary_key=True)
    key: str
    name: str | None = None
    integration_id: UUID | None = Field(default=None, foreign_key="integration.id", index=True)
    universal_id: UUID | None = Field(default=None, foreign_key="data_source.id", index=True)
    udm: str | None = None
    pointer: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonColumn))
    pull_updates_interval_seconds: int | None = None
    full_sync_interval_seconds: int | None = None
    event_bodies: bool | None = None
    revision: int = Field(default=None, sa_column=_revision)
    created_at: datetime = Field(sa_type=UTCDateTime)
    updated_at: datetime = Field(sa_type=UTCDateTime)
    archived_at: datetime | None = Field(default=None, sa_type=UTCDateTime)

    @property
    def is_root(self) -> bool:
        """Whether instances hang on it: true unless it customises a universal one."""
        return self.universal_id is None

    @property
    def is_universal(self) -> bool:
        """Whether it works with any integration."""
        return self.integration_id is None

    @property
    def is_customized(self) -> bool:
        """Whether it customises a universal definition and overrides anything of it; false on a root."""
        overrides = (
            self.name,
            self.udm,
            self.pointer,
            self.pull_updates_interval_seconds,
            self.full_sync_interval_seconds,
            self.event_bodies,
        )
        return not self.is_root and any(value is not None for value in overrides)
