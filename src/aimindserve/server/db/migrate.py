"""Brings the schema up to date. An empty database gets today's tables at once; Alembic, 10 MB and a third of a second,
is loaded only to change a schema that an older version made. Tests hold the two ways equal."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from aimindserve.server.db.engine import Database
from aimindserve.server.db.migrations import HEAD, REVISIONS
from aimindserve.server.db.tables import Base

MIGRATION_LOCK = 0x41494D54


class NewerSchemaError(Exception):
    """The database was written by a newer version of aiMindServe."""


async def migrate(database: Database) -> str | None:
    """Runs what is missing, all in one transaction. Returns the revision that was found before (None: empty).

    Raises:
        NewerSchemaError: this version does not know the schema.
        SQLAlchemyError: the database cannot be reached or written; nothing was changed.
    """
    engine = database.engine.execution_options(sqlite_begin="IMMEDIATE")
    async with engine.begin() as connection:
        if not database.is_sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        found = await current_revision(connection)
        if found is not None and found not in REVISIONS:
            raise NewerSchemaError(
                f"The database has schema {found}, which this version of aiMindServe does not know. "
                "Install the version that wrote it, or restore a backup made before."
            )
        if found is None:
            await connection.run_sync(create)
        elif found != HEAD:
            await connection.run_sync(upgrade)
    return found


async def current_revision(connection: AsyncConnection) -> str | None:
    """The schema's revision, None for an empty database."""
    if not await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version")):
        return None
    return (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()


def create(connection: Connection) -> None:
    """Makes today's tables in an empty database."""
    # Not "checkfirst": a table of another program in the way is an error, not something to live with.
    Base.metadata.create_all(connection, checkfirst=False)
    connection.execute(
        text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY)"
        )
    )
    connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": HEAD})
    _note_tables(connection)


def make_schema(connection: Connection, revision: str) -> None:
    """Makes the tables of ``revision`` in an empty database."""
    if revision == HEAD:
        create(connection)
    else:
        upgrade(connection, revision)


def upgrade(connection: Connection, revision: str = HEAD) -> None:
    """Runs the scripts that are missing up to ``revision``, in the transaction of ``connection``."""
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    _note_tables(connection)


def _note_tables(connection: Connection) -> None:
    """Writes down which tables are ours, where other programs' may lie beside them: an older version that puts a backup
    back must be able to clear away those that it does not know."""
    if connection.dialect.name == "postgresql":
        names = ",".join(sorted(Base.metadata.tables))
        connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{names}'")


def noted_tables(connection: Connection) -> list[str]:
    """The tables that the newest version so far wrote down as ours."""
    if connection.dialect.name != "postgresql":
        return []
    note = connection.scalar(text("SELECT obj_description(to_regclass('alembic_version'), 'pg_class')"))
    return str(note).split(",") if note else []
