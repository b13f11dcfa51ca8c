"""Alembic's entry: runs on the connection, and in the transaction, that ``migrate`` opened."""

from alembic import context

from aimindserve.server.db.tables import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
context.run_migrations()
