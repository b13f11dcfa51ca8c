"""Engines that die, stall and lie; clients that leave and do not read."""

from __future__ import annotations

import asyncio
import socket

import msgspec
import pytest
from tests.gateway.harness import (
    COMPLETION,
    DONE,
    PATIENCE,
    STREAM_HEAD,
    Rig,
    Seen,
    chat,
    chunk,
    complete,
    event,
    http,
    post,
    rig,
    route,
    streaming,
    until,
)

Writer = asyncio.StreamWriter


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def last_record(stage: Rig):
    batch = stage.gateway.outbox.next_batch()
    assert batch is not None
    return batch.records[-1]


def error_of(stream: bytes) -> dict:
    return msgspec.json.decode(stream.rpartition(b"data: ")[2])["error"]


async def test_death_in_a_stream_ends_it_with_an_error_event(stage: Rig) -> None:
    engine = await stage.engine(streaming(10, die_after=4))
    stage.serve(route(engine.port))
    client = await stage.connect()
    client.send(post(chat(stream=True)))
    answer = await client.answer()
    assert answer.status == 200
    assert answer.body.startswith(b"".join(event(f"t{n} ") for n in range(4)))
    error = error_of(answer.body)
    assert (error["type"], error["code"], error["source"]) == ("server_error", "engine_failed", "engine")
    assert b"127.0.0.1" not in answer.body
    assert b"[DONE]" not in answer.body
    record = last_record(stage)
    assert (record.status, record.completion_tokens, record.counted_by) == (502, 4, "gateway")
    client.send(post(chat(stream=True)))  # the client's connection is good for more
    assert (await client.answer()).status == 200
    assert len(engine.seen) == 2  # a stream that began is never sent again


async def test_half_an_event_never_reaches_the_client(stage: Rig) -> None:
    async def reply(seen: Seen, writer: Writer) -> bool:
        writer.write(STREAM_HEAD + chunk(event("whole")) + b"ff\r\n" + b'data: {"choices":[{"ind')
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.abort()
        return False

    engine = await stage.engine(reply)
    stage.serve(route(engine.port))
    answer = await stage.ask(post(chat(stream=True)))
    events = answer.body.split(b"\n\n")[:-1]
    assert [msgspec.json.decode(one.removeprefix(b"data: ")) for one in events]
    assert events[0] + b"\n\n" == event("whole")
    assert len(events) == 2


async def test_death_before_the_first_byte_is_502_when_there_is_no_other(stage: Rig) -> None:
    async def reply(seen: Seen, writer: Writer) -> bool:
        return False

    engine = await stage.engine(reply)
    stage.serve(route(engine.port))
    answer = await stage.ask(post(chat()))
    assert (answer.status, answer.error["code"]) == (502, "engine_failed")
    assert b"127.0.0.1" not in answer.body
    assert str(engine.port).encode() not in answer.body


async def test_another_replica_answers_before_the_first_byte(stage: Rig) -> None:
    async def reply(seen: Seen, writer: Writer) -> bool:
        return False

    bad, good = await stage.engine(reply), await stage.engine()
    stage.serve(route(free_port(), bad.port, good.port))
    answer = await stage.ask(post(chat()))
    assert (answer.status, answer.body) == (200, COMPLETION)
    assert len(bad.seen) <= 1
    assert len(good.seen) == 1
    assert not any(stage.gateway.lanes.loads().values())


async def test_a_request_that_kills_engines_stops_after_the_second(stage: Rig) -> None:
    async def reply(seen: Seen, writer: Writer) -> bool:
        return False

    engines = [await stage.engine(reply) for _ in range(4)]
    stage.serve(route(*[engine.port for engine in engines]))
    assert (await stage.ask(post(chat()))).status == 502
    assert sum(len(engine.seen) for engine in engines) == 2


async def test_no_engine_listens(stage: Rig) -> None:
    stage.serve(route(free_port(), free_port()))
    answer = await stage.ask(post(chat()))
    assert (answer.status, answer.error["code"], answer.headers["retry-after"]) == (502, "engine_unreachable", "1")


async def test_a_loading_engine_is_passed_over(stage: Rig) -> None:
    async def loading(seen: Seen, writer: Writer) -> None:
        writer.write(http(b'{"error":{"message":"Loading model","code":503}}', 503))

    bad, good = await stage.engine(loading), await stage.engine()
    stage.serve(route(bad.port, good.port))
    assert (await stage.ask(post(chat()))).body == COMPLETION
    stage.serve(route(bad.port))
    answer = await stage.ask(post(chat()))
    assert (answer.status, answer.error["message"], answer.error["source"]) == (503, "Loading model", "engine")


