"""How Alembic runs the migrations: on the connection that it is given, inside that connection's transaction."""

from alembic import context
from sqlmodel import SQLModel

import gateway.models  # noqa: F401 - declares the tables

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    version_table="schema_revision",
    # SQLite cannot alter a column: the table is made anew and copied.
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
)
context.run_migrations()
