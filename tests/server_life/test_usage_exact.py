"""Usage against the engines' own count: every request has one row, and every token is in it, whatever goes wrong.

Two engines as processes, which crash and come back; a gateway; the server's end of the channel with a real database,
which goes away for a while. 600 requests in the normal run, 10,000 in the long one (``-m soak``)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select
from tests.gateway.harness import KEY, MODEL, Client, Rig, chat, digest, post, rig, until
from tests.server.fixtures import Clock, open_context
from tests.server_life.life import ON_SQLITE

from aimindserve.domain.routing import Endpoint, KeyGrant, Route, RouteState, RoutingTable
from aimindserve.gateway.app import end
from aimindserve.gateway.channel import Channel
from aimindserve.server.channel import GatewayChannel
from aimindserve.server.db.tables import UsageDayRow, UsageRow
from aimindserve.server.settings import Settings
from aimindserve.sim.engine_ledger import read_ledger

PATIENCE = 60.0
AT_ONCE = 12


@dataclass
class Engine:
    """A fake engine on a port of its own, started again when it dies."""

    folder: Path
    name: str
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0

    @property
    def ledger(self) -> Path:
        return self.folder / f"{self.name}.ledger"

    def start(self) -> None:
        model = self.folder / "model.gguf"
        model.touch()
        command = [sys.executable, "-m", "aimindserve.sim.fake_engine", "--model", str(model), "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, "--fake-ledger", str(self.ledger)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    async def ready(self) -> None:
        async with httpx.AsyncClient() as client, asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"http://127.0.0.1:{self.port}/health")).status_code == 200:
                        return
                await asyncio.sleep(0.02)

    async def keep_alive(self) -> None:
        while True:
            assert self.process is not None
            if self.process.poll() is not None:
                self.deaths += 1
                self.start()
            await asyncio.sleep(0.02)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE)


@contextlib.asynccontextmanager
async def engines(folder: Path, ports: list[int]) -> AsyncIterator[list[Engine]]:
    made = [Engine(folder, f"engine-{number}", port) for number, port in enumerate(ports)]
    try:
        for engine in made:
            engine.start()
        for engine in made:
            await engine.ready()
        yield made
    finally:
        for engine in made:
            engine.stop()


@dataclass
class Tally:
    """What clients saw."""

    sent: int = 0
    answered: set[str] = field(default_factory=set)
    by_kind: Counter[str] = field(default_factory=Counter)


def plan(draw: random.Random) -> tuple[str, bytes]:
    """What one request does, and its body."""
    tokens = draw.randrange(1, 12)
    kinds = ["whole", "stream", "told", "completion", "abort", "abort early", "close", "error", "refused", "crash"]
    kind = draw.choices(kinds, [25, 25, 10, 10, 10, 3, 6, 4, 4, 1])[0]
    words = " ".join(["word"] * draw.randrange(1, 30))
    fake: dict[str, object] = {}
    more: dict[str, object] = {"max_tokens": tokens, "stream": kind not in ("whole", "refused", "completion")}
    if kind == "told":
        more["stream_options"] = {"include_usage": True}
    at = draw.randrange(1, tokens + 1)
    knobs = {"abort": "hang-at-token", "close": "close-at-token", "error": "error-at-token", "crash": "crash-at-token"}
    if kind in knobs:
        fake[knobs[kind]] = min(at, tokens - 1) if kind in ("close", "error") and tokens > 1 else at
    if kind == "abort early":
        fake["hang-at-token"] = 0
    if kind == "refused":
        fake["status"] = 400
    content = [{"role": "user", "content": words}]
    return kind, chat(MODEL, messages=content, fake=fake, **more)


async def one(stage: Rig, draw: random.Random, tally: Tally) -> None:
    """Sends a request and does what its plan says; whatever comes back is noted."""
    kind, body = plan(draw)
    tally.sent += 1
    tally.by_kind[kind] += 1
    client = await stage.connect()
    client.send(post(body))
    try:
        if kind.startswith("abort"):
            await leave_after(client, body, kind)
        else:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ValueError):
                answer = await client.answer()
                tally.answered.add(answer.headers["x-request-id"])
    finally:
        client.close()


async def leave_after(client: Client, body: bytes, kind: str) -> None:
    """Reads as many tokens as the engine sends before it hangs, then goes away. An engine that dies meanwhile ends it
    too."""
    wanted = int(body.split(b'"hang-at-token":')[1].split(b"}")[0])
    tokens = 0
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        head = await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        if b" 200 " not in head:
            return
        while tokens < wanted or kind == "abort early":
            line = await asyncio.wait_for(client.reader.readline(), PATIENCE)
            if not line or b'"error"' in line:
                return
            tokens += b'"content":"' in line
            if kind == "abort early" and b'"role"' in line:
                return


@contextlib.asynccontextmanager
async def server(settings: Settings) -> AsyncIterator[GatewayChannel]:
    """The server's end of the channel, with its database."""
    async with open_context(settings, Clock()) as context:
        channel = GatewayChannel(context)
        serving = asyncio.create_task(channel.serve(channel.open()))
        try:
            yield channel
        finally:
            async with asyncio.timeout(PATIENCE):
                await end([serving])