async def test_a_kept_connection_that_the_engine_closed_is_no_failure(stage: Rig) -> None:
    """The engine closes as the second request arrives: only the kept connection is to blame."""
    answered = 0

    async def reply(seen: Seen, writer: Writer) -> bool | None:
        nonlocal answered
        answered += 1
        if answered == 2:
            return False
        await complete(seen, writer)
        return None

    engine = await stage.engine(reply)
    stage.serve(route(engine.port))
    client = await stage.connect()
    for _ in range(2):
        client.send(post(chat()))
        assert (await client.answer()).body == COMPLETION
    assert engine.connections == 2


async def test_an_engine_that_closes_each_connection(stage: Rig) -> None:
    async def reply(seen: Seen, writer: Writer) -> bool:
        writer.write(http(COMPLETION, extra="Connection: close\r\n"))
        return False

    engine = await stage.engine(reply)
    stage.serve(route(engine.port))
    client = await stage.connect()
    for _ in range(3):
        client.send(post(chat()))
        assert (await client.answer()).body == COMPLETION
    assert engine.connections == 3


async def test_an_answer_that_ends_with_its_connection(stage: Rig) -> None:
    async def reply(seen: Seen, writer: Writer) -> bool:
        writer.write(b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + COMPLETION)
        return False

    engine = await stage.engine(reply)
    stage.serve(route(engine.port))
    client = await stage.connect()
    for _ in range(2):
        client.send(post(chat()))
        answer = await client.answer()
        assert (answer.body, answer.headers["transfer-encoding"]) == (COMPLETION, "chunked")


