"""What is configured: customers, integrations, connections, data sources and their instances."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _customer()
    _integration()
    _connection()
    _data_source()
    _data_source_instance()


def _customer() -> None:
    op.create_table(
        "customer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("name", sa.String()),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_customer"),
        sa.UniqueConstraint("external_id", name="uq_customer_external_id"),
    )


def _integration() -> None:
    op.create_table(
        "integration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("connector_key", sa.String(), nullable=False),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("archived_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_integration"),
    )
    _unique_where("uq_integration_key", "integration", ["key"], "archived_at IS NULL")


def _connection() -> None:
    op.create_table(
        "connection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("auth_method", sa.String(), nullable=False),
        sa.Column("credentials", sa.LargeBinary(), nullable=False),
        sa.Column("error", JSON),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("archived_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_connection"),
        sa.ForeignKeyConstraint(["integration_id"], ["integration.id"], name="fk_connection_integration_id_integration"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_connection_customer_id_customer"),
    )
    op.create_index("ix_connection_integration_id", "connection", ["integration_id"])
    op.create_index("ix_connection_customer_id", "connection", ["customer_id"])


def _data_source() -> None:
    op.create_table(
        "data_source",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String()),
        sa.Column("integration_id", sa.Uuid()),
        sa.Column("universal_id", sa.Uuid()),
        sa.Column("udm", sa.String()),
        sa.Column("pointer", JSON),
        sa.Column("pull_updates_interval_seconds", sa.Integer()),
        sa.Column("full_sync_interval_seconds", sa.Integer()),
        sa.Column("event_bodies", sa.Boolean()),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("archived_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_data_source"),
        sa.ForeignKeyConstraint(["integration_id"], ["integration.id"], name="fk_data_source_integration_id_integration"),
        sa.ForeignKeyConstraint(["universal_id"], ["data_source.id"], name="fk_data_source_universal_id_data_source"),
    )
    op.create_index("ix_data_source_integration_id", "data_source", ["integration_id"])
    op.create_index("ix_data_source_universal_id", "data_source", ["universal_id"])
    _unique_where("uq_data_source_universal_key", "data_source", ["key"], "integration_id IS NULL AND archived_at IS NULL")
    _unique_where(
        "uq_data_source_integration_key", "data_source", ["integration_id", "key"], "integration_id IS NOT NULL AND archived_at IS NULL"
    )


def _data_source_instance() -> None:
    op.create_table(
        "data_source_instance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("data_source_id", sa.Uuid(), nullable=False),
        sa.Column("instance_key", sa.String()),
        sa.Column("pointer", JSON),
        sa.Column("pull_updates_interval_seconds", sa.Integer()),
        sa.Column("full_sync_interval_seconds", sa.Integer()),
        sa.Column("setup_error", JSON),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("archived_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_data_source_instance"),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name="fk_data_source_instance_connection_id_connection"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_data_source_instance_customer_id_customer"),
        sa.ForeignKeyConstraint(["data_source_id"], ["data_source.id"], name="fk_data_source_instance_data_source_id_data_source"),
    )
    op.create_index("ix_data_source_instance_connection_id", "data_source_instance", ["connection_id"])
    op.create_index("ix_data_source_instance_customer_id", "data_source_instance", ["customer_id"])
    op.create_index("ix_data_source_instance_data_source_id", "data_source_instance", ["data_source_id"])
    op.create_index(
        "uq_data_source_instance_key",
        "data_source_instance",
        ["connection_id", "data_source_id", sa.text("coalesce(instance_key, '')")],
        unique=True,
    )


def _unique_where(name: str, table: str, columns: list[str], condition: str) -> None:
    op.create_index(name, table, columns, unique=True, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))
