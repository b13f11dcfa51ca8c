"""The channel to the server: tables put in force, usage until it is acknowledged, what is left on disk."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from tests.gateway.harness import MODEL, PATIENCE, Rig, chat, get, post, route, table, until

from aimindserve.domain.channel import Table, UsageAck
from aimindserve.domain.routing import RoutingTable
from aimindserve.domain.usage import UsageRecord
from aimindserve.gateway import usage
from aimindserve.gateway.channel import Channel
from aimindserve.gateway.spool import Spool
from aimindserve.gateway.table import load_table, save_table
from aimindserve.gateway.usage import Outbox, find_usage


class Server:
    """The other end: takes messages, answers when told."""

    def __init__(self) -> None:
        self.messages: list[dict] = []
        self.writer: asyncio.StreamWriter | None = None
        self.connections = 0
        self.acknowledges = True

    async def on_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writer = writer
        while line := await reader.readline():
            message = msgspec.json.decode(line)
            self.messages.append(message)
            if message["type"] == "usage" and self.acknowledges:
                self.send(UsageAck(message["batch"]))

    def send(self, message: object) -> None:
        assert self.writer is not None
        self.writer.write(msgspec.json.encode(message) + b"\n")

    def of(self, kind: str) -> list[dict]:
        return [message for message in self.messages if message["type"] == kind]

    def request_ids(self) -> list[str]:
        return [record["request_id"] for batch in self.of("usage") for record in batch["records"]]


@asynccontextmanager
async def channel(stage: Rig) -> AsyncIterator[Server]:
    server = Server()
    listener = await asyncio.start_unix_server(server.on_connection, stage.gateway.config.gateway_socket)
    running = asyncio.create_task(Channel(stage.gateway, flush_every=0.05).run())
    try:
        await until(lambda: server.connections)
        yield server
    finally:
        running.cancel()
        listener.close()
        if server.writer:
            server.writer.close()


async def test_a_table_is_put_in_force_acknowledged_and_saved(stage: Rig) -> None:
    engine = await stage.engine()
    async with channel(stage) as server:
        await until(lambda: server.of("hello"))
        assert server.of("hello")[0]["table_version"] == 1
        server.send(Table(table(route(engine.port), version=7)))
        await until(lambda: server.of("table_ack"))
        assert server.of("table_ack") == [{"type": "table_ack", "version": 7}]
        assert (await stage.ask(post(chat()))).status == 200
        file = stage.run / "routing-table.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert load_table(file) == table(route(engine.port), version=7)
        assert not [path for path in stage.run.iterdir() if path.name.startswith(".routing")]


async def test_a_revoked_key_is_refused_at_once(stage: Rig) -> None:
    engine = await stage.engine()
    async with channel(stage) as server:
        server.send(Table(RoutingTable(8, (route(engine.port),))))
        await until(lambda: server.of("table_ack"))
        assert (await stage.ask(post(chat()))).status == 401


async def test_a_damaged_table_changes_nothing(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    async with channel(stage) as server:
        assert server.writer is not None
        server.writer.write(b'{"type":"table","table":{"version":9,"keys":[{"digest":5}]}}\n')
        await until(lambda: server.connections == 2)  # it starts over
        assert (await stage.ask(post(chat()))).status == 200
        server.send(Table(table(route(engine.port), version=10)))
        await until(lambda: server.of("table_ack"))


async def test_usage_is_sent_again_until_it_is_acknowledged(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    async with channel(stage) as server:
        server.acknowledges = False
        answer = await stage.ask(post(chat()))
        await until(lambda: server.of("usage"))
        record = server.of("usage")[0]["records"][0]
        assert record["request_id"] == answer.headers["x-request-id"]
        assert (record["prompt_tokens"], record["completion_tokens"], record["model"]) == (11, 7, MODEL)
        assert (record["user_id"], record["key_id"], record["status"]) == ("user-1", "abcdefghijkl", 200)
        assert (record["deployment_id"], record["replica_id"]) == (f"d-{MODEL}", f"r{engine.port}")
        await stage.ask(post(chat()))
        assert len(stage.gateway.outbox) == 2
        server.acknowledges = True
        assert server.writer is not None
        server.writer.close()  # the server restarts
        await until(lambda: len(set(server.request_ids())) == 2)
        ids = server.request_ids()
        assert len(set(ids)) == 2
        assert len(ids) >= 3


async def test_loads_are_told(stage: Rig) -> None:
    gate = asyncio.Event()

    async def held(seen, writer) -> None:
        await gate.wait()

    engine = await stage.engine(held)
    stage.serve(route(engine.port))
    async with channel(stage) as server:
        client = await stage.connect()
        client.send(post(chat()))
        await until(lambda: any(m["in_flight"].get(f"r{engine.port}") == 1 for m in server.of("loads")))
        assert server.of("loads")[-1]["last_request_at"][MODEL] > 1e9
        gate.set()


async def test_requests_go_on_without_the_server(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    assert (await stage.ask(post(chat()))).status == 200
    assert (await stage.ask(get("/readyz"))).status == 503
    assert len(stage.gateway.outbox) == 1


def test_a_saved_table_that_others_could_change_is_not_used(tmp_path) -> None:
    file = tmp_path / "routing-table.json"
    assert load_table(file) is None
    save_table(file, table(route(1)))
    assert load_table(file) == table(route(1))
    file.chmod(0o666)
    assert load_table(file) is None
    file.chmod(0o600)
    file.write_bytes(b"{}")
    assert load_table(file) is None
    link = tmp_path / "link.json"
    link.symlink_to(file)
    assert load_table(link) is None


def drained(spool: Spool) -> list[str]:
    """Request ids on disk, in order; nothing is left."""
    found: list[str] = []
    while (oldest := spool.oldest()) is not None:
        found += [one.request_id for one in oldest[1]]
        spool.done(oldest[0])
    return found


def test_what_could_not_be_sent_is_kept_for_the_next_gateway(tmp_path) -> None:
    folder = tmp_path / "usage-unsent"
    first, second = Spool(folder, "one", 1 << 20), Spool(folder, "two", 1 << 20)
    assert (first.open(), second.open()) == (True, True)
    assert first.put([record(1), record(2)])
    assert second.put([record(number) for number in range(10, 2510)])
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    (folder / "older.json").write_bytes(msgspec.json.encode([record(3)]))
    (folder / "older.json").chmod(0o600)
    first.close()
    third = Spool(folder, "three", 1 << 20)
    assert third.open()
    assert drained(third) == ["id-3", "id-1", "id-2"], "the second one lives: its files stay"
    assert drained(second) == [f"id-{number}" for number in range(10, 2510)]
    second.close()
    third.close()
    assert list(folder.iterdir()) == []
    assert not Spool(tmp_path / "no" / "such" / "place", "x", 1 << 20).put([record(1)])


def test_usage_on_disk_is_bounded_and_the_oldest_goes(tmp_path) -> None:
    line = len(msgspec.json.encode(record(1000))) + 1
    spool = Spool(tmp_path / "usage", "one", 2500 * line)
    for start in range(1000, 6000, 100):
        assert spool.put([record(number) for number in range(start, start + 100)])
        assert spool.size <= 2500 * line + 100 * line
        assert spool.size == sum(file.stat().st_size for file in (tmp_path / "usage").iterdir())
    left = drained(spool)
    assert left == [f"id-{number}" for number in range(6000 - len(left), 6000)]
    assert len(left) >= 1500
    assert spool.dropped == 5000 - len(left)


def test_what_a_crash_tore_is_left_out(tmp_path) -> None:
    spool = Spool(tmp_path, "one", 1 << 20)
    spool.put([record(1), record(2)])
    oldest = spool.oldest()
    assert oldest is not None
    content = oldest[0].read_bytes()
    oldest[0].write_bytes(content[:-9])
    assert drained(spool) == ["id-1"]


async def test_usage_goes_to_disk_while_the_server_is_away_and_all_of_it_arrives(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    async with channel(stage) as server:
        await until(lambda: server.of("hello"))
    # The server is gone now; the gateway goes on without a channel until the next block.
    ids = [(await stage.ask(post(chat()))).headers["x-request-id"] for _ in range(5)]
    stage.gateway.spool.put(stage.gateway.outbox.take_all())
    ids += [(await stage.ask(post(chat()))).headers["x-request-id"] for _ in range(5)]
    (stage.run / "gateway.sock").unlink()
    async with channel(stage) as server:
        await until(lambda: set(server.request_ids()) == set(ids))
        await until(lambda: stage.gateway.spool.size == 0)
        assert len(stage.gateway.outbox) == 0


def record(number: int) -> UsageRecord:
    return UsageRecord(f"id-{number}", 0.0, "e", "m", "d", "r", "u", None, 200)


def test_the_outbox_is_bounded_and_keeps_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "KEPT", 10)
    monkeypatch.setattr(usage, "BATCH", 4)
    box = Outbox()
    for number in range(12):
        box.add(record(number))
    assert (len(box), box.dropped) == (10, 2)
    batch = box.next_batch()
    assert batch is not None
    assert [one.request_id for one in batch.records] == ["id-2", "id-3", "id-4", "id-5"]
    assert box.next_batch() is None
    box.acknowledged(batch.batch + 1)  # not ours
    assert len(box) == 10
    box.restart()
    again = box.next_batch()
    assert again is not None
    assert (again.records, again.batch) == (batch.records, 1)
    box.acknowledged(1)
    assert len(box) == 6


USAGES = [
    (b'{"usage":{"prompt_tokens":3,"completion_tokens":4}}', (3, 4, "engine")),
    (
        b'{"usage": {"prompt_tokens":3, "prompt_tokens_details":{"cached_tokens":1}, "completion_tokens":4}}',
        (3, 4, "engine"),
    ),
    (b'{"object":"list","usage":{"prompt_tokens":9,"total_tokens":9},"data":[]}', (9, 0, "engine")),
    (b'{"timings":{"cache_n":2,"prompt_n":5,"predicted_n":8,"predicted_ms":1.5}}', (7, 8, "engine")),
    (b'{"content":"\\"usage\\":{\\"prompt_tokens\\":99}"}', None),
    (b'{"usage":null}', None),
    (b'{"usage":{"prompt_tokens":"many"}}', None),
    (b'{"usage":{"prompt_tokens":-5,"completion_tokens":1}}', (0, 1, "engine")),
    (b'{"usage":{"prompt_tokens":1},"x":{"usage":{"prompt_tokens":2}}}', (2, 0, "engine")),
]


@pytest.mark.parametrize(("text", "expected"), USAGES)
def test_usage_is_found(text: bytes, expected: tuple[int, int, str] | None) -> None:
    found = find_usage(text)
    assert (found and (found.prompt, found.completion, found.by)) == expected
    assert find_usage(b"x" * 100 + text) == found


@pytest.mark.parametrize(
    ("details", "cached", "image"),
    [
        (b'{"cached_tokens":8,"multimodal_tokens":{"image":16,"audio":2}}', 8, 16),
        (b'{"cached_tokens":8,"image_tokens":5}', 8, 5),
        (b'{"cached_tokens":null,"multimodal_tokens":null}', 0, 0),
        (b'{"cached_tokens":99,"image_tokens":-1}', 30, 0),
        (b"null", 0, 0),
    ],
)
def test_parts_of_the_prompt_are_told_where_the_engine_does(details: bytes, cached: int, image: int) -> None:
    found = find_usage(b'{"usage":{"prompt_tokens":30,"prompt_tokens_details":%b,"completion_tokens":4}}' % details)
    assert found is not None
    assert (found.prompt, found.completion, found.cached, found.image) == (30, 4, cached, image)


def test_cached_tokens_in_the_timings_of_llama_cpp() -> None:
    found = find_usage(b'{"timings":{"cache_n":2,"prompt_n":5,"predicted_n":8}}')
    assert found is not None
    assert (found.prompt, found.cached) == (7, 2)


async def test_usage_of_embeddings_stands_at_the_front_of_long_answers(stage: Rig) -> None:
    from tests.gateway.harness import http

    async def reply(seen, writer) -> None:
        body = b'{"object":"list","usage":{"prompt_tokens":9,"total_tokens":9},"data":[%b0]}' % (b"0.1," * 5000)
        writer.write(http(body))

    engine = await stage.engine(reply)
    stage.serve(route(engine.port))
    await asyncio.wait_for(stage.ask(post(b'{"model":"tiny","input":"x"}', "/v1/embeddings")), PATIENCE)
    batch = stage.gateway.outbox.next_batch()
    assert batch is not None
    assert batch.records[0].prompt_tokens == 9
