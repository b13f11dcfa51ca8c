"""Backups: made from a live database, proved by a restore, put back whole or not at all."""

import json
import os
import shutil
import sqlite3
import stat
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, text
from tests.server.fixtures import Clock, Postgres, open_context

from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.node.archive import ArchiveError
from aimindserve.server.backup import restoring
from aimindserve.server.backup.making import Backup, make_backup, unpack_checked
from aimindserve.server.backup.moving import move
from aimindserve.server.backup.restoring import exclusively, finish_restore, restore
from aimindserve.server.bootstrap import lock_data, prepare_folders
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import connect
from aimindserve.server.db.tables import DeploymentRow, SettingRow
from aimindserve.server.events import EventBus
from aimindserve.server.files import create_private_file, make_private_folder
from aimindserve.server.secrets import read_secret, write_secret
from aimindserve.server.settings import Settings

TOKEN = "hf_canary_of_the_backup_0123456789"
VALUES = [None, 1, 1.0, 1.5, "text 描述", [1, {"b": 2.0, "a": None}], {"z": 1, "a": "é"}, 2**53, "", True]


async def fill(context: ServerContext) -> None:
    """Rows with everything that databases keep differently."""
    spec = DeploymentSpec(name="m", source="demo://tiny-vlm", parameters=("--a=1",), env={"A": "描述"})
    async with context.database.unit_of_work() as work:
        for number, value in enumerate(VALUES):
            work.session.add(SettingRow(name=f"s{number}", value=value, updated_at=1.000001 + number))
        work.session.add(DeploymentRow(id="d", name="m", spec=spec, created_at=1.25, updated_at=1e9 + 1 / 3))
        await write_secret(work, context.vault, "token", TOKEN, hint="6789")
        work.record("setting.changed", subject="s", detail={"a": [1, 2.5]})


async def contents(settings: Settings) -> list[object]:
    """What a person would miss: settings, deployments, the secret in clear, the last event's number."""
    async with open_context(settings, Clock()) as context, context.database.read() as session:
        values = [(row.name, row.value) for row in await session.scalars(select(SettingRow).order_by(SettingRow.name))]
        rows = [(row.name, row.spec, row.facts, row.updated_at) for row in await session.scalars(select(DeploymentRow))]
        nulls = await session.scalar(text("SELECT count(*) FROM deployments WHERE facts IS NULL"))
        secret = await read_secret(session, context.vault, "token")
    return [values, rows, nulls, secret]


@pytest.fixture
async def filled(settings: Settings, clock: Clock) -> AsyncIterator[ServerContext]:
    async with open_context(settings, clock) as context:
        await fill(context)
        yield context


def elsewhere(tmp_path: Path, url: str = "") -> Settings:
    """A new, empty installation."""
    return Settings.model_validate({"data_dir": str(tmp_path / "other"), "database_url": url, "port": 0})


def inside(settings: Settings, pattern: str) -> list[Path]:
    """What the data folder holds."""
    return sorted(Path(settings.data_dir).glob(pattern))


def database_file(settings: Settings) -> bytes:
    return Path(settings.paths.database).read_bytes()


async def restored(settings: Settings, path: Path, *, force: bool = False) -> Path | None:
    with exclusively(settings):
        return (await restore(settings, path, force=force))[1]


async def test_a_backup_of_a_live_server_comes_back_elsewhere(filled: ServerContext, tmp_path: Path) -> None:
    made = await make_backup(filled.settings, tmp_path / "b.tar.gz")
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert made.manifest.tables["deployments"].rows == 1
    assert inside(filled.settings, ".backup-*") == []
    other = elsewhere(tmp_path)
    assert await restored(other, made.path) is None
    assert await contents(other) == await contents(filled.settings)
    for path in inside(other, "**/*"):
        assert stat.S_IMODE(path.lstat().st_mode) & 0o077 == 0, path


async def test_what_an_archive_holds(filled: ServerContext, tmp_path: Path) -> None:
    made = await make_backup(filled.settings, tmp_path / "b.tar.gz")
    with tarfile.open(made.path) as archive:
        names = archive.getnames()
        manifest = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert names[0] == "manifest.json"
    assert {"database.sqlite", "keys/pepper", "keys/secrets", "initial_admin_password", "settings.json"} <= set(names)
    assert (manifest["kind"], manifest["format"]) == ("backup", 1)
    assert TOKEN not in json.dumps(manifest)


async def test_a_backup_is_not_written_over(filled: ServerContext, tmp_path: Path) -> None:
    target = tmp_path / "b.tar.gz"
    target.write_text("precious")
    with pytest.raises(ArchiveError) as refused:
        await make_backup(filled.settings, target)
    assert (refused.value.why.code, target.read_text()) == (ReasonCode.FILE_EXISTS, "precious")
    await make_backup(filled.settings, target, replace=True)
    assert target.stat().st_size > 1000


