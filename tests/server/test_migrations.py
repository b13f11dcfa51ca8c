"""The schema: complete, brought up to date once, never run backwards."""

import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from tests.server.fixtures import Clock

from aimindserve.server.bootstrap import build_context
from aimindserve.server.context import ServerContext
from aimindserve.server.db import migrations
from aimindserve.server.db.engine import connect
from aimindserve.server.db.migrate import NewerSchemaError, migrate
from aimindserve.server.db.tables import Base
from aimindserve.server.events import EventBus
from aimindserve.server.settings import Settings


async def test_migrations_make_exactly_the_tables_of_the_code(context: ServerContext) -> None:
    def differences(connection: Connection) -> list[object]:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata)

    async with context.database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


def test_the_list_of_revisions_is_alembics() -> None:
    config = Config()
    config.set_main_option("script_location", str(next(iter(migrations.__path__))))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [migrations.HEAD]
    assert tuple(script.revision for script in reversed(list(scripts.walk_revisions()))) == migrations.REVISIONS


async def test_second_start_runs_nothing(context: ServerContext) -> None:
    assert await migrate(context.database) == migrations.HEAD


async def test_second_start_does_not_load_alembic(context: ServerContext) -> None:
    loaded = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "alembic"}
    try:
        await migrate(context.database)
        assert "alembic" not in sys.modules
    finally:
        sys.modules.update(loaded)


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
            # The last table of the first revision is in the way: it fails near its end.
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
