"""What the sync engine knows of an instance: its counters, its generations, its tasks and their runs."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, text
from sqlmodel import Field, SQLModel

from gateway.models.base import JsonColumn, UTCDateTime, new_id
from gateway.models.data_source_instance import DataSourceInstance

LONGEST_LAPSE = timedelta(hours=24)
"""Interest that comes back later than that begins with a new baseline; sooner, what changed meanwhile is told."""


class TaskKind(StrEnum):
    """What is done for an instance, each by one worker at a time."""

    SETUP = "SETUP"
    """Looks at who is interested and at the settings in force: begins generations, registers webhooks, schedules the other tasks."""
    INBOX = "INBOX"
    """Works through the webhooks that came in."""
    PULL = "PULL"
    """Reads what changed since a delta token or a cursor value."""
    FULL = "FULL"
    """Lists everything: takes the baseline of a generation, then finds what no other task sees."""


class SyncKind(StrEnum):
    """What a run does."""

    PULL_UPDATES = "PULL_UPDATES"
    FULL_SYNC = "FULL_SYNC"


class SyncStatus(StrEnum):
    """How far a run is."""

    QUEUED = "QUEUED"
    IN_PROGRESS = "IN_PROGRESS"
    HELD = "HELD"
    COMPLETED = "COMPLETED"


class SyncConclusion(StrEnum):
    """How a run ended."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    CANCELLED = "CANCELLED"


class SyncState(SQLModel, table=True):
    """The counters of an instance, its present generation, and whether anybody is interested. Locked by each commit of observations."""

    __tablename__ = "sync_state"

    instance_id: UUID = Field(foreign_key="data_source_instance.id", ondelete="CASCADE", primary_key=True)
    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    connection_id: UUID = Field(foreign_key="connection.id", index=True)
    generation: int = 0
    """The present generation; 0 before the first."""
    instance_generation: int = 0
    """The instance's own `generation` that the present one was begun for."""
    tick: int = Field(default=0, sa_type=BigInteger)
    """Counts commits of observations: what was asked of the app before a tick is older than what was committed with it."""
    forgotten_tick: int = Field(default=0, sa_type=BigInteger)
    """Deletions that were seen up to this tick are forgotten: what was asked earlier may bring such a record back."""
    last_seq: int = Field(default=0, sa_type=BigInteger)
    """The `seq` of its last event."""
    last_number: int = Field(default=0, sa_type=BigInteger)
    """The `number` of the last record that its snapshots came to know."""
    emits_initial: bool = False
    """Whether the next baseline is told as events."""
    lapsed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """Since when nobody is interested; null while somebody is."""


class SyncGeneration(SQLModel, table=True):
    """One stretch of an instance's life in which it pointed at the same collection; it has a baseline and a snapshot of its own."""

    __tablename__ = "sync_generation"

    instance_id: UUID = Field(foreign_key="data_source_instance.id", ondelete="CASCADE", primary_key=True)
    generation: int = Field(primary_key=True)
    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    pointer: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    reading: str = ""
    """How its records are read: by which connector, of which major version, and which of their fields tell of no change."""
    checkpoint: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonColumn))
    """From where on the next pull reads (`delta_token`, or `mark`); null before the baseline, and after a token expired."""
    is_silent: bool = True
    """Whether its baseline is taken without a word; else what is there is told as created."""
    started_at: datetime = Field(sa_type=UTCDateTime)
    baseline_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When its baseline stood; null before."""


class SyncTask(SQLModel, table=True):
    """One kind of work for an instance: when it is due, and who is at it. Hot, and never through the ORM."""

    __tablename__ = "sync_task"
    __table_args__ = (
        Index("ix_sync_task_due_at", "due_at", sqlite_where=text("due_at IS NOT NULL"), postgresql_where=text("due_at IS NOT NULL")),
        # Who is under way in a connection, looked up for each task that is due there.
        Index(
            "ix_sync_task_under_way",
            "connection_id",
            "kind",
            sqlite_where=text("owner IS NOT NULL"),
            postgresql_where=text("owner IS NOT NULL"),
        ),
    )

    instance_id: UUID = Field(foreign_key="data_source_instance.id", ondelete="CASCADE", primary_key=True)
    kind: str = Field(primary_key=True)
    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    connection_id: UUID = Field(foreign_key="connection.id", index=True)
    due_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When a worker must look at it: the next start, the end of a pause, or the end of the lease of whoever is at it. Null for never."""
    next_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When it is to start by its interval."""
    requested_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When somebody asked for it last; later than `started_at`, it starts again at once."""
    fence: int = Field(default=0, sa_type=BigInteger)
    """Counts claims: a commit by an earlier claim is refused."""
    owner: str | None = None
    """Who is at it; null when nobody is."""
    started_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    run_id: UUID | None = None
    """The run that is under way or interrupted."""
    progress: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonColumn))
    """Where an interrupted run goes on."""
    failures: int = 0
    error: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonColumn))
    """Why the last attempt failed (`code`, `message`); null when it did not."""
    succeeded_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class SyncRun(SQLModel, table=True):
    """One pull of updates or full sync, for people to see."""

    __tablename__ = "sync_run"
    __table_args__ = (Index("ix_sync_run_instance_id_id", "instance_id", "id"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    instance_id: UUID = Field(foreign_key="data_source_instance.id", ondelete="CASCADE")
    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    kind: str
    status: str = SyncStatus.QUEUED.value
    conclusion: str | None = None
    record_count: int = 0
    event_count: int = 0
    page_count: int = 0
    missing_count: int = 0
    error: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonColumn))
    is_cancelled: bool = False
    """Whether somebody asked to end it."""
    is_released: bool = False
    """Whether somebody let it delete however many records are missing."""
    created_at: datetime = Field(sa_type=UTCDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    completed_at: datetime | None = Field(default=None, sa_type=UTCDateTime, index=True)


def sync_rows(instance: DataSourceInstance) -> list[SQLModel]:
    """What each instance has from its creation on, whether or not anybody is interested: so they are only ever updated."""
    owner: dict[str, Any] = {"instance_id": instance.id, "customer_id": instance.customer_id, "connection_id": instance.connection_id}
    return [SyncState(**owner), *(SyncTask(**owner, kind=kind.value) for kind in TaskKind)]
