"""Sizes and times: at the limit and just above it, and that nothing is kept afterwards."""

from __future__ import annotations

import asyncio

import pytest
from tests.gateway.harness import COMPLETION, KEY, Rig, Seen, chat, complete, get, http, post, rig, route, until

MIB = 1024**2
OPEN_CHUNK = b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"


def sized(size: int) -> bytes:
    """A chat body of exactly ``size`` bytes."""
    empty = chat(padding="")
    return chat(padding="x" * (size - len(empty)))


def chunked(body: bytes, path: str = "/v1/chat/completions", piece: int = 50_000) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: gw\r\nAuthorization: Bearer {KEY}\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = [body[place : place + piece] for place in range(0, len(body), piece)]
    return head.encode() + b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize(("path", "limit"), [("/v1/chat/completions", 32 * MIB), ("/v1/embeddings", MIB)])
@pytest.mark.parametrize("in_chunks", [False, True])
async def test_bodies_at_the_limit_and_one_above(stage: Rig, path: str, limit: int, in_chunks: bool) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    fits, large = sized(limit), sized(limit + 1)
    raw = chunked(fits, path) if in_chunks else post(fits, path)
    assert (await stage.ask(raw)).status == 200
    assert engine.seen[0].body == fits
    raw = chunked(large, path) if in_chunks else post(large, path)
    answer = await stage.ask(raw)
    assert (answer.status, answer.error["code"]) == (413, "body_too_large")
    assert len(engine.seen) == 1
    await until(lambda: stage.gateway.budget.held == 0)


async def test_the_budget_of_all_bodies(folder) -> None:
    async with rig(folder, body_budget_bytes=3 * MIB) as stage:
        engine = await stage.engine()
        stage.serve(route(engine.port))
        body = sized(2 * MIB)
        holder = await stage.connect()
        holder.send(post(body)[:-10])
        await until(lambda: stage.gateway.budget.held == 2 * MIB)
        for raw in (post(body), chunked(body)):
            answer = await stage.ask(raw)
            assert (answer.status, answer.error["code"], answer.headers["retry-after"]) == (503, "server_busy", "1")
        await until(lambda: stage.gateway.budget.held == 2 * MIB)
        holder.send(body[-10:])
        assert (await holder.answer()).body == COMPLETION
        assert stage.gateway.budget.held == 0
        assert (await stage.ask(chunked(body))).status == 200


async def test_bodies_are_let_go_when_the_answer_begins(stage: Rig) -> None:
    gate = asyncio.Event()

    async def reply(seen: Seen, writer: asyncio.StreamWriter) -> None:
        half = http(COMPLETION)
        writer.write(half[:-5])
        await gate.wait()
        writer.write(half[-5:])

    engine = await stage.engine(reply)
    stage.serve(route(engine.port))
    client = await stage.connect()
    client.send(post(sized(MIB)))
    await client.head()
    assert stage.gateway.budget.held == 0
    gate.set()


SLOW = [
    ("nothing at all", b"", 0),
    ("half a head", b"GET /v1/models HT", 408),
    ("half a body", post(b'{"model"', length=100), 408),
    ("half a large body", post(b'{"model"' * 100, length=1_000_000), 408),
    ("half a chunk", post(b"")[:-4].replace(b"Content-Length: 0", b"") + OPEN_CHUNK, 408),
    ("idle after an answer", get("/healthz"), 200),
]


@pytest.mark.parametrize(("name", "raw", "status"), SLOW, ids=[name for name, _, _ in SLOW])
async def test_who_takes_too_long_is_cut_off(folder, name: str, raw: bytes, status: int) -> None:
    async with rig(folder, header_timeout=0.2, body_idle_timeout=0.2, keepalive_timeout=0.2) as stage:
        client = await stage.connect()
        client.send(raw)
        if status:
            assert (await client.answer()).status == status
        assert await client.rest() == b""
        client.close()
        await until(lambda: not stage.gateway.clients)
        assert stage.gateway.budget.held == 0


async def test_a_head_that_trickles_in_is_cut_off(folder) -> None:
    """One byte now and then does not buy time."""
    async with rig(folder, header_timeout=0.4) as stage:
        client = await stage.connect()
        head = b"GET /v1/models HTTP/1.1\r\nX: " + b"x" * 1000

        async def trickle() -> None:
            for byte in head:
                client.send(bytes([byte]))
                await asyncio.sleep(0.02)

        trickling = asyncio.create_task(trickle())
        assert (await client.answer()).status == 408
        trickling.cancel()


async def test_an_upload_to_the_server_that_stops_is_cut_off(folder) -> None:
    async with rig(folder, body_idle_timeout=0.2) as stage:
        server = await stage.server(complete)
        client = await stage.connect()
        client.send(post(b"abc", "/api/v1/upload", length=100))
        assert await client.rest() == b""
        await until(lambda: server.closed)


async def test_waiting_for_the_server_has_no_limit(folder) -> None:
    """Long polls and event streams are the server's business."""
    gate = asyncio.Event()

    async def slow(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        writer.write(http(b"late"))

    async with rig(
        folder, header_timeout=0.1, body_idle_timeout=0.1, keepalive_timeout=0.1, stream_idle_timeout=0.1
    ) as stage:
        server = await stage.server(slow)
        client = await stage.connect()
        client.send(get("/api/v1/events?follow"))
        await until(lambda: server.seen)
        await asyncio.sleep(0.5)
        gate.set()
        assert (await client.answer()).body == b"late"
