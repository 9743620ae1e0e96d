"""Change events: interest, the sync engine's state, the snapshot, the event log, and webhooks that come in."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
TIME = sa.DateTime(timezone=True)
BYTE_ORDERED = sa.String().with_variant(sa.String(collation="C"), "postgresql")
POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _event()
    _event_log()
    _snapshot()
    _stage()
    _webhook_inbox()
    _event_subscription()
    _sync_generation()
    _sync_run()
    _sync_state()
    _sync_task()
    _webhook()
    _rows_of_instances()
    if op.get_bind().dialect.name == "postgresql":
        _room_for_updates()


def _event() -> None:
    op.create_table(
        "event",
        sa.Column("pos", POSITION, autoincrement=True, nullable=False),
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("previous", sa.LargeBinary()),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("pos", name="pk_event"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_connection_id_pos", "event", ["connection_id", "pos", "type"])
    op.create_index("ix_event_instance_id_pos", "event", ["instance_id", "pos", "type"])
    op.create_index("uq_event_instance_id_seq", "event", ["instance_id", "seq"], unique=True)


def _event_log() -> None:
    table = op.create_table(
        "event_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("log_id", sa.Uuid(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event_log"),
    )
    op.bulk_insert(table, [{"id": 1, "log_id": uuid4(), "floor": 0}])


def _snapshot() -> None:
    op.create_table(
        "snapshot",
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("record_id", BYTE_ORDERED, nullable=False),
        sa.Column("hash", sa.LargeBinary()),
        sa.Column("tick", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("instance_id", "generation", "record_id", name="pk_snapshot"),
        sqlite_with_rowid=False,
    )


def _stage() -> None:
    op.create_table(
        "stage",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("count", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("numbers", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "count", name="pk_stage"),
    )


def _webhook_inbox() -> None:
    op.create_table(
        "webhook_inbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("dedupe_key", sa.String(), nullable=False),
        sa.Column("delivery", sa.LargeBinary()),
        sa.Column("tick", sa.BigInteger(), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("processed_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_inbox"),
    )
    op.create_index(
        "ix_webhook_inbox_instance_id_id",
        "webhook_inbox",
        ["instance_id", "id"],
        sqlite_where=sa.text("processed_at IS NULL"),
        postgresql_where=sa.text("processed_at IS NULL"),
    )
    op.create_index("uq_webhook_inbox_dedupe_key", "webhook_inbox", ["webhook_id", "dedupe_key"], unique=True)


def _event_subscription() -> None:
    op.create_table(
        "event_subscription",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("error", JSON),
        sa.Column("expires_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_event_subscription_customer_id_customer"),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["data_source_instance.id"], name="fk_event_subscription_instance_id_data_source_instance", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_event_subscription"),
        sa.UniqueConstraint("instance_id", "type", name="uq_event_subscription_instance_id_type"),
    )
    op.create_index("ix_event_subscription_customer_id", "event_subscription", ["customer_id"])


def _sync_generation() -> None:
    op.create_table(
        "sync_generation",
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("pointer", JSON, nullable=False),
        sa.Column("reading", sa.String(), nullable=False),
        sa.Column("checkpoint", JSON),
        sa.Column("is_silent", sa.Boolean(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("baseline_at", TIME),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_sync_generation_customer_id_customer"),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["data_source_instance.id"], name="fk_sync_generation_instance_id_data_source_instance", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("instance_id", "generation", name="pk_sync_generation"),
    )
    op.create_index("ix_sync_generation_customer_id", "sync_generation", ["customer_id"])


def _sync_run() -> None:
    op.create_table(
        "sync_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("conclusion", sa.String()),
        sa.Column("record_count", sa.Integer(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("page_count", sa.Integer(), nullable=False),
        sa.Column("missing_count", sa.Integer(), nullable=False),
        sa.Column("error", JSON),
        sa.Column("is_cancelled", sa.Boolean(), nullable=False),
        sa.Column("is_released", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("completed_at", TIME),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_sync_run_customer_id_customer"),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["data_source_instance.id"], name="fk_sync_run_instance_id_data_source_instance", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sync_run"),
    )
    op.create_index("ix_sync_run_completed_at", "sync_run", ["completed_at"])
    op.create_index("ix_sync_run_customer_id", "sync_run", ["customer_id"])
    op.create_index("ix_sync_run_instance_id_id", "sync_run", ["instance_id", "id"])


def _sync_state() -> None:
    op.create_table(
        "sync_state",
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("instance_generation", sa.Integer(), nullable=False),
        sa.Column("tick", sa.BigInteger(), nullable=False),
        sa.Column("forgotten_tick", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("emits_initial", sa.Boolean(), nullable=False),
        sa.Column("lapsed_at", TIME),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name="fk_sync_state_connection_id_connection"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_sync_state_customer_id_customer"),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["data_source_instance.id"], name="fk_sync_state_instance_id_data_source_instance", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("instance_id", name="pk_sync_state"),
    )
    op.create_index("ix_sync_state_connection_id", "sync_state", ["connection_id"])
    op.create_index("ix_sync_state_customer_id", "sync_state", ["customer_id"])


def _sync_task() -> None:
    op.create_table(
        "sync_task",
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("next_at", TIME),
        sa.Column("requested_at", TIME),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String()),
        sa.Column("started_at", TIME),
        sa.Column("run_id", sa.Uuid()),
        sa.Column("progress", JSON),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", JSON),
        sa.Column("succeeded_at", TIME),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name="fk_sync_task_connection_id_connection"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_sync_task_customer_id_customer"),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["data_source_instance.id"], name="fk_sync_task_instance_id_data_source_instance", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("instance_id", "kind", name="pk_sync_task"),
    )
    op.create_index("ix_sync_task_connection_id", "sync_task", ["connection_id"])
    op.create_index("ix_sync_task_customer_id", "sync_task", ["customer_id"])
    op.create_index(
        "ix_sync_task_due_at",
        "sync_task",
        ["due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    is_under_way = sa.text("owner IS NOT NULL")
    op.create_index(
        "ix_sync_task_under_way", "sync_task", ["connection_id", "kind"], sqlite_where=is_under_way, postgresql_where=is_under_way
    )


def _webhook() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        sa.Column("is_registered", sa.Boolean(), nullable=False),
        sa.Column("renew_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_webhook_customer_id_customer"),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["data_source_instance.id"], name="fk_webhook_instance_id_data_source_instance", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook"),
        sa.UniqueConstraint("token_hash", name="uq_webhook_token_hash"),
    )
    op.create_index("ix_webhook_customer_id", "webhook", ["customer_id"])
    op.create_index("ix_webhook_instance_id", "webhook", ["instance_id"])


def _room_for_updates() -> None:
    """Rows that are written again and again stay on their page, and what they leave behind is cleared early."""
    for table, fill in (("sync_state", 70), ("sync_task", 70), ("snapshot", 90)):
        op.execute(f"ALTER TABLE {table} SET (fillfactor = {fill}, autovacuum_vacuum_scale_factor = 0.02)")


def _rows_of_instances() -> None:
    """What each instance has from its creation on."""
    op.execute(
        "INSERT INTO sync_state "
        "(instance_id, customer_id, connection_id, generation, instance_generation, tick, forgotten_tick, last_seq, last_number, "
        "emits_initial) SELECT id, customer_id, connection_id, 0, 0, 0, 0, 0, 0, false FROM data_source_instance"
    )
    instances = sa.table("data_source_instance", *(sa.column(name) for name in ("id", "customer_id", "connection_id")))
    tasks = sa.table(
        "sync_task", *(sa.column(name) for name in ("instance_id", "kind", "customer_id", "connection_id", "fence", "failures"))
    )
    for kind in ("SETUP", "INBOX", "PULL", "FULL"):
        owner = (instances.c.customer_id, instances.c.connection_id)
        rows = sa.select(instances.c.id, sa.literal(kind), *owner, sa.literal(0), sa.literal(0))
        op.execute(tasks.insert().from_select(list(tasks.c), rows))