async def test_nothing_is_left_of_a_backup_that_cannot_be_written(filled: ServerContext, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        await make_backup(filled.settings, tmp_path / "no" / "b.tar.gz")
    assert inside(filled.settings, ".backup-*") == []


async def test_there_must_be_something_to_back_up(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError) as refused:
        await make_backup(settings, tmp_path / "b.tar.gz")
    assert refused.value.why.code == ReasonCode.NOTHING_STORED


@pytest.fixture
async def sqlite_settings(data_dir: Path) -> Settings:
    made = Settings.model_validate({"data_dir": str(data_dir), "port": 0})
    prepare_folders(made)
    return made


@pytest.fixture
async def backup(sqlite_settings: Settings, tmp_path: Path) -> Backup:
    async with open_context(sqlite_settings, Clock()) as context:
        await fill(context)
        return await make_backup(sqlite_settings, tmp_path / "b.tar.gz")


async def test_the_archive_is_readable_in_every_cut_and_changed_form_as_damage(backup: Backup, tmp_path: Path) -> None:
    """Cut anywhere or changed anywhere, it is refused with a reason and never with a crash."""
    whole = backup.path.read_bytes()
    step = max(1, len(whole) // 25)
    cuts = [whole[:at] for at in range(0, len(whole), step)]
    flips = [whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :] for at in range(10, len(whole), step)]
    for number, data in enumerate([*cuts, *flips]):
        broken = tmp_path / "broken"
        broken.write_bytes(data)
        folder = tmp_path / f"f{number}"
        folder.mkdir()
        with pytest.raises(ArchiveError) as refused:
            unpack_checked(broken, folder)
        # A changed byte may also turn a file's name or kind into one that is never unpacked.
        assert refused.value.why.code in {
            ReasonCode.ARCHIVE_DAMAGED,
            ReasonCode.ARCHIVE_FOREIGN,
            ReasonCode.ARCHIVE_UNSAFE,
        }
        shutil.rmtree(folder)


async def test_data_is_replaced_only_by_force_and_moved_aside(
    backup: Backup, sqlite_settings: Settings, tmp_path: Path
) -> None:
    before = await contents(sqlite_settings)
    async with open_context(sqlite_settings, Clock()) as context, context.database.unit_of_work(quiet=True) as work:
        work.session.add(SettingRow(name="later", value=1, updated_at=2.0))
    later = await contents(sqlite_settings)
    with pytest.raises(ArchiveError) as refused:
        await restored(sqlite_settings, backup.path)
    assert refused.value.why.code == ReasonCode.RESTORE_NOT_EMPTY
    assert await contents(sqlite_settings) == later
    aside = await restored(sqlite_settings, backup.path, force=True)
    assert aside is not None
    assert await contents(sqlite_settings) == before
    with sqlite3.connect(aside / "database.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM settings WHERE name = 'later'").fetchone() == (1,)
    connection.close()


async def test_a_damaged_backup_changes_nothing_even_by_force(
    backup: Backup, sqlite_settings: Settings, tmp_path: Path
) -> None:
    before = await contents(sqlite_settings)
    (tmp_path / "cut").write_bytes(backup.path.read_bytes()[:-2000])
    with pytest.raises(ArchiveError):
        await restored(sqlite_settings, tmp_path / "cut", force=True)
    assert await contents(sqlite_settings) == before
    assert inside(sqlite_settings, ".restore") == []


async def test_a_running_server_is_not_restored_over(backup: Backup, sqlite_settings: Settings) -> None:
    lock = lock_data(sqlite_settings.paths)
    try:
        with pytest.raises(ArchiveError) as refused:
            await restored(sqlite_settings, backup.path, force=True)
    finally:
        os.close(lock)
    assert refused.value.why.code == ReasonCode.SERVER_RUNNING


@pytest.mark.parametrize("step", range(0, 13, 4))
async def test_a_restore_that_dies_in_the_middle_is_finished_by_the_next_start(
    backup: Backup, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """After any number of steps the process is gone; afterwards all of the backup is there, and nothing of before."""
    before = await contents(sqlite_settings)
    async with open_context(sqlite_settings, Clock()) as context, context.database.unit_of_work(quiet=True) as work:
        work.session.add(SettingRow(name="later", value=1, updated_at=2.0))
    done, really = 0, restoring._move

    def dying(path: Path, target: Path) -> None:
        nonlocal done
        if done == step:
            raise KeyboardInterrupt
        done += 1
        really(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(restoring, "_move", dying)
        with pytest.raises(KeyboardInterrupt), exclusively(sqlite_settings):
            await restore(sqlite_settings, backup.path, force=True)
    assert await finish_restore(sqlite_settings)
    assert await contents(sqlite_settings) == before
    assert not await finish_restore(sqlite_settings)
    assert len(inside(sqlite_settings, "replaced-*/database.sqlite")) == 1


async def test_a_restore_that_dies_before_its_mark_leaves_everything(backup: Backup, sqlite_settings: Settings) -> None:
    before = await contents(sqlite_settings)
    make_private_folder(Path(sqlite_settings.paths.staged_restore))
    create_private_file(Path(sqlite_settings.paths.staged_restore / "database.sqlite"), b"half")
    assert not await finish_restore(sqlite_settings)
    assert inside(sqlite_settings, ".restore") == []
    assert await contents(sqlite_settings) == before


async def test_a_backup_of_a_newer_schema_is_refused(
    backup: Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aimindserve.server.backup import making

    monkeypatch.setattr(making, "REVISIONS", ("0001",))
    with pytest.raises(ArchiveError) as refused:
        await restored(elsewhere(tmp_path), backup.path)
    assert refused.value.why.code == ReasonCode.BACKUP_NEWER


async def test_from_sqlite_to_postgresql_and_back(
    backup: Backup, sqlite_settings: Settings, postgres: Postgres, tmp_path: Path
) -> None:
    """``migrate``, then a backup of PostgreSQL restored into SQLite: the same contents all the way."""
    before, content = await contents(sqlite_settings), database_file(sqlite_settings)
    target = sqlite_settings.model_copy(
        update={"database_url": elsewhere(tmp_path, postgres.new_database()).database_url}
    )
    with exclusively(sqlite_settings):
        arrived = await move(sqlite_settings, target)
        assert arrived == backup.manifest.tables
        with pytest.raises(ArchiveError) as refused:
            await move(sqlite_settings, target)
    assert refused.value.why.code == ReasonCode.DATABASE_NOT_EMPTY
    assert database_file(sqlite_settings) == content
    assert await contents(target) == before
    async with open_context(target, Clock()) as context, context.database.unit_of_work() as work:
        work.record("setting.changed", subject="numbers go on after those that were copied")
    back = await make_backup(target, tmp_path / "pg.tar.gz")
    other = elsewhere(tmp_path)
    await restored(other, back.path)
    assert await contents(other) == before


async def test_a_move_that_fails_leaves_the_target_empty(
    sqlite_settings: Settings, backup: Backup, postgres: Postgres, tmp_path: Path
) -> None:
    with sqlite3.connect(sqlite_settings.paths.database) as connection:  # longer than PostgreSQL's column takes
        connection.execute("INSERT INTO settings VALUES (?, '1', 1.0)", ("x" * 200,))
    connection.close()
    target = elsewhere(tmp_path, postgres.new_database())
    prepare_folders(target)
    with pytest.raises(Exception, match="too long"), exclusively(sqlite_settings):
        await move(sqlite_settings, target)
    database = connect(target.database_url, EventBus(), Clock())
    try:
        async with database.engine.connect() as connection:
            left = await connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
    finally:
        await database.close()
    assert left == 0


async def test_an_older_version_clears_away_tables_of_a_newer_one(filled: ServerContext, tmp_path: Path) -> None:
    """An upgrade that failed is taken back: what the newer version made must not be in the way of the next try."""
    if filled.database.is_sqlite:
        pytest.skip("there the whole file is replaced")
    before = await contents(filled.settings)
    made = await make_backup(filled.settings, tmp_path / "b.tar.gz")
    async with filled.database.engine.begin() as connection:
        for statement in (
            "CREATE TABLE later (user_id VARCHAR(32) REFERENCES users (id))",
            "CREATE TABLE somebody_elses (x INTEGER)",
            "UPDATE alembic_version SET version_num = '9999'",
            "COMMENT ON TABLE alembic_version IS 'users,later,settings'",
        ):
            await connection.execute(text(statement))
    await filled.database.close()
    await restored(filled.settings, made.path, force=True)
    assert await contents(filled.settings) == before
    database = connect(filled.settings.database_url, EventBus(), Clock())
    try:
        async with database.engine.connect() as connection:
            left = set(await connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
    finally:
        await database.close()
    assert "later" not in left
    assert "somebody_elses" in left


async def test_a_restore_over_postgresql_keeps_what_was_there(filled: ServerContext, tmp_path: Path) -> None:
    if filled.database.is_sqlite:
        pytest.skip("the other tests do it for SQLite")
    before = await contents(filled.settings)
    made = await make_backup(filled.settings, tmp_path / "b.tar.gz")
    async with filled.database.unit_of_work(quiet=True) as work:
        work.session.add(SettingRow(name="later", value=1, updated_at=2.0))
    await filled.database.close()
    with pytest.raises(ArchiveError) as refused:
        await restored(filled.settings, made.path)
    assert refused.value.why.code == ReasonCode.RESTORE_NOT_EMPTY
    aside = await restored(filled.settings, made.path, force=True)
    assert await contents(filled.settings) == before
    assert aside is not None
    with sqlite3.connect(aside / "database.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM settings WHERE name = 'later'").fetchone() == (1,)
    connection.close()
