"""Reading heads: the reader with a memory against the plain one, and that memory does not outlive a right."""

from __future__ import annotations

import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.harness import COMPLETION, KEY, Rig, chat, digest, post, route

from aimindserve.domain.routing import KeyGrant, RoutingTable
from aimindserve.gateway.answers import AnswerReader, parse_answer_head
from aimindserve.gateway.framing import FramingError
from aimindserve.gateway.heads import BadHead, HeadReader, RequestHead, parse_head

LINES = [
    b"Host: gw",
    b"Host: other",
    b"Authorization: Bearer one",
    b"Authorization: Bearer two",
    b"Connection: close",
    b"Connection: keep-alive",
    b"Expect: 100-continue",
    b"Transfer-Encoding: chunked",
    b"content-length: 7",
    b"Content-Length: 12",
    b"Content-Length: 1234567",
    b"Content-Length:  5",
    b"Content-Length: +5",
    b"X-Fake: Content-Length: 9",
    b"X: \xe4",
]
STARTS = [b"POST /v1/a HTTP/1.1", b"POST /v1/b?c HTTP/1.1", b"GET /x HTTP/1.0", b"PUT http://h/x HTTP/1.1", b"BAD"]
BLOCKS = st.builds(
    lambda start, lines: b"\r\n".join([start, *lines]) + b"\r\n\r\n",
    st.sampled_from(STARTS),
    st.lists(st.sampled_from(LINES), min_size=1, max_size=5),
)


def facts(head: RequestHead | BadHead) -> object:
    if isinstance(head, BadHead):
        return head
    names = ("method", "target", "path", "version", "headers", "length", "chunked", "keep_alive", "expects_continue")
    values = {name: getattr(head, name) for name in names}
    # The header list of a head that serves again shows the length that it had the first time; nobody reads it there.
    values["headers"] = [(name, value) for name, value in head.headers if name != b"content-length"]
    return values


@settings(deadline=None)
@given(st.lists(BLOCKS, max_size=6), st.lists(st.integers(0, 10**11), max_size=4))
def test_a_reader_with_a_memory_reads_the_same(blocks: list[bytes], lengths: list[int]) -> None:
    again = [block.replace(b"Length: 12", b"Length: %d" % length) for block in blocks[-1:] for length in lengths]
    reader = HeadReader(100)
    for block in [*blocks, *again, *blocks]:
        assert facts(reader.read(block)) == facts(parse_head(block, 100))


ANSWER_LINES = [
    b"content-length: 5",
    b"Content-Length: 17",
    b"content-length: 5x",
    b"connection: close",
    b"transfer-encoding: chunked",
    b"content-type: application/json",
    b"content-type: text/event-stream",
    b"x: y",
]
ANSWERS = st.builds(
    lambda start, lines: b"\r\n".join([start, *lines]),
    st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK", b"HTTP/1.1 404 Not Found", b"HTTP/1.1 204 No Content"]),
    st.lists(st.sampled_from(ANSWER_LINES), max_size=4),
)


@settings(deadline=None)
@given(st.lists(ANSWERS, max_size=8), st.booleans())
def test_answers_are_read_the_same(blocks: list[bytes], to_head: bool) -> None:
    reader = AnswerReader()

    def outcome(read) -> object:
        try:
            head = read()
        except FramingError:
            return "broken"
        decoder = (type(head.decoder), getattr(head.decoder, "left", None))
        return head.status, head.phrase, head.headers, head.length, head.content_type, head.keep_alive, decoder

    for block in [*blocks, *blocks]:
        expected = outcome(lambda block=block: parse_answer_head(block, to_head=to_head))
        assert outcome(lambda block=block: reader.read(block, to_head=to_head)) == expected


async def test_a_key_that_is_revoked_is_refused_on_an_open_connection(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    client = await stage.connect()
    for _ in range(3):
        client.send(post(chat()))
        assert (await client.answer()).body == COMPLETION
    stage.gateway.apply(RoutingTable(1, (route(engine.port),)))  # even under the same version number
    client.send(post(chat()))
    assert (await client.answer()).status == 401
    stage.serve(route(engine.port))
    client.send(post(chat()))
    assert (await client.answer()).status == 200


async def test_a_key_that_expires_is_refused_on_an_open_connection(stage: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = await stage.engine()
    now = time.time()
    grant = KeyGrant("k", digest(KEY), "u", ("inference",), expires_at=now + 1000)
    stage.gateway.apply(RoutingTable(1, (route(engine.port),), (grant,)))
    client = await stage.connect()
    client.send(post(chat()))
    assert (await client.answer()).status == 200
    monkeypatch.setattr(time, "time", lambda: now + 1001)
    client.send(post(chat()))
    assert (await client.answer()).status == 401


async def test_lengths_differ_on_one_connection(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    client = await stage.connect()
    bodies = [chat(padding="x" * size) for size in (5, 500, 6, 70_000, 7)]
    for body in bodies:
        client.send(post(body))
        assert msgspec.json.decode((await client.answer()).body)["id"] == "c"
    assert [seen.body for seen in engine.seen] == bodies
