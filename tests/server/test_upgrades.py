"""Data that earlier versions wrote: every schema before today's, filled, is backed up and brought up to date whole."""

import json
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from tests.server.fixtures import Clock, client_of, local_key, open_context

from aimindserve.domain.archives import BackupManifest
from aimindserve.node.archive import read_manifest
from aimindserve.server.app import create_app
from aimindserve.server.backup.automatic import KEPT
from aimindserve.server.backup.rows import drop_tables, revision_of
from aimindserve.server.bootstrap import build_context
from aimindserve.server.db.engine import connect
from aimindserve.server.db.migrate import make_schema
from aimindserve.server.db.migrations import HEAD, REVISIONS
from aimindserve.server.events import EventBus
from aimindserve.server.files import create_private_file, make_private_folder
from aimindserve.server.settings import Settings

SPEC = {"name": "eye", "source": "demo://tiny-vlm", "engine": "auto", "parameters": ["--ctx-size=2048"], "replicas": 1}
# Rows as schema 0001 took them. Later columns have to do with what their migrations give them.
RECORDED = {
    "users": {
        "id": "u1", "username": "ada", "password_hash": "!", "is_admin": True, "role": "admin", "disabled": False,
        "must_change_password": False, "created_at": 1.5, "last_login_at": None,
    },
    "nodes": {
        "id": "n1", "hostname": "box", "address": "127.0.0.1", "boot_id": "", "facts": None,
        "desired_revision": 3, "acked_revision": 2, "created_at": 1.0, "last_report_at": None,
    },
    "deployments": {
        "id": "d1", "name": "eye", "spec": SPEC, "wanted": "stopped", "generation": 2, "revision": 7, "facts": None,
        "created_at": 1.25, "updated_at": 1e9 + 1 / 3,
    },
    "api_keys": {
        "id": "k1", "digest": "d" * 64, "user_id": "u1", "name": "laptop", "scopes": ["inference"], "models": None,
        "expires_at": None, "disabled": False, "system": False, "created_at": 2.0, "last_used_at": None,
    },
    "settings": {"name": "remembered", "value": {"a": [1, 2.5, None]}, "updated_at": 3.0},
    "events": {
        "id": 41, "at": 4.0, "kind": "deployment.created", "deployment": "eye", "subject": "eye", "actor": "ada",
        "payload": {"replicas": 1},
    },
}  # fmt: skip
JSON_COLUMNS = {"facts", "spec", "scopes", "models", "value", "payload"}


def fill(connection: Connection) -> None:
    """The recorded rows, as far as this schema has their columns."""
    for table, row in RECORDED.items():
        known = {column["name"] for column in inspect(connection).get_columns(table)}
        values = {
            name: json.dumps(value) if name in JSON_COLUMNS and value is not None else value
            for name, value in row.items()
            if name in known
        }
        names = ", ".join(f'"{name}"' for name in values)
        as_json = connection.dialect.name == "postgresql"
        marks = ", ".join(
            f"CAST(:{name} AS JSONB)" if as_json and name in JSON_COLUMNS else f":{name}" for name in values
        )
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


async def make_old(settings: Settings, revision: str) -> None:
    """The database as a version with this schema left it."""
    database = connect(settings.database_url, EventBus(), time.time)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(make_schema, revision)
            await connection.run_sync(fill)
    finally:
        await database.close()


def backups(settings: Settings) -> list[Path]:
    return sorted(Path(settings.paths.backups).glob("*.tar.gz"))


@pytest.mark.parametrize("revision", REVISIONS[:-1])
async def test_data_of_an_earlier_version_is_served_after_a_backup(settings: Settings, revision: str) -> None:
    await make_old(settings, revision)
    async with (
        open_context(settings, Clock()) as context,
        client_of(create_app(context), local_key(context)) as client,
    ):
        shown = (await client.get("/api/v1/deployments/eye")).raise_for_status().json()
        assert (shown["phase"], shown["spec"]["parameters"]) == ("stopped", ["--ctx-size=2048"])
        keys = (await client.get("/api/v1/keys")).raise_for_status().json()["items"]
        events = (await client.get("/api/v1/events", params={"deployment": "eye"})).raise_for_status().json()["items"]
        async with context.database.engine.connect() as connection:
            assert await connection.run_sync(revision_of) == HEAD
            roles = await connection.execute(text("SELECT role FROM users WHERE username = 'ada'"))
            assert roles.scalar_one() == "admin"
            stored = await connection.execute(text("SELECT updated_at, revision FROM deployments"))
            assert stored.one() == (1e9 + 1 / 3, 7)
    assert [key["name"] for key in keys if key["id"] == "k1"] in ([], ["laptop"])  # ada's, not this account's
    assert events[0]["id"] == 41
    manifest = read_manifest(backups(settings)[0], BackupManifest)
    assert (manifest.schema_revision, manifest.tables["deployments"].rows) == (revision, 1)


async def test_an_upgrade_that_fails_leaves_the_old_schema_and_a_backup(settings: Settings) -> None:
    await make_old(settings, "0001")
    database = connect(settings.database_url, EventBus(), time.time)
    try:
        async with database.engine.begin() as connection:  # a table of a later migration is in the way
            await connection.execute(text("CREATE TABLE estimates (wrong INTEGER)"))
        with pytest.raises(SQLAlchemyError):
            await build_context(settings, Clock())
        async with database.engine.begin() as connection:
            assert await connection.run_sync(revision_of) == "0001"
            tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
            assert "model_orders" not in tables
            await connection.execute(text("DROP TABLE estimates"))
    finally:
        await database.close()
    assert len(backups(settings)) == 1
    async with open_context(settings, Clock()) as context, context.database.engine.connect() as connection:
        assert await connection.run_sync(revision_of) == HEAD


async def test_without_its_backup_no_schema_is_changed(settings: Settings) -> None:
    await make_old(settings, "0001")
    create_private_file(Path(settings.paths.backups), b"a file where the folder belongs")
    with pytest.raises(OSError, match="File exists"):
        await build_context(settings, Clock())
    database = connect(settings.database_url, EventBus(), time.time)
    try:
        async with database.engine.connect() as connection:
            assert await connection.run_sync(revision_of) == "0001"
    finally:
        await database.close()


async def test_a_schema_of_today_needs_no_backup_and_old_ones_are_cleared_away(settings: Settings) -> None:
    async with open_context(settings, Clock()):
        pass
    assert backups(settings) == []
    folder = Path(settings.paths.backups)
    make_private_folder(folder)
    for name in (*(f"schema-0000-{number}.tar.gz" for number in range(5)), "mine.tar.gz"):
        create_private_file(folder / name, b"old")
    database = connect(settings.database_url, EventBus(), time.time)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(drop_tables)
    finally:
        await database.close()
    await make_old(settings, "0001")
    async with open_context(settings, Clock()):
        pass
    assert len(backups(settings)) == KEPT + 1
    assert folder / "mine.tar.gz" in backups(settings)
