"""500 streams at a time through gateways whose server, replicas, tables and selves come and go, for SOAK_SECONDS, ten
minutes at most: whatever an engine finished is whole at its client, and each request is counted once."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import msgspec
import pytest
from tests.e2e.product import free_port
from tests.gateway.harness import KEY, PEPPER, chat, digest, post

from aimindserve.domain.channel import Table, Usage, UsageAck
from aimindserve.domain.routing import Endpoint, KeyGrant, Route, RouteState, RoutingTable
from aimindserve.domain.usage import UsageRecord
from aimindserve.gateway.config import GatewayConfig
from aimindserve.gateway.listening import listen
from aimindserve.gateway.table import save_table

pytestmark = pytest.mark.soak

SECONDS = min(600.0, float(os.environ.get("SOAK_SECONDS", "600")))
STREAMS, TOKENS = 500, 40
REPLICAS = 4
MODEL = "soak"
PAUSES = (0.5, 3.0)
REQUEST = post(
    chat(MODEL, stream=True, max_tokens=TOKENS, fake={"token-delay-ms": 150}), headers="Connection: close\r\n"
)
_usage = msgspec.json.Decoder(Usage)


@dataclass
class Scene:
    """The server's side of the channel, and the processes around it."""

    folder: Path
    chance: random.Random
    listener: socket.socket
    gateway: Process | None = None
    leaving: list[Process] = field(default_factory=list[Process])
    engines: dict[str, tuple[Process, int]] = field(default_factory=dict[str, tuple[Process, int]])
    killed: set[str] = field(default_factory=set[str])
    records: dict[str, UsageRecord] = field(default_factory=dict[str, UsageRecord])
    again: int = 0
    server: asyncio.Server | None = None
    writers: set[StreamWriter] = field(default_factory=set[StreamWriter])
    version: int = 0
    names: count[int] = field(default_factory=count)

    @property
    def socket(self) -> str:
        config = GatewayConfig(host="", port=0, data_dir=str(self.folder), run_dir=str(self.folder))
        return config.gateway_socket

    async def serve(self) -> None:
        self.server = await asyncio.start_unix_server(self.on_gateway, self.socket, limit=1 << 26)

    async def on_gateway(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.writers.add(writer)
        self.tell(writer)
        try:
            while line := await reader.readline():
                if b'"type":"usage"' in line:
                    message = _usage.decode(line)
                    for record in message.records:
                        self.again += record.request_id in self.records
                        self.records[record.request_id] = record
                    writer.write(msgspec.json.encode(UsageAck(message.batch)) + b"\n")
        except ConnectionError:
            pass  # the gateway ended, or this server did
        finally:
            self.writers.discard(writer)
            writer.close()

    def table(self) -> RoutingTable:
        ends = tuple(Endpoint(name, "127.0.0.1", port) for name, (_, port) in self.engines.items())
        route = Route(MODEL, "d", RouteState.READY if ends else RouteState.STARTING, ends)
        key = KeyGrant("k", digest(KEY), "u", ("inference",))
        return RoutingTable(self.version, (route,), (key,))

    def tell(self, writer: StreamWriter) -> None:
        writer.write(msgspec.json.encode(Table(self.table())) + b"\n")

    def publish(self) -> None:
        self.version += 1
        for writer in self.writers:
            self.tell(writer)

    async def add_engine(self) -> None:
        port = free_port()
        argv = ["-m", "aimindserve.sim.fake_engine", "--model", str(self.folder / "m.gguf"), "--port", str(port)]
        process = await asyncio.create_subprocess_exec(sys.executable, *argv, stdout=DEVNULL, stderr=DEVNULL)
        await answers(port)
        self.engines[f"r{next(self.names)}"] = process, port

    async def start_gateway(self) -> None:
        number = self.listener.fileno()
        argv = ["-m", "aimindserve.gateway", "--settings", str(self.folder / "settings.json"), f"--listener={number}"]
        self.gateway = await asyncio.create_subprocess_exec(sys.executable, *argv, pass_fds=(number,))

    # ---- what happens

    async def replace_replica(self) -> None:
        """One dies; the table follows; another one comes."""
        name = self.chance.choice(list(self.engines))
        self.killed.add(name)
        process, _ = self.engines.pop(name)
        process.kill()
        await process.wait()
        self.publish()
        await self.add_engine()
        self.publish()

    async def replace_server(self) -> None:
        """It goes without a word, and comes back after a while."""
        assert self.server is not None
        self.server.close()
        for writer in list(self.writers):
            writer.transport.abort()
        await asyncio.sleep(self.chance.uniform(0, 2))
        await self.serve()

    async def replace_table(self) -> None:
        self.publish()

    async def replace_gateway(self) -> None:
        """Another one takes over; the old one ends in its own time."""
        old = self.gateway
        assert old is not None
        old.send_signal(signal.SIGUSR1)
        self.leaving.append(old)
        await self.start_gateway()


async def answers(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


@asynccontextmanager
async def scene(folder: Path, chance: random.Random) -> AsyncIterator[Scene]:
    (folder / "keys").mkdir()
    (folder / "keys" / "pepper").write_bytes(PEPPER)
    (folder / "m.gguf").touch()
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        settings = {"host": "127.0.0.1", "port": port, "data_dir": str(folder), "run_dir": str(folder)}
        (folder / "settings.json").write_text(json.dumps(settings | {"key_concurrency": STREAMS, "key_queue": STREAMS}))
        staged = Scene(folder, chance, listener)
        try:
            for _ in range(REPLICAS):
                await staged.add_engine()
            save_table(folder / "routing-table.json", staged.table())  # the first gateway begins with it
            await staged.serve()
            await staged.start_gateway()
            yield staged
        finally:
            ends = [staged.gateway, *staged.leaving, *(process for process, _ in staged.engines.values())]
            for process in ends:
                if process is not None and process.returncode is None:
                    process.kill()
                    await process.wait()
            if staged.server is not None:
                staged.server.close()
            for writer in list(staged.writers):
                writer.transport.abort()


@dataclass
class Tally:
    """Request ids of answers by what became of them."""

    whole: set[str] = field(default_factory=set[str])
    broken: set[str] = field(default_factory=set[str])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    wrong: list[str] = field(default_factory=list[str])
    nameless: int = 0


async def one_stream(port: int, expected: list[str], tally: Tally) -> None:
    """One request over a connection of its own, and what came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(REQUEST)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        name = head.partition("x-request-id: ")[2].partition("\r\n")[0]
        if " 200 " not in head[:20]:
            tally.refused[name] = head + (await reader.read()).decode()
            return
        said: list[str] = []
        while (line := await reader.readline()).startswith(b"0\r\n") is False and line:
            if line.startswith(b"data: {") and b'"content":"' in line:
                said.append(json.loads(line[6:])["choices"][0]["delta"]["content"])
            elif line.startswith(b"data: [DONE]"):
                tally.whole.add(name)
        if name in tally.whole and said != expected:
            tally.wrong.append(f"{name}: {said}")
        elif name not in tally.whole:
            tally.broken.add(name)
            if said != expected[: len(said)]:
                tally.wrong.append(f"{name}: {said}")
    except (ConnectionError, asyncio.IncompleteReadError):
        tally.nameless += 1
    finally:
        writer.transport.abort()


def expected_words() -> list[str]:
    """What the emulated engine says to ``REQUEST``."""
    from aimindserve.sim.engine_answers import answer_tokens, read_request
    from aimindserve.sim.engine_knobs import Knobs

    body = json.loads(REQUEST.partition(b"\r\n\r\n")[2])
    return list(answer_tokens(read_request(body, chat=True), Knobs()))


async def test_whatever_an_engine_finished_is_whole_while_everything_around_comes_and_goes(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance, tally, over = random.Random(seed), Tally(), asyncio.Event()
    expected = expected_words()
    events = 0
    async with scene(tmp_path, chance) as staged:
        port = staged.listener.getsockname()[1]
        await answers(port)

        async def client() -> None:
            while not over.is_set():
                await one_stream(port, expected, tally)

        async with asyncio.TaskGroup() as group:
            for _ in range(STREAMS):
                group.create_task(client())
            end = asyncio.get_running_loop().time() + SECONDS
            happenings = (staged.replace_replica, staged.replace_server, staged.replace_table, staged.replace_gateway)
            while asyncio.get_running_loop().time() < end:
                await asyncio.sleep(chance.uniform(*PAUSES))
                await chance.choice(happenings)()
                events += 1
            over.set()
        asked = tally.whole | tally.broken | tally.refused.keys()
        patience = asyncio.get_running_loop().time() + 60
        while not asked <= staged.records.keys() and asyncio.get_running_loop().time() < patience:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    print(
        f"seed {seed}: {events} events, {len(staged.killed)} replicas killed, {len(tally.whole)} streams whole, "
        f"{len(tally.broken)} broken off by their engine, {len(tally.refused)} refused, {staged.again} told twice"
    )
    uncounted = asked - staged.records.keys()
    assert uncounted == set(), f"seed {seed}: {[tally.refused.get(name, name) for name in list(uncounted)[:3]]}"
    assert tally.wrong == [], f"seed {seed}"
    assert tally.nameless == 0, f"seed {seed}: connections that ended without an answer"
    lost = [name for name in tally.broken if staged.records[name].replica_id not in staged.killed]
    assert lost == [], f"seed {seed}: broken off although the replica lived"
    assert all(staged.records[name].status >= 500 for name in tally.refused), f"seed {seed}"
    counted = {name: staged.records[name].completion_tokens for name in tally.whole}
    assert {name: tokens for name, tokens in counted.items() if tokens != TOKENS} == {}, f"seed {seed}"
    assert len(tally.whole) > len(tally.broken) + len(tally.refused)
