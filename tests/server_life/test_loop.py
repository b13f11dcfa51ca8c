"""The loop helper, and all reconcilers running by themselves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from sqlalchemy import func, select
from tests.server.fixtures import WAIT_SECONDS
from tests.server_life.life import Life, only, until

from aimindserve.domain.lifecycle import Phase
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.routing import RouteState, RoutingTable
from aimindserve.server.channel import GatewayChannel
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import EventRow, SessionRow, UserRow
from aimindserve.server.events import EventBus
from aimindserve.server.identity import SESSION_IDLE_SECONDS
from aimindserve.server.reconcile.cleanup import EVENTS_KEPT_SECONDS, reconcile_cleanup
from aimindserve.server.reconcile.life import Reconcilers
from aimindserve.server.reconcile.loop import Loop, contain, wake_after_commits
from aimindserve.sim.fake_node import FakeFabric, FakeNode


@asynccontextmanager
async def running(*loops: Loop) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group, asyncio.timeout(WAIT_SECONDS):
        tasks = [group.create_task(loop.run()) for loop in loops]
        yield
        for task in tasks:
            task.cancel()


class Steps:
    """A step that counts itself, waits to be let on, and fails when told to."""

    def __init__(self) -> None:
        self.count = 0
        self.at_once = 0
        self.most_at_once = 0
        self.failing = False
        self.began = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> None:
        self.count += 1
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        self.began.set()
        try:
            await self.gate.wait()
        finally:
            self.at_once -= 1
        if self.failing:
            raise RuntimeError("told to fail")

    async def reach(self, count: int) -> None:
        while self.count < count:
            self.began.clear()
            await self.began.wait()


async def test_a_wake_makes_one_more_step_and_never_two_at_once() -> None:
    steps = Steps()
    loop = Loop("test", steps, period=3600)
    async with running(loop):
        steps.gate.clear()
        await steps.reach(1)
        for _ in range(100):
            loop.wake()
        steps.gate.set()
        await steps.reach(2)
        await until(lambda: loop.rounds == 2)
        for _ in range(20):
            await asyncio.sleep(0)
        assert steps.count == 2, "a hundred wakes during one step are one"
    assert steps.most_at_once == 1


@pytest.mark.parametrize("turns", range(5))
async def test_a_cancellation_that_comes_with_a_wake_is_not_lost(turns: int) -> None:
    bus = EventBus()
    loop = Loop("test", Steps(), period=3600)
    tasks = [asyncio.create_task(loop.run()), asyncio.create_task(wake_after_commits(bus, list))]
    await until(lambda: loop.rounds)
    for _ in range(10):
        await asyncio.sleep(0)
    bus.wake()
    loop.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    _, lost = await asyncio.wait(tasks, timeout=WAIT_SECONDS)
    for task in lost:
        task.cancel()
    assert not lost, "the server would never stop"


async def test_the_period_makes_steps_without_wakes() -> None:
    steps = Steps()
    async with running(Loop("test", steps, period=0.001)):
        await steps.reach(3)


async def test_wakes_do_not_shorten_the_pause_after_a_failure() -> None:
    steps = Steps()
    steps.failing = True
    loop = Loop("test", steps, period=0.001, first_pause=3600)
    async with running(loop):
        await until(lambda: loop.failures)
        for _ in range(100):
            loop.wake()
            await asyncio.sleep(0)
        assert steps.count == 1


async def test_a_failing_step_is_tried_again_and_then_forgotten() -> None:
    steps = Steps()
    steps.failing = True
    loop = Loop("test", steps, period=3600, first_pause=0.001)
    async with running(loop):
        await steps.reach(3)
        assert loop.tried.is_set()
        assert loop.rounds == 0
        steps.failing = False
        await until(lambda: loop.rounds == 1)
        assert loop.failures == 0


async def test_commits_wake_loops() -> None:
    steps, bus = Steps(), EventBus()
    loop = Loop("test", steps, period=3600)
    async with running(loop), asyncio.TaskGroup() as group:
        waker = group.create_task(wake_after_commits(bus, lambda: [loop]))
        await steps.reach(1)
        bus.wake()
        await steps.reach(2)
        waker.cancel()


@pytest.fixture
async def channel(context: ServerContext, fabric: FakeFabric) -> AsyncIterator[GatewayChannel]:
    """All reconcilers running; the table that they publish."""
    made = GatewayChannel(context)
    over = asyncio.Event()

    async def live() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(Reconcilers(context, fabric, made).run())
            await over.wait()
            task.cancel()

    async with asyncio.TaskGroup() as group:
        group.create_task(live())
        yield made
        over.set()


async def published(channel: GatewayChannel, state: RouteState) -> RoutingTable:
    """The table once its only route is in ``state``."""

    def there() -> bool:
        return channel.table is not None and [route.state for route in channel.table.routes] == [state]

    await until(there)
    assert channel.table is not None
    return channel.table


async def test_a_deployment_goes_its_way_without_a_push(
    channel: GatewayChannel, life: Life, node: FakeNode, cli: httpx.AsyncClient
) -> None:
    body = {"name": "eye", "source": "demo://tiny-vlm"}
    (await cli.post("/api/v1/deployments", json=body)).raise_for_status()
    table = await published(channel, RouteState.READY)
    assert table.routes[0].endpoints[0].port == node.held[only(node)].port
    assert life.context.readiness.reconciled
    assert await life.phase() is Phase.READY
    node.crash(only(node), reason(ReasonCode.ENGINE_KILLED, signal="KILL"), retry_at=life.clock.now + 1)
    assert (await published(channel, RouteState.FAILED)).version > table.version
    await cli.post("/api/v1/deployments/eye/stop")
    await published(channel, RouteState.STOPPED)
    await until(lambda: node.held == {})


async def test_a_deaf_node_does_not_keep_the_server_from_starting(
    channel: GatewayChannel, fabric: FakeFabric, life: Life
) -> None:
    fabric.deaf.add("one")
    await life.add()
    await published(channel, RouteState.STARTING)
    assert life.context.readiness.reconciled
    fabric.deaf.clear()
    await published(channel, RouteState.READY)


async def test_what_nobody_needs_is_removed_and_nothing_else(life: Life) -> None:
    async with life.context.database.unit_of_work(quiet=True) as work:
        user = await work.session.scalar(select(UserRow))
        assert user is not None
        ages = {"old": SESSION_IDLE_SECONDS + 1, "new": SESSION_IDLE_SECONDS - 60}
        for digest, age in ages.items():
            at = work.now - age
            work.session.add(SessionRow(digest=digest, user_id=user.id, created_at=at, seen_at=at))
        work.record("test.recent")
    async with life.context.database.unit_of_work(quiet=True) as work:
        kept = await work.session.scalar(select(func.count()).select_from(EventRow))
        old = work.now - EVENTS_KEPT_SECONDS - 1
        work.session.add(EventRow(at=old, kind="test.old", actor="tests", payload={}))
    assert await reconcile_cleanup(life.context) == 2
    assert await reconcile_cleanup(life.context) == 0
    async with life.context.database.read() as session:
        assert list(await session.scalars(select(SessionRow.digest))) == ["new"]
        assert await session.scalar(select(func.count()).select_from(EventRow)) == kept


async def test_a_defect_in_a_contained_task_ends_only_that_task() -> None:
    """A gateway connection runs so: what one gateway provokes must not end the server."""

    async def defective() -> None:
        raise TypeError("a defect")

    other = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        failed = group.create_task(contain("defective", defective()))
        group.create_task(contain("other", asyncio.sleep(0, other.set())))
    assert failed.exception() is None
    assert other.is_set()


async def test_a_contained_task_can_be_cancelled() -> None:
    task = asyncio.ensure_future(contain("endless", asyncio.Event().wait()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
