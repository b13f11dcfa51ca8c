"""Everything that is not inference goes to the server, both ways at once."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.gateway.harness import METRICS_KEY, Rig, Seen, chunk, get, http, post, until

Writer = asyncio.StreamWriter


async def echo(seen: Seen, writer: Writer) -> None:
    writer.write(http(seen.head + seen.body, extra="set-cookie: a=1\r\nset-cookie: b=2\r\nx-request-id: forged\r\n"))


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_any_method_with_its_body(stage: Rig, method: str) -> None:
    await stage.server(echo)
    raw = f"{method} /api/v1/x?a=b%20c HTTP/1.1\r\nHost: here:80\r\nContent-Length: 3\r\nX-Own: 1\r\n\r\nabc".encode()
    answer = await stage.ask(raw)
    assert answer.status == 200
    assert answer.body.startswith(f"{method} /api/v1/x?a=b%20c HTTP/1.1\r\n".encode())
    assert answer.body.endswith(b"\r\n\r\nabc")
    assert b"host: here:80\r\n" in answer.body
    assert b"x-own: 1\r\n" in answer.body


async def test_what_a_client_says_about_itself_does_not_pass(stage: Rig) -> None:
    server = await stage.server(echo)
    lies = "".join(
        f"{name}: lie\r\n"
        for name in (
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "x-forwarded-host",
            "Forwarded",
            "X-Real-IP",
            "X-Request-Id",
        )
    )
    answer = await stage.ask(
        get("/api/v1/x", headers=lies + "Connection: keep-alive, x-drop\r\nX-Drop: 1\r\nUpgrade: h2c\r\n")
    )
    seen = server.seen[0]
    assert b"lie" not in seen.head
    assert b"x-drop" not in seen.head
    assert b"upgrade" not in seen.head.lower()
    assert (seen.header("x-forwarded-for"), seen.header("x-forwarded-proto")) == ("127.0.0.1", "http")
    assert seen.header("x-request-id") == answer.headers["x-request-id"] != "forged"


async def test_connection_may_not_take_the_host_away(stage: Rig) -> None:
    server = await stage.server(echo)
    await stage.ask(get("/x", headers="Connection: host, x-forwarded-for\r\n"))
    assert server.seen[0].header("host") == "gw"
    assert server.seen[0].header("x-forwarded-for") == "127.0.0.1"


async def test_chunks_both_ways(stage: Rig) -> None:
    async def reply(seen: Seen, writer: Writer) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(seen.body) + chunk(b"!") + b"0\r\n\r\n"
        )

    server = await stage.server(reply)
    client = await stage.connect()
    for _ in range(2):
        client.send(b"POST /up HTTP/1.1\r\nHost: gw\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        client.send(b"2;ext=1\r\nde\r\n0\r\ntrailer: x\r\n\r\n")
        answer = await client.answer()
        assert (answer.body, answer.headers["transfer-encoding"]) == (b"abcde!", "chunked")
    assert [seen.body for seen in server.seen] == [b"abcde", b"abcde"]


async def test_events_arrive_as_they_are_sent(stage: Rig) -> None:
    gates = [asyncio.Event(), asyncio.Event()]

    async def reply(seen: Seen, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for number, gate in enumerate(gates):
            writer.write(chunk(b"data: %d\n\n" % number))
            await gate.wait()
        writer.write(b"0\r\n\r\n")

    await stage.server(reply)
    client = await stage.connect()
    client.send(get("/api/v1/events?follow"))
    await client.head()
    for number, gate in enumerate(gates):
        assert await asyncio.wait_for(client.reader.readexactly(14), 30) == b"9\r\ndata: %d\n\n\r\n" % number
        gate.set()


async def test_head_and_no_content(stage: Rig) -> None:
    async def reply(seen: Seen, writer: Writer) -> None:
        if seen.head.startswith(b"HEAD"):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n")
        else:
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    await stage.server(reply)
    client = await stage.connect()
    client.send(get("/page", method="HEAD"))
    answer = await client.answer(to_head=True)
    assert answer.headers["content-length"] == "1234"
    client.send(get("/api/v1/x", method="DELETE"))
    assert (await client.answer()).status == 204


async def test_cookies_stay_apart(stage: Rig) -> None:
    await stage.server(echo)
    client = await stage.connect()
    client.send(get("/"))
    raw = await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), 30)
    assert raw.count(b"set-cookie:") == 2
    assert raw.count(b"x-request-id:") == 1
    assert b"forged" not in raw


@pytest.mark.parametrize(("language", "text"), [("zh-CN,zh;q=0.9,en;q=0.8", "管理服务"), ("en", "management server")])
async def test_no_server(stage: Rig, language: str, text: str) -> None:
    answer = await stage.ask(get("/readyz", headers=f"Accept-Language: {language}\r\n"))
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"] == "application/problem+json"
    problem = msgspec.json.decode(answer.body)
    assert (problem["code"], problem["status"]) == ("not_ready", 503)
    assert text in problem["message"]
    assert problem["remedy"]


async def test_a_server_that_dies_without_an_answer_and_within_one(stage: Rig) -> None:
    async def reply(seen: Seen, writer: Writer) -> bool:
        if b"/partly" in seen.head:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        return False

    await stage.server(reply)
    assert (await stage.ask(get("/none"))).status == 503
    client = await stage.connect()
    client.send(get("/partly"))
    await client.head()
    assert len(await client.rest()) < 100


async def test_an_early_answer_to_a_large_upload(stage: Rig) -> None:
    """The server refuses before the body is there: the client gets the answer, not a reset."""

    async def on_connection(reader: asyncio.StreamReader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http(b"too large", 413))

    server = await asyncio.start_unix_server(on_connection, stage.gateway.config.server_socket)
    client = await stage.connect()
    client.send(post(b"x" * 100_000, "/api/v1/upload", length=50_000_000))
    answer = await client.answer()
    assert (answer.status, answer.body, answer.headers["connection"]) == (413, b"too large", "close")
    server.close()


async def test_uploads_wait_for_a_slow_server(stage: Rig) -> None:
    gate = asyncio.Event()

    async def on_connection(reader: asyncio.StreamReader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await gate.wait()
        size = len(await reader.readexactly(30_000_000))
        writer.write(http(b"%d" % size))

    server = await asyncio.start_unix_server(on_connection, stage.gateway.config.server_socket)
    client = await stage.connect()
    client.send(post(b"", "/api/v1/upload", length=30_000_000))
    sending = asyncio.create_task(_send_all(client.writer, 30_000_000))
    await until(lambda: any(not c._reading for c in stage.gateway.clients))
    assert not sending.done()
    gate.set()
    assert (await client.answer()).body == b"30000000"
    await sending
    server.close()


async def _send_all(writer: Writer, count: int) -> None:
    for _ in range(count // 100_000):
        writer.write(b"x" * 100_000)
        await writer.drain()


async def test_a_client_that_leaves_ends_its_request_at_the_server(stage: Rig) -> None:
    async def never(seen: Seen, writer: Writer) -> None:
        while not seen.gone:
            writer.write(b"")
            await asyncio.sleep(0.01)

    server = await stage.server(never)
    client = await stage.connect()
    client.send(get("/api/v1/events?follow"))
    await until(lambda: server.seen)
    client.close()
    await until(lambda: server.closed)


async def test_health_and_metrics_are_the_gateways(stage: Rig) -> None:
    answer = await stage.ask(get("/healthz", key=None))
    assert (answer.status, answer.body) == (200, b'{"status":"ok"}')
    assert (await stage.ask(get("/metrics", key=None))).status == 401
    assert (await stage.ask(get("/metrics"))).status == 403  # a key for inference only
    await stage.ask(get("/v1/nothing"))
    text = (await stage.ask(get("/metrics", key=METRICS_KEY))).body.decode()
    assert 'aimindserve_gateway_refused_total{code="unknown_path",status="404"} 1' in text
    assert "# TYPE aimindserve_gateway_overhead_seconds histogram" in text


async def test_tricks_with_the_path_end_at_the_server(stage: Rig) -> None:
    server = await stage.server(echo)
    for path in ("/v1x", "//v1/models", "/%76%31/models", "/V1/models", "/api/../v1/models"):
        assert (await stage.ask(get(path))).status == 200
    assert len(server.seen) == 5
