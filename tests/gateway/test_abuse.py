"""Raw bytes that no well-behaved client sends, and some odd ones that are allowed.

After each case the gateway must still answer a plain request on a new connection, hold no bytes of the body budget,
and the engine must have seen exactly the requests that were let through.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from tests.gateway.harness import COMPLETION, KEY, MODEL, Rig, chat, get, post, route, until

BODY = chat()
AUTH = f"Authorization: Bearer {KEY}\r\n".encode()
START = b"POST /v1/chat/completions HTTP/1.1\r\nHost: gw\r\n" + AUTH
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"GET /v1/models HTTP/1.1\r\nHost: gw\r\n\r\n"
WHOLE = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


@dataclass
class Case:
    """``status``: of the first answer, 0 for none. ``closes``: the connection ends. ``reached``: requests that the
    engine got."""

    name: str
    raw: bytes
    status: int
    closes: bool = True
    reached: int = 0


def refused(name: str, raw: bytes, status: int = 400) -> Case:
    return Case(name, raw, status)


def taken(name: str, raw: bytes, *, closes: bool = False) -> Case:
    return Case(name, raw, 200, closes, 1)


CASES = [
    # two ideas of where the body ends
    refused("CL and TE", START + LENGTH + CHUNKED + b"\r\n" + WHOLE + SMUGGLED),
    refused("TE and CL", START + CHUNKED + LENGTH + b"\r\n" + WHOLE + SMUGGLED),
    refused("two lengths", START + LENGTH + b"Content-Length: 3\r\n\r\n" + BODY),
    refused("the same length twice", START + LENGTH + LENGTH + b"\r\n" + BODY),
    refused("length list", START + b"Content-Length: 3, 3\r\n\r\nabc"),
    refused("signed length", START + b"Content-Length: +3\r\n\r\nabc"),
    refused("negative length", START + b"Content-Length: -3\r\n\r\nabc"),
    refused("hex length", START + b"Content-Length: 0x3\r\n\r\nabc"),
    refused("length with blank", START + b"Content-Length: 1 1\r\n\r\nabc"),
    refused("empty length", START + b"Content-Length:\r\n\r\nabc"),
    refused("huge length", START + b"Content-Length: 99999999999999999999999\r\n\r\nabc"),
    refused("length with underscore", START + b"Content-Length: 1_0\r\n\r\nabc"),
    refused("TE list", START + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + WHOLE),
    refused("TE reversed list", START + b"Transfer-Encoding: chunked, identity\r\n\r\n" + WHOLE),
    refused("TE unknown", START + b"Transfer-Encoding: xchunked\r\n\r\n" + WHOLE),
    refused("TE twice", START + CHUNKED + CHUNKED + b"\r\n" + WHOLE),
    refused("TE identity", START + b"Transfer-Encoding: identity\r\n" + LENGTH + b"\r\n" + BODY),
    refused("TE with vertical tab", START + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + WHOLE),
    refused("TE with blank before colon", START + b"Transfer-Encoding : chunked\r\n\r\n" + WHOLE),
    refused("TE folded", START + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + WHOLE),
    refused("TE in HTTP/1.0", START.replace(b"HTTP/1.1", b"HTTP/1.0") + CHUNKED + b"\r\n" + WHOLE),
    taken("TE in capitals", START + b"TRANSFER-ENCODING: Chunked\r\n\r\n" + WHOLE),
    # chunks
    refused("chunk size not hex", START + CHUNKED + b"\r\nzz\r\nabc\r\n0\r\n\r\n"),
    refused("chunk size with sign", START + CHUNKED + b"\r\n+3\r\nabc\r\n0\r\n\r\n"),
    refused("chunk size with 0x", START + CHUNKED + b"\r\n0x3\r\nabc\r\n0\r\n\r\n"),
    refused("chunk size with underscore", START + CHUNKED + b"\r\n1_0\r\n" + b"a" * 16 + b"\r\n0\r\n\r\n"),
    refused("chunk size overflow", START + CHUNKED + b"\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    refused("chunk size empty", START + CHUNKED + b"\r\n\r\nabc\r\n0\r\n\r\n"),
    refused("chunk size with blank before", START + CHUNKED + b"\r\n 3\r\nabc\r\n0\r\n\r\n"),
    refused("chunk longer than its size", START + CHUNKED + b"\r\n3\r\nabcd\r\n0\r\n\r\n"),
    refused("chunk shorter than its size", START + CHUNKED + b"\r\n5\r\nabc\r\n0\r\n\r\n"),
    refused("chunk line with bare LF", START + CHUNKED + b"\r\n3\nabc\r\n0\r\n\r\n"),
    refused("chunk data with bare LF", START + CHUNKED + b"\r\n3\r\nabc\n0\r\n\r\n"),
    refused("chunk line without end", START + CHUNKED + b"\r\n3;" + b"x" * 5000),
    refused("chunk extension with NUL", START + CHUNKED + b"\r\n3;\0\r\nabc\r\n0\r\n\r\n"),
    refused("trailer without end", START + CHUNKED + b"\r\n0\r\na: " + b"x" * 9000),
    refused("trailer that is none", START + CHUNKED + b"\r\n0\r\nnonsense\r\n\r\n"),
    refused("thousands of tiny chunks", START + CHUNKED + b"\r\n" + b"1\r\na\r\n" * 5000),
    refused("chunked above the limit", START + CHUNKED + b"\r\n40000000\r\n" + b"x" * 100, 408),
    taken("chunk extension", START + CHUNKED + b"\r\n%x;a=b\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)),
    taken("trailer", START + CHUNKED + b"\r\n%x\r\n%b\r\n0\r\nx-a: b\r\n\r\n" % (len(BODY), BODY)),
    taken("leading zeros", START + CHUNKED + b"\r\n%08x\r\n%b\r\n000\r\n\r\n" % (len(BODY), BODY)),
    # heads
    refused("obs-fold", START + b"X-A: b\r\n c\r\n" + LENGTH + b"\r\n" + BODY),
    refused("NUL in a value", START + b"X-A: b\0c\r\n" + LENGTH + b"\r\n" + BODY),
    refused("NUL in the target", b"GET /v1/mod\0els HTTP/1.1\r\nHost: gw\r\n\r\n"),
    refused("bare CR in a value", START + b"X-A: b\rc\r\n" + LENGTH + b"\r\n" + BODY),
    refused("bare LF between headers", START + b"X-A: b\nX-C: d\r\n" + LENGTH + b"\r\n" + BODY),
    refused("bare LF everywhere", b"GET /v1/models HTTP/1.1\nHost: gw\n\n"),
    refused("DEL in a value", START + b"X-A: b\x7f\r\n" + LENGTH + b"\r\n" + BODY),
    refused("blank before the colon", START + b"X-A : b\r\n" + LENGTH + b"\r\n" + BODY),
    refused("header without a name", START + b": b\r\n" + LENGTH + b"\r\n" + BODY),
    refused("header without a colon", START + b"nonsense\r\n" + LENGTH + b"\r\n" + BODY),
    refused("header name with blank", START + b"X A: b\r\n" + LENGTH + b"\r\n" + BODY),
    refused("no host", b"GET /v1/models HTTP/1.1\r\n" + AUTH + b"\r\n"),
    refused("two hosts", b"GET /v1/models HTTP/1.1\r\nHost: a\r\nHost: b\r\n" + AUTH + b"\r\n"),
    refused("two keys", START + AUTH + LENGTH + b"\r\n" + BODY),
    refused("first line folded", b" GET /v1/models HTTP/1.1\r\nHost: gw\r\n\r\n"),
    refused("method in small letters", b"get /v1/models HTTP/1.1\r\nHost: gw\r\n\r\n"),
    refused("method unknown", b"FOO /v1/models HTTP/1.1\r\nHost: gw\r\n\r\n"),
    refused("no version", b"GET /v1/models\r\n\r\n", 505),
    refused("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    refused("HTTP/2.0", b"GET /v1/models HTTP/2.0\r\nHost: gw\r\n\r\n", 505),
    refused("HTTP/0.9", b"GET /v1/models HTTP/0.9\r\nHost: gw\r\n\r\n", 505),
    refused("HTTP/1.2", b"GET /v1/models HTTP/1.2\r\nHost: gw\r\n\r\n"),
    refused("target with high bytes", b"GET /v1/m\xc3\xb6dels HTTP/1.1\r\nHost: gw\r\n\r\n"),
    refused("target without slash", b"GET v1/models HTTP/1.1\r\nHost: gw\r\n\r\n"),
    refused("absolute target with a user", b"GET http://u@h/v1/models HTTP/1.1\r\nHost: gw\r\n\r\n"),
    refused("TLS on the plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 40),
    refused("a shell", b"\x1b[2J\r\n\r\n"),
    refused("unknown expectation", START + b"Expect: miracles\r\n" + LENGTH + b"\r\n" + BODY, 417),
    refused("head too large", START + b"X-A: " + b"b" * 20_000 + b"\r\n\r\n", 431),
    refused("head without end", b"GET /" + b"a" * 20_000, 431),
    refused("too many headers", START + b"a: b\r\n" * 120 + LENGTH + b"\r\n" + BODY, 431),
    refused("many empty lines, then garbage", b"\r\n" * 50 + b"\x01"),
    Case("CONNECT", b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    Case("body above the limit", START + b"Content-Length: 40000000\r\n\r\n" + b"x" * 1000, 413),
    Case("body above the limit for this path", post(b"", "/v1/embeddings", length=2_000_000), 413),
    Case("compressed body", START + b"Content-Encoding: gzip\r\n" + LENGTH + b"\r\n" + BODY, 415, closes=False),
    Case("no key, body to come", post(b"x", key=None, length=1_000_000), 401),
    Case("wrong method", get("/v1/chat/completions"), 405, closes=False),
    Case("unknown path", get("/v1/files"), 404, closes=False),
    Case("cut off within the head", START[:40], 0),
    Case("cut off within the body", START + LENGTH + b"\r\n" + BODY[:5], 0),
    # odd, and allowed
    taken("empty lines first", b"\r\n\r\n" + post(BODY)),
    taken("HTTP/1.0", post(BODY).replace(b"HTTP/1.1", b"HTTP/1.0"), closes=True),
    taken("HTTP/1.0 without host", post(BODY).replace(b"HTTP/1.1\r\nHost: gw", b"HTTP/1.0"), closes=True),
    taken("HTTP/1.0 keep-alive", post(BODY, headers="Connection: keep-alive\r\n").replace(b"HTTP/1.1", b"HTTP/1.0")),
    taken("close asked for", post(BODY, headers="Connection: foo, Close\r\n"), closes=True),
    taken("absolute target", post(BODY, "http://gw/v1/chat/completions")),
    taken("upgrade ignored", post(BODY, headers="Connection: Upgrade\r\nUpgrade: websocket\r\n")),
    taken("headers in capitals", post(BODY).replace(b"Content-Length", b"CONTENT-LENGTH")),
    taken("high bytes in a value", post(BODY, headers="X-A: \xe4\xf6\r\n")),
    taken("query", post(BODY, "/v1/chat/completions?a=b#c")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_case(stage: Rig, case: Case) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    client = await stage.connect()
    client.send(case.raw)
    if case.status in (0, 408):
        client.writer.write_eof()
        received = await client.rest()
        assert received == b""
    else:
        answer = await client.answer()
        assert answer.status == case.status, answer.body
        if case.status == 200:
            assert answer.body == COMPLETION
        else:
            assert answer.headers["content-type"] == "application/json"
            assert answer.error["source"] == "gateway"
        assert (answer.headers.get("connection") == "close") == case.closes
        if case.closes:
            assert await client.rest() == b""
        else:
            client.send(post(BODY))
            assert (await client.answer()).status == 200
    assert len(engine.seen) == case.reached + (1 if case.status and not case.closes else 0)
    client.close()
    assert (await stage.ask(post(BODY))).body == COMPLETION
    await until(lambda: not stage.gateway.clients)
    assert stage.gateway.budget.held == 0


@pytest.mark.parametrize("case", [case for case in CASES if case.status], ids=lambda case: case.name)
async def test_case_byte_by_byte_comes_to_the_same(stage: Rig, case: Case) -> None:
    """Where a read ends must not matter. Long cases are cut at their beginning and end only."""
    engine = await stage.engine()
    stage.serve(route(engine.port))
    client = await stage.connect()
    connection = await _connection(stage)
    raw = case.raw
    step = 1 if len(raw) < 3000 else 977
    for place in range(0, len(raw), step):
        piece = raw[place : place + step]
        if connection._transport.is_closing():
            break
        connection._transport.get_protocol().data_received(piece) if _takes_data(connection) else _fill(
            connection, piece
        )
    if case.status == 408:
        return
    answer = await client.answer()
    assert answer.status == case.status, answer.body
    await until(lambda: len(engine.seen) == case.reached)


async def _connection(stage: Rig):
    await until(lambda: stage.gateway.clients)
    return next(iter(stage.gateway.clients))


def _takes_data(connection) -> bool:
    return hasattr(connection._transport.get_protocol(), "data_received")


def _fill(connection, piece: bytes) -> None:
    """As the transport does it for a protocol with a buffer of its own."""
    while piece:
        protocol = connection._transport.get_protocol()
        if hasattr(protocol, "data_received"):
            protocol.data_received(piece)
            return
        buffer = protocol.get_buffer(-1)
        count = min(len(buffer), len(piece))
        buffer[:count] = piece[:count]
        protocol.buffer_updated(count)
        piece = piece[count:]


async def test_pipelined_requests_are_answered_in_order(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    client = await stage.connect()
    client.send(
        post(BODY) + get("/v1/models/nothing") + post(BODY) + get("/healthz") + get("/v1/models", method="HEAD")
    )
    assert (await client.answer()).body == COMPLETION
    assert (await client.answer()).status == 404
    assert (await client.answer()).body == COMPLETION
    assert (await client.answer()).body == b'{"status":"ok"}'
    head = await client.answer(to_head=True)
    assert int(head.headers["content-length"]) > 10


async def test_a_flood_of_pipelined_requests_is_held_back(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    client = await stage.connect()
    count = 2000
    client.send(post(BODY) * count)
    for _ in range(count):
        assert (await client.answer()).status == 200
    assert len(engine.seen) == count


async def test_expect_continue(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    client = await stage.connect()
    for size in (10, 100_000):
        body = chat(padding="x" * size)
        client.send(post(b"", headers="Expect: 100-continue\r\n", length=len(body)))
        assert (await client.answer()).status == 100
        client.send(body)
        assert (await client.answer()).status == 200
    assert len(engine.seen) == 2
    client.send(post(b"", key="sk-bad", headers="Expect: 100-continue\r\n", length=10))
    assert (await client.answer()).status == 401


async def test_options_and_head(stage: Rig) -> None:
    answer = await stage.ask(get("/v1/chat/completions", method="OPTIONS", key=None))
    assert (answer.status, answer.headers["allow"]) == (204, "POST, OPTIONS")
    answer = await stage.ask(get("*", method="OPTIONS"))
    assert answer.status == 204
    client = await stage.connect()
    client.send(get("/v1/models", method="HEAD") + get("/healthz"))
    assert (await client.answer(to_head=True)).status == 200
    assert (await client.answer()).body == b'{"status":"ok"}'


async def test_a_stream_to_an_old_client(stage: Rig) -> None:
    from tests.gateway.harness import DONE, event, streaming

    engine = await stage.engine(streaming(2))
    stage.serve(route(engine.port, model=MODEL))
    client = await stage.connect()
    client.send(post(chat(stream=True)).replace(b"HTTP/1.1", b"HTTP/1.0"))
    answer = await client.answer()
    assert "transfer-encoding" not in answer.headers
    assert answer.body == event("t0 ") + event("t1 ") + DONE
