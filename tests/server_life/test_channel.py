"""The gateways' socket: tables out, usage in, whatever a gateway does."""

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from tests.server.fixtures import WAIT_SECONDS, Clock
from tests.server_life.life import ON_SQLITE, record, until

from aimindserve.domain.routing import Endpoint, Route, RouteState, RoutingTable
from aimindserve.domain.usage import UsageRecord
from aimindserve.server.channel import GatewayChannel
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import UsageRow

# What the socket does has nothing to do with the database; what is stored is in test_usage.
pytestmark = ON_SQLITE


def table(*names: str, padding: int = 0) -> RoutingTable:
    endpoint = Endpoint(replica_id="r", host="127.0.0.1", port=40_000, engine_key="secret")
    return RoutingTable(
        version=0,
        routes=tuple(
            Route(
                model=name,
                deployment_id=name,
                state=RouteState.READY,
                endpoints=(endpoint,),
                detail="x" * padding,
            )
            for name in names
        ),
    )


class Gateway:
    """A gateway as it shows itself on the socket: lines of JSON and nothing else."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, message: dict[str, Any]) -> None:
        await self.send_bytes(json.dumps(message).encode() + b"\n")

    async def send_bytes(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def hello(self, version: int = 0) -> None:
        await self.send({"type": "hello", "gateway_id": "g", "pid": 1, "table_version": version})

    async def usage(self, batch: int, *records: UsageRecord) -> None:
        await self.send({"type": "usage", "batch": batch, "records": [asdict(item) for item in records]})

    async def next(self, kind: str) -> dict[str, Any]:
        """The next message of this kind."""
        async with asyncio.timeout(WAIT_SECONDS):
            while line := await self.reader.readline():
                assert line.startswith(b'{"type":'), "the type comes first"
                message = json.loads(line)
                if message["type"] == kind:
                    return message
        raise AssertionError(f"the connection ended before {kind}")

    async def ended(self) -> bool:
        async with asyncio.timeout(WAIT_SECONDS):
            try:
                while await self.reader.readline():
                    pass
            except OSError:
                pass
        return True


Connect = Callable[[], Awaitable[Gateway]]


@pytest.fixture
def path(context: ServerContext) -> Path:
    return Path(context.settings.run_dir) / "gateway.sock"


@asynccontextmanager
async def serving(channel: GatewayChannel) -> AsyncIterator[None]:
    listener = channel.open()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(channel.serve(listener))
        yield
        task.cancel()


@pytest.fixture
async def channel(context: ServerContext) -> AsyncIterator[GatewayChannel]:
    made = GatewayChannel(context)
    running = asyncio.Event()
    over = asyncio.Event()

    async def hold() -> None:
        async with serving(made):
            running.set()
            await over.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(hold())
        await running.wait()
        yield made
        over.set()


@pytest.fixture
async def connect(channel: GatewayChannel, path: Path) -> AsyncIterator[Connect]:
    made: list[Gateway] = []

    async def open_one() -> Gateway:
        made.append(Gateway(*await asyncio.open_unix_connection(str(path), limit=2**26)))
        return made[-1]

    yield open_one
    for gateway in made:
        gateway.writer.close()


async def test_only_this_account_can_connect(channel: GatewayChannel, path: Path) -> None:
    mode = os.stat(path).st_mode  # noqa: PTH116  # a look at a socket does not block
    assert stat.S_IMODE(mode) == 0o600


async def test_a_gateway_gets_the_table_when_it_says_hello(channel: GatewayChannel, connect: Connect) -> None:
    channel.publish(table("eye"))
    gateway = await connect()
    await gateway.hello()
    got = (await gateway.next("table"))["table"]
    assert channel.table is not None
    assert got["version"] == channel.table.version > 0
    assert got["routes"][0]["endpoints"][0]["engine_key"] == "secret"


async def test_a_gateway_that_comes_first_waits_for_the_first_table(channel: GatewayChannel, connect: Connect) -> None:
    gateway = await connect()
    await gateway.hello()
    channel.publish(table("eye"))
    assert (await gateway.next("table"))["table"]["routes"][0]["model"] == "eye"


async def test_every_change_reaches_every_gateway_with_a_higher_version(
    channel: GatewayChannel, connect: Connect
) -> None:
    channel.publish(table("eye"))
    first, second = await connect(), await connect()
    versions = []
    for gateway in (first, second):
        await gateway.hello()
        versions.append((await gateway.next("table"))["table"]["version"])
    assert channel.publish(table("eye", "ear"))
    for gateway, version in zip((first, second), versions, strict=True):
        newer = (await gateway.next("table"))["table"]
        assert newer["version"] > version
        assert [route["model"] for route in newer["routes"]] == ["eye", "ear"]


async def test_an_unchanged_table_is_not_sent_again(channel: GatewayChannel) -> None:
    assert channel.publish(table("eye"))
    version = channel.table and channel.table.version
    assert not channel.publish(table("eye"))
    assert channel.table
    assert channel.table.version == version


async def test_versions_rise_above_those_of_an_earlier_server(
    channel: GatewayChannel, connect: Connect, clock: Clock
) -> None:
    channel.publish(table("eye"))
    ahead = int(clock.now * 1000) + 5_000_000
    gateway = await connect()
    await gateway.hello(ahead)
    assert (await gateway.next("table"))["table"]["version"] > ahead


async def test_gateways_that_hold_a_table_are_counted(
    channel: GatewayChannel, connect: Connect, context: ServerContext
) -> None:
    channel.publish(table("eye"))
    gateway = await connect()
    await gateway.hello()
    version = (await gateway.next("table"))["table"]["version"]
    assert context.readiness.gateways == 0
    await gateway.send({"type": "table_ack", "version": version})
    await until(lambda: context.readiness.gateways == 1)
    gateway.writer.close()
    await until(lambda: context.readiness.gateways == 0)


async def test_usage_waits_until_it_can_be_stored(
    channel: GatewayChannel, connect: Connect, context: ServerContext
) -> None:
    async with context.database.unit_of_work(quiet=True) as work:
        await work.session.execute(text("ALTER TABLE usage RENAME TO elsewhere"))
    gateway = await connect()
    await gateway.hello()
    await gateway.usage(1, record(1))
    channel.publish(table("eye"))
    await gateway.next("table")
    async with context.database.unit_of_work(quiet=True) as work:
        await work.session.execute(text("ALTER TABLE elsewhere RENAME TO usage"))
    assert (await gateway.next("usage_ack"))["batch"] == 1
    async with context.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(UsageRow)) == 1


async def test_loads_are_known(channel: GatewayChannel, connect: Connect) -> None:
    gateway = await connect()
    await gateway.send({"type": "loads", "in_flight": {"r": 3}, "last_request_at": {"eye": 5.0}})
    await until(lambda: [loads.in_flight for loads in channel.loads()] == [{"r": 3}])


async def test_a_replica_is_idle_once_no_gateway_has_or_sends_it_anything(
    channel: GatewayChannel, connect: Connect
) -> None:
    assert channel.is_idle("r"), "nobody is there to ask it"
    channel.publish(table("eye"))
    one, two = await connect(), await connect()
    for gateway in (one, two):
        await gateway.hello()
    served = (await one.next("table"))["table"]["version"]
    for gateway in (one, two):
        await gateway.send({"type": "loads", "in_flight": {"r": 0}, "version": served})
    await until(lambda: all(loads.version == served for loads in channel.loads()))
    assert not channel.is_idle("r"), "it is served"
    channel.publish(RoutingTable(version=0))
    assert not channel.is_idle("r"), "they may still act on the old table"
    version = (await one.next("table"))["table"]["version"]
    await one.send({"type": "loads", "in_flight": {"r": 1}, "version": version})
    await two.send({"type": "loads", "in_flight": {}, "version": version})
    await until(lambda: all(loads.version == version for loads in channel.loads()))
    assert not channel.is_idle("r"), "one has an answer of it"
    with channel.moves.listen() as moves:
        await one.send({"type": "loads", "in_flight": {"r": 0}, "version": version})
        assert await moves.wait(WAIT_SECONDS)
    assert channel.is_idle("r")


async def test_gateways_hear_what_the_others_have_under_way(channel: GatewayChannel, connect: Connect) -> None:
    gateways = [await connect() for _ in range(3)]
    for gateway, count in zip(gateways, (0, 2, 3), strict=True):
        await gateway.hello()
        await gateway.send({"type": "loads", "in_flight": {"r": count}})
    while (await gateways[0].next("elsewhere"))["in_flight"] != {"r": 5}:
        pass
    while (await gateways[1].next("elsewhere"))["in_flight"] != {"r": 3}:
        pass


@pytest.mark.parametrize(
    "line",
    [b"nonsense\n", b"[]\n", b"{}\n", b'{"type": "unknown"}\n', b'{"type": "usage", "batch": "x"}\n', b"\xff\n"],
)
async def test_nonsense_ends_only_its_own_connection(channel: GatewayChannel, connect: Connect, line: bytes) -> None:
    good, bad = await connect(), await connect()
    await good.hello()
    await bad.send_bytes(line)
    assert await bad.ended()
    channel.publish(table("eye"))
    assert (await good.next("table"))["table"]["routes"]


async def test_a_gateway_that_reads_nothing_holds_up_nobody(channel: GatewayChannel, connect: Connect) -> None:
    stuck, good = await connect(), await connect()
    stuck.reader._transport.pause_reading()  # type: ignore[attr-defined]
    await stuck.hello()
    await good.hello()
    for number in range(50):
        channel.publish(table(f"model-{number}", padding=200_000))
        assert (await good.next("table"))["table"]["routes"][0]["model"] == f"model-{number}"
    stuck.reader._transport.resume_reading()  # type: ignore[attr-defined]
    seen = []
    while not seen or seen[-1] != "model-49":
        seen.append((await stuck.next("table"))["table"]["routes"][0]["model"])
    assert len(seen) < 10, "what a slow gateway missed is not sent later"


async def test_a_gateway_that_breaks_off_in_a_line_is_forgotten(channel: GatewayChannel, connect: Connect) -> None:
    gateway = await connect()
    await gateway.send_bytes(b'{"type": "loads", "in_fl')
    await until(lambda: len(channel.loads()) == 1)
    gateway.writer.close()
    await until(lambda: channel.loads() == [])


async def test_a_new_server_takes_over_the_socket(context: ServerContext, path: Path) -> None:
    for name in ("first", "second"):
        channel = GatewayChannel(context)
        channel.publish(table(name))
        async with serving(channel):
            gateway = Gateway(*await asyncio.open_unix_connection(str(path)))
            await gateway.hello()
            assert (await gateway.next("table"))["table"]["routes"][0]["model"] == name
        assert await gateway.ended()
        gateway.writer.close()


async def test_the_end_leaves_no_connection_behind(
    context: ServerContext, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that cannot be stored yet must neither outlive the channel nor make asyncio complain at its end."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, told: complaints.append(told))
    storing = asyncio.Event()

    async def store(*_: object) -> None:
        storing.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("aimindserve.server.channel.store_usage", store)
    before = asyncio.all_tasks()
    async with serving(GatewayChannel(context)):
        gateway = Gateway(*await asyncio.open_unix_connection(str(path)))
        await gateway.hello()
        await gateway.usage(1, record(1))
        await asyncio.wait_for(storing.wait(), WAIT_SECONDS)
    assert asyncio.all_tasks() == before
    assert await gateway.ended()
    gateway.writer.close()
    assert complaints == []


async def test_a_change_is_in_force_when_every_gateway_has_said_so(channel: GatewayChannel, connect: Connect) -> None:
    assert await channel.acknowledged(WAIT_SECONDS), "nobody is waited for"
    channel.publish(table("eye"))
    first, second = await connect(), await connect()
    for gateway in (first, second):
        await gateway.hello()
        version = (await gateway.next("table"))["table"]["version"]
    await first.send({"type": "table_ack", "version": version})
    assert not await channel.acknowledged(0.05), "the second has not said so"
    waiting = asyncio.create_task(channel.acknowledged(WAIT_SECONDS))
    await second.send({"type": "table_ack", "version": version})
    assert await waiting
    channel.publish(table("eye", "ear"))
    waiting = asyncio.create_task(channel.acknowledged(WAIT_SECONDS))
    newer = (await first.next("table"))["table"]["version"]
    await first.send({"type": "table_ack", "version": newer})
    second.writer.close()
    assert await waiting, "one that is gone is not waited for"
