"""The schema: complete, brought up to date once, never run backwards."""

import sys

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from tests.server.fixtures import Clock

from aimindserve.server.bootstrap import build_context
from aimindserve.server.context import ServerContext
from aimindserve.server.db import migrations
from aimindserve.server.db.engine import connect
from aimindserve.server.db.migrate import NewerSchemaError, current_revision, migrate, upgrade
from aimindserve.server.db.tables import Base
from aimindserve.server.events import EventBus
from aimindserve.server.settings import Settings


def differences(connection: Connection) -> list[object]:
    return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata)


def shape(connection: Connection) -> dict[str, object]:
    """Everything that an inspector sees of the schema."""
    inspector = inspect(connection)
    return {
        table: {
            "columns": [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)],
            "primary": inspector.get_pk_constraint(table),
            "unique": sorted(map(str, inspector.get_unique_constraints(table))),
            "foreign": sorted(map(str, inspector.get_foreign_keys(table))),
            "indexes": sorted(map(str, inspector.get_indexes(table))),
        }
        for table in sorted(inspector.get_table_names())
    }


async def test_the_scripts_and_the_short_way_make_the_same_schema(settings: Settings, clock: Clock) -> None:
    database = connect(settings.database_url, EventBus(), clock)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(upgrade)
            by_scripts = await connection.run_sync(shape)
            assert await connection.run_sync(differences) == []
            assert await current_revision(connection) == migrations.HEAD
            await connection.run_sync(Base.metadata.drop_all)
            await connection.execute(text("DROP TABLE alembic_version"))
        assert await migrate(database) is None
        async with database.engine.connect() as connection:
            assert await connection.run_sync(shape) == by_scripts
            assert await connection.run_sync(differences) == []
            assert await current_revision(connection) == migrations.HEAD
        assert len(by_scripts) == 20
    finally:
        await database.close()


async def test_every_script_can_be_taken_back(settings: Settings, clock: Clock) -> None:
    def down(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(next(iter(migrations.__path__))))
        config.attributes["connection"] = connection
        command.downgrade(config, "base")

    database = connect(settings.database_url, EventBus(), clock)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(upgrade)
            await connection.run_sync(down)
            left = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        assert left == ["alembic_version"]
    finally:
        await database.close()


def test_the_list_of_revisions_is_alembics() -> None:
    config = Config()
    config.set_main_option("script_location", str(next(iter(migrations.__path__))))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [migrations.HEAD]
    assert tuple(script.revision for script in reversed(list(scripts.walk_revisions()))) == migrations.REVISIONS


async def test_second_start_runs_nothing(context: ServerContext) -> None:
    assert await migrate(context.database) == migrations.HEAD


async def test_no_start_loads_alembic_without_need(settings: Settings, clock: Clock) -> None:
    loaded = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "alembic"}
    database = connect(settings.database_url, EventBus(), clock)
    try:
        assert await migrate(database) is None
        assert await migrate(database) == migrations.HEAD
        assert "alembic" not in sys.modules
    finally:
        sys.modules.update(loaded)
        await database.close()


async def test_newer_schema_is_refused_and_left_alone(context: ServerContext, clock: Clock) -> None:
    async with context.database.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerSchemaError, match=r"9999.*Install the version that wrote it"):
        await build_context(context.settings, clock)
    async with context.database.engine.connect() as connection:
        assert (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar() == "9999"


async def test_interrupted_migration_leaves_an_empty_database(settings: Settings, clock: Clock) -> None:
    database = connect(settings.database_url, EventBus(), clock)
    try:
        async with database.engine.begin() as connection:
            # The last table that is made is in the way: it fails near its end.
            await connection.execute(text("CREATE TABLE sessions (wrong INTEGER)"))
        with pytest.raises(SQLAlchemyError):
            await migrate(database)
        async with database.engine.begin() as connection:
            tables = await connection.run_sync(lambda sync: sync.dialect.get_table_names(sync))
            assert tables == ["sessions"]
            await connection.execute(text("DROP TABLE sessions"))
        assert await migrate(database) is None
    finally:
        await database.close()