async def drive(stage: Rig, draw: random.Random, tally: Tally, count: int) -> None:
    """``count`` requests, some at a time."""
    left = iter(range(count))

    async def work() -> None:
        for _ in left:
            await one(stage, draw, tally)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())


async def settled(stage: Rig) -> None:
    """No request is under way, and all usage has arrived."""
    await until(lambda: not any(stage.gateway.lanes.loads().values()) and not stage.gateway.turns.waiting())
    await until(lambda: stage.gateway.outbox.is_idle and not stage.gateway.spool.size)


def put_in_force(stage: Rig, ports: list[int]) -> None:
    ready = tuple(Endpoint(f"r{port}", "127.0.0.1", port) for port in ports)
    keys = (KeyGrant("abcdefghijkl", digest(KEY), "user-1", ("inference",)),)
    stage.gateway.apply(RoutingTable(3, (Route(MODEL, "d", RouteState.READY, ready),), keys))


async def check(settings: Settings, made: list[Engine], tally: Tally) -> None:
    """The rows against the engines' ledgers."""
    own: dict[str, tuple[int, int]] = {}
    for engine in made:
        for name, (prompt, completion) in read_ledger(engine.ledger).items():
            before = own.get(name, (0, 0))
            own[name] = (before[0] + prompt, before[1] + completion)
    async with open_context(settings, Clock()) as context, context.database.read() as session:
        rows = {row.request_id: row for row in await session.scalars(select(UsageRow))}
        days = UsageDayRow
        sums = (
            await session.execute(
                select(func.sum(days.requests), func.sum(days.prompt_tokens), func.sum(days.completion_tokens))
            )
        ).one()
    assert len(rows) == tally.sent, "one row for each request"
    assert tally.answered <= set(rows)
    wrong = {
        name: (own.get(name, (0, 0)), (row.prompt_tokens, row.completion_tokens, row.status, row.counted_by))
        for name, row in rows.items()
        if own.get(name, (0, 0)) != (row.prompt_tokens, row.completion_tokens)
    }
    assert wrong == {}
    assert set(own) <= set(rows)
    totals = (sum(prompt for prompt, _ in own.values()), sum(completion for _, completion in own.values()))
    assert tuple(map(int, sums)) == (tally.sent, *totals)


async def run(settings: Settings, folder: Path, count: int) -> None:
    draw, tally = random.Random(20261125), Tally()
    async with rig(folder, key_concurrency=AT_ONCE, usage_spool_bytes=1 << 26) as stage:
        ports = [await free_port() for _ in range(2)]
        async with engines(folder, ports) as made:
            put_in_force(stage, ports)
            channel = asyncio.create_task(Channel(stage.gateway, flush_every=0.05).run())
            guards = [asyncio.create_task(engine.keep_alive()) for engine in made]
            try:
                async with server(settings):
                    await drive(stage, draw, tally, count // 3)
                await drive(stage, draw, tally, count // 3)  # nobody is there to take the usage
                async with server(settings):
                    await drive(stage, draw, tally, count - 2 * (count // 3))
                    await settled(stage)
            finally:
                async with asyncio.timeout(PATIENCE):
                    await end([channel, *guards])
            assert sum(engine.deaths for engine in made) >= 1, "some of it must go wrong"
            assert stage.gateway.spool.dropped == stage.gateway.outbox.dropped == 0
            await check(settings, made, tally)
    assert min(tally.by_kind.values()) >= 1


async def free_port() -> int:
    probe = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = probe.sockets[0].getsockname()[1]
    probe.close()
    await probe.wait_closed()
    return int(port)


@ON_SQLITE
async def test_usage_is_exactly_what_the_engines_gave_out(settings: Settings) -> None:
    await run(settings, Path(settings.run_dir), 600)


@pytest.mark.soak
@ON_SQLITE
async def test_usage_of_ten_thousand_requests_is_exactly_what_the_engines_gave_out(settings: Settings) -> None:
    await run(settings, Path(settings.run_dir), 10_000)