async def test_interim_answers_are_not_answers(stage: Rig) -> None:
    async def reply(seen: Seen, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n" + http(COMPLETION))

    engine = await stage.engine(reply)
    stage.serve(route(engine.port))
    answer = await stage.ask(post(chat()))
    assert (answer.status, answer.body) == (200, COMPLETION)


GARBAGE = [
    b"SSH-2.0-x\r\n\r\n",
    b"HTTP/1.1 abc\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    b"x" * 70_000,
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
async def test_an_engine_that_speaks_no_http(stage: Rig, garbage: bytes) -> None:
    async def reply(seen: Seen, writer: Writer) -> None:
        writer.write(garbage)

    engine = await stage.engine(reply)
    stage.serve(route(engine.port))
    answer = await stage.ask(post(chat()))
    assert (answer.status, answer.error["code"]) == (502, "engine_failed")


async def test_bytes_nobody_asked_for_never_meet_the_next_request(stage: Rig) -> None:
    async def reply(seen: Seen, writer: Writer) -> None:
        writer.write(http(COMPLETION) + http(b'{"poison":1}'))

    engine = await stage.engine(reply)
    stage.serve(route(engine.port))
    client = await stage.connect()
    for _ in range(3):
        client.send(post(chat()))
        assert (await client.answer()).body == COMPLETION


async def test_a_broken_answer_that_is_no_stream_is_cut_short(stage: Rig) -> None:
    async def reply(seen: Seen, writer: Writer) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")
        return False

    engine = await stage.engine(reply)
    stage.serve(route(engine.port))
    client = await stage.connect()
    client.send(post(chat()))
    _, headers = await client.head()
    assert headers["content-length"] == "100"
    assert len(await client.rest()) < 100


async def test_an_engine_that_falls_silent(folder) -> None:
    async def mute(seen: Seen, writer: Writer) -> None:
        if b'"stream":true' in seen.body:
            writer.write(STREAM_HEAD + chunk(event("one")))

    async with rig(folder, stream_idle_timeout=0.2, first_byte_timeout=0.2) as stage:
        engine = await stage.engine(mute)
        stage.serve(route(engine.port))
        answer = await stage.ask(post(chat()))
        assert (answer.status, answer.error["code"]) == (504, "engine_timeout")
        answer = await stage.ask(post(chat(stream=True)))
        assert answer.body.startswith(event("one"))
        assert error_of(answer.body)["code"] == "engine_timeout"
        await until(lambda: engine.closed == 2)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_frees_the_engine(stage: Rig, stream: bool) -> None:
    async def endless(seen: Seen, writer: Writer) -> None:
        if stream:
            writer.write(STREAM_HEAD)
        while not seen.gone:
            if stream:
                writer.write(chunk(event("x")))
            await asyncio.sleep(0.005)

    engine = await stage.engine(endless)
    stage.serve(route(engine.port))
    client = await stage.connect()
    client.send(post(chat(stream=stream)))
    await until(lambda: engine.seen)
    if stream:
        await client.head()
    client.close()
    await until(lambda: engine.closed == 1)
    await until(lambda: not any(stage.gateway.lanes.loads().values()))
    assert last_record(stage).status == 499
    assert stage.gateway.budget.held == 0


async def test_a_slow_reader_slows_its_engine_and_costs_little_memory(stage: Rig) -> None:
    """30 MB of stream towards a client that does not read: the engine is held back, nothing is lost afterwards."""
    sent = 0
    blob = event("x" * 60_000)
    total = 500

    async def flood(seen: Seen, writer: Writer) -> None:
        nonlocal sent
        writer.write(STREAM_HEAD)
        for _ in range(total):
            writer.write(chunk(blob))
            await writer.drain()
            sent += 1
        writer.write(chunk(DONE) + b"0\r\n\r\n")

    engine = await stage.engine(flood)
    stage.serve(route(engine.port))
    client = await stage.connect(ahead=65536)
    client.send(post(chat(stream=True)))
    _, headers = await client.head()
    await until(lambda: any(not c._writable for c in stage.gateway.clients))
    held = max(c._transport.get_write_buffer_size() for c in stage.gateway.clients)
    assert held < 1_500_000
    before = -1
    while sent != before:  # until sockets and buffers are full
        before = sent
        await asyncio.sleep(0.1)
    assert sent < total
    body = await asyncio.wait_for(client._body(headers), PATIENCE)
    assert body == blob * total + DONE


async def test_a_reader_that_never_reads_is_cut_off(folder) -> None:
    async def flood(seen: Seen, writer: Writer) -> None:
        writer.write(STREAM_HEAD)
        while not seen.gone:
            writer.write(chunk(event("x" * 60_000)))
            await writer.drain()

    async with rig(folder, stream_idle_timeout=0.3) as stage:
        engine = await stage.engine(flood)
        stage.serve(route(engine.port))
        client = await stage.connect(ahead=65536)
        client.send(post(chat(stream=True)))
        await until(lambda: engine.closed == 1)
        await until(lambda: not stage.gateway.clients)


async def test_the_least_loaded_replica_is_chosen(stage: Rig) -> None:
    gate = asyncio.Event()

    async def held(seen: Seen, writer: Writer) -> None:
        await gate.wait()
        await complete(seen, writer)

    one, two = await stage.engine(held), await stage.engine(held)
    stage.serve(route(one.port, two.port))
    clients = [await stage.connect() for _ in range(4)]
    for number, client in enumerate(clients, 1):
        client.send(post(chat(messages=[{"role": "assistant", "content": ""}])))  # nothing that a cache could know
        await until(lambda count=number: len(one.seen) + len(two.seen) == count)
    assert (len(one.seen), len(two.seen)) == (2, 2)
    assert sum(stage.gateway.lanes.loads().values()) == 4
    gate.set()
    for client in clients:
        assert (await client.answer()).status == 200


async def test_turns_of_one_key(folder) -> None:
    gate = asyncio.Event()

    async def held(seen: Seen, writer: Writer) -> None:
        await gate.wait()
        await complete(seen, writer)

    async with rig(folder, key_concurrency=2, key_queue=2) as stage:
        engine = await stage.engine(held)
        stage.serve(route(engine.port))
        clients = [await stage.connect() for _ in range(4)]
        for number, client in enumerate(clients, 1):
            client.send(post(chat()))
            await until(lambda count=number: len(engine.seen) + stage.gateway.turns.waiting() == count)
        assert (len(engine.seen), stage.gateway.turns.waiting()) == (2, 2)
        refused = await stage.ask(post(chat()))
        assert (refused.status, refused.error["code"], refused.headers["retry-after"]) == (
            429,
            "too_many_requests",
            "1",
        )
        clients[3].close()  # one that waits leaves
        await until(lambda: stage.gateway.turns.waiting() == 1)
        gate.set()
        for client in clients[:3]:
            assert (await client.answer()).status == 200
        assert len(engine.seen) == 3
