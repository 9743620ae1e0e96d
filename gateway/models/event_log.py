"""The event log and the snapshot it is told against: many rows, written by one part and never through the ORM."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, text
from sqlmodel import Field, SQLModel

from gateway.models.base import UTCDateTime, new_id

ByteOrdered = String().with_variant(String(collation="C"), "postgresql")
"""Text in the order of its bytes on both databases, so that ranges of keys are the same everywhere."""
Position = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up only what is an INTEGER to it."""


class Snapshot(SQLModel, table=True):
    """A record as it was last seen. One that was deleted stays for a while, so that an older sight of it is known as old."""

    __tablename__ = "snapshot"
    __table_args__ = ({"sqlite_with_rowid": False},)

    instance_id: UUID = Field(primary_key=True)
    generation: int = Field(primary_key=True)
    record_id: str = Field(sa_column=Column(ByteOrdered, primary_key=True))
    hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """Of its fields without the volatile ones; null for a record that was deleted."""
    tick: int = Field(sa_type=BigInteger)
    """The instance's tick when it was last found changed."""
    number: int = Field(sa_type=BigInteger)
    """Counts the records of the instance as they are first seen: what a run has met is noted by it, in eight bytes."""
    body: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """The record as JSON; null where bodies are not kept."""


class Stage(SQLModel, table=True):
    """The records that a run met in one commit, and had not met before."""

    __tablename__ = "stage"

    run_id: UUID = Field(primary_key=True)
    count: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    """How many records the run has met with these."""
    numbers: bytes
    """Of the records in the snapshot, eight bytes each, the lowest first."""


class Event(SQLModel, table=True):
    """A change of a record, as it was recorded."""

    __tablename__ = "event"
    __table_args__ = (
        Index("uq_event_instance_id_seq", "instance_id", "seq", unique=True),
        # The type stands in them so that events of other types are passed over without being read.
        Index("ix_event_instance_id_pos", "instance_id", "pos", "type"),
        Index("ix_event_connection_id_pos", "connection_id", "pos", "type"),
        # Without it SQLite would give out the positions of pruned events again.
        {"sqlite_autoincrement": True},
    )

    pos: int = Field(default=None, sa_column=Column(Position, primary_key=True, autoincrement=True))
    instance_id: UUID
    connection_id: UUID
    generation: int
    seq: int = Field(sa_type=BigInteger)
    """Counts the events of the instance, without gaps."""
    type: str
    method: str
    record_id: str
    body: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """The record after the change, as JSON; null when it was deleted or bodies are not kept."""
    previous: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """The record before the change, as JSON."""
    recorded_at: datetime = Field(sa_type=UTCDateTime)


class EventLog(SQLModel, table=True):
    """The identity of the log, and what has been pruned of it; one row."""

    __tablename__ = "event_log"

    id: int = Field(default=1, primary_key=True)
    log_id: UUID
    floor: int = Field(default=0, sa_type=BigInteger)
    """Events up to this position may be gone."""


class Webhook(SQLModel, table=True):
    """An address to which an app sends what changed in an instance's collection."""

    __tablename__ = "webhook"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    instance_id: UUID = Field(foreign_key="data_source_instance.id", ondelete="CASCADE", index=True)
    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    generation: int
    """The generation of the instance that it was made for."""
    key: str
    """The name of the webhook in its connector."""
    token_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    """SHA-256 of the token in the address: whoever reads the database cannot send."""
    secrets: bytes
    """Sealed: what proves that a delivery comes from the app, and what it takes to renew and remove the webhook."""
    is_registered: bool = False
    """Whether the app knows of it."""
    renew_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    created_at: datetime = Field(sa_type=UTCDateTime)


class WebhookInbox(SQLModel, table=True):
    """A delivery that came in and was acknowledged. It stays without its body once worked through: the same one may come again."""

    __tablename__ = "webhook_inbox"
    __table_args__ = (
        Index("uq_webhook_inbox_dedupe_key", "webhook_id", "dedupe_key", unique=True),
        # Only those that wait: the others stay for a while, and nobody looks for them by their instance.
        Index(
            "ix_webhook_inbox_instance_id_id",
            "instance_id",
            "id",
            sqlite_where=text("processed_at IS NULL"),
            postgresql_where=text("processed_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    webhook_id: UUID
    instance_id: UUID
    dedupe_key: str
    delivery: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """Sealed headers, query and body, as they came; null once worked through."""
    tick: int = Field(default=0, sa_type=BigInteger)
    """The instance's tick when it came in: what was found changed later may be newer than what it says."""
    received_at: datetime = Field(sa_type=UTCDateTime)
    processed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
