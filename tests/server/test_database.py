"""Units of work: all or nothing, with their events, on both databases."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select, text, update
from sqlalchemy.exc import IntegrityError
from tests.server.fixtures import WAIT_SECONDS

from aimindserve.domain.replicas import Assignment, Claim
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import Database, UnrecordedChangeError, connect
from aimindserve.server.db.tables import (
    Base,
    DeploymentRow,
    EventRow,
    SettingRow,
    UserRow,
)
from aimindserve.server.events import EventBus


@pytest.fixture
def database(context: ServerContext) -> Database:
    return context.database


def setting(name: str, value: Any = 1) -> SettingRow:
    return SettingRow(name=name, value=value, updated_at=0.0)


async def names(database: Database) -> set[str]:
    async with database.read() as session:
        return set(await session.scalars(select(SettingRow.name)))


async def count_events(database: Database) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(EventRow)) or 0


async def test_change_and_event_are_stored_together(database: Database) -> None:
    before = await count_events(database)
    async with database.unit_of_work("someone") as work:
        work.session.add(setting("a"))
        work.record("setting.changed", subject="a", value=1)
    assert "a" in await names(database)
    async with database.read() as session:
        last = (await session.scalars(select(EventRow).order_by(EventRow.id.desc()).limit(1))).one()
    assert (last.kind, last.subject, last.actor, last.payload) == (
        "setting.changed",
        "a",
        "someone",
        {"value": 1},
    )
    assert await count_events(database) == before + 1


async def test_failure_inside_leaves_nothing(database: Database) -> None:
    before = await count_events(database)

    async def break_off() -> None:
        async with database.unit_of_work() as work:
            work.session.add(setting("a"))
            work.record("setting.changed")
            await work.session.flush()
            raise LookupError

    with pytest.raises(LookupError):
        await break_off()
    assert await names(database) == set()
    assert await count_events(database) == before


async def test_cancellation_leaves_nothing_and_lets_the_next_writer_in(database: Database) -> None:
    written = asyncio.Event()

    async def slow() -> None:
        async with database.unit_of_work(quiet=True) as work:
            work.session.add(setting("a"))
            await work.session.flush()
            written.set()
            await asyncio.sleep(WAIT_SECONDS)

    task = asyncio.create_task(slow())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.unit_of_work(quiet=True) as work:
        work.session.add(setting("b"))
    assert await names(database) == {"b"}


def test_cancelled_statements_are_over_when_the_database_is_closed(tmp_path: Path) -> None:
    async def cancelled_after(steps: int) -> None:
        database = connect(f"sqlite+aiosqlite:///{tmp_path / 'cancelled.sqlite'}", EventBus(), lambda: 0.0)

        async def asked() -> None:
            async with database.read() as session:
                await session.execute(text("SELECT count(*) FROM pragma_function_list a, pragma_function_list b"))

        task = asyncio.create_task(asked())
        for _ in range(steps):
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])
        await database.close()

    before = set(threading.enumerate())
    for steps in range(40):
        asyncio.run(cancelled_after(steps))
        assert not {thread for thread in threading.enumerate() if "connection" in thread.name} - before


async def test_a_change_without_event_is_a_defect(database: Database) -> None:
    with pytest.raises(UnrecordedChangeError):
        async with database.unit_of_work() as work:
            work.session.add(setting("a"))
    with pytest.raises(UnrecordedChangeError):
        async with database.unit_of_work() as work:
            await work.session.execute(update(UserRow).values(disabled=True))
    assert await names(database) == set()


async def test_a_guarded_write_that_matches_nothing_needs_no_event(database: Database) -> None:
    async with database.unit_of_work() as work:
        await work.session.execute(update(SettingRow).where(SettingRow.name == "none").values(value=2))


async def test_listeners_wake_after_the_commit_and_not_before(database: Database) -> None:
    with database.bus.listen() as listener:
        async with database.unit_of_work() as work:
            work.session.add(setting("a"))
            work.record("setting.changed")
            assert not await listener.wait(0.05)
        assert await listener.wait(WAIT_SECONDS)
        assert not await listener.wait(0.0)


@pytest.mark.parametrize("fault", range(6))
async def test_the_nth_statement_fails(database: Database, fault: int) -> None:
    """Whichever statement of a unit breaks, either all of it is there or nothing. Then the next one works."""
    before = await count_events(database)
    seen = 0

    def fail(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal seen
        if statement.startswith(("INSERT", "UPDATE", "DELETE", "COMMIT")):
            seen += 1
            if seen == fault + 1:
                raise OSError(28, "No space left on device")

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", fail)
    failed = False
    try:
        async with database.unit_of_work() as work:
            for name in ("a", "b"):
                work.session.add(setting(name))
                await work.session.flush()
            await work.session.execute(update(SettingRow).where(SettingRow.name == "a").values(value=2))
            work.record("setting.changed")
    except OSError:
        failed = True
    finally:
        event.remove(engine, "before_cursor_execute", fail)
    assert failed == (seen > fault)
    assert await names(database) == (set() if failed else {"a", "b"})
    assert await count_events(database) == before + (0 if failed else 1)
    async with database.unit_of_work(quiet=True) as work:
        work.session.add(setting("c"))
    assert "c" in await names(database)


async def make_promise_tables(database: Database) -> None:
    """A reference that is checked at the end of the transaction: with it, a COMMIT itself can fail."""
    async with database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
        await connection.execute(
            text("CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)")
        )


@pytest.mark.parametrize("nth", [0, 1, 2])
async def test_the_nth_commit_fails(database: Database, nth: int) -> None:
    """What was acknowledged stays; the unit whose COMMIT failed left nothing, not even for the next commit on the
    same connection to take along."""
    await make_promise_tables(database)
    acknowledged: set[str] = set()
    for number, name in enumerate("abc"):
        try:
            async with database.unit_of_work() as work:
                work.session.add(setting(name))
                if number == nth:
                    await work.session.execute(text("INSERT INTO child VALUES (7)"))
                work.record("setting.changed", subject=name)
        except IntegrityError:
            continue
        acknowledged.add(name)
    assert acknowledged == set("abc") - {"abc"[nth]}
    assert await names(database) == acknowledged
    async with database.read() as session:
        subjects = set(await session.scalars(select(EventRow.subject).where(EventRow.kind == "setting.changed")))
    assert subjects == acknowledged


async def test_writers_wait_for_each_other_and_ids_rise_in_commit_order(database: Database) -> None:
    order: list[int] = []

    async def write(number: int) -> None:
        async with database.unit_of_work() as work:
            current = await work.session.scalar(select(SettingRow.value).where(SettingRow.name == "n"))
            await asyncio.sleep(0)
            await work.session.execute(update(SettingRow).where(SettingRow.name == "n").values(value=current + 1))
            work.record("setting.changed", subject=str(number))
            order.append(number)

    async with database.unit_of_work(quiet=True) as work:
        work.session.add(setting("n", 0))
    await asyncio.gather(*(write(number) for number in range(25)))
    async with database.read() as session:
        assert await session.scalar(select(SettingRow.value).where(SettingRow.name == "n")) == 25
        told = await session.scalars(
            select(EventRow.subject).where(EventRow.kind == "setting.changed").order_by(EventRow.id)
        )
        assert [int(subject) for subject in told] == order


async def test_shapes_come_back_as_they_were(database: Database) -> None:
    spec = DeploymentSpec(name="m", source="demo://tiny-vlm", parameters=("--a=1", "--b"), env={"A": "描述"})
    async with database.unit_of_work(quiet=True) as work:
        work.session.add(DeploymentRow(id="d", name="m", spec=spec, created_at=1.25, updated_at=2.000001))
    async with database.read() as session:
        row = (await session.scalars(select(DeploymentRow))).one()
    assert row.spec == spec
    assert (row.created_at, row.updated_at, row.facts) == (1.25, 2.000001, None)
    claim = Assignment(node_id="n", claims=(Claim(device_id="cpu", bytes=2**40),), engine="llama.cpp")
    assert Assignment.model_validate_json(claim.model_dump_json()) == claim


async def test_references_are_enforced(database: Database) -> None:
    from aimindserve.server.db.tables import SessionRow

    with pytest.raises(IntegrityError):
        async with database.unit_of_work(quiet=True) as work:
            work.session.add(SessionRow(digest="x", user_id="nobody", created_at=0.0, seen_at=0.0))


async def test_sqlite_is_durable(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("SQLite's own settings")
    async with database.read() as session:
        found = {
            pragma: await session.scalar(text(f"PRAGMA {pragma}"))
            for pragma in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_the_tables() -> None:
    assert sorted(Base.metadata.tables) == [
        "aliases",
        "api_keys",
        "code_approvals",
        "corrections",
        "deployments",
        "environment_orders",
        "estimates",
        "events",
        "hub_facts",
        "model_orders",
        "nodes",
        "replicas",
        "secrets",
        "sessions",
        "settings",
        "starts",
        "usage",
        "usage_days",
        "users",
    ]
