"""The decoders and relays, against a simple model, split at random places."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimindserve.gateway.answers import EventRelay, Relay, parse_answer_head
from aimindserve.gateway.framing import LAST_CHUNK, ChunkedBody, FixedBody, FramingError, UntilClose, as_chunk

PIECES = st.lists(st.binary(min_size=1, max_size=40), max_size=8)
CUTS = st.lists(st.integers(0, 4000), max_size=12)


def split(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in itertools.pairwise(places)]


def dechunk(data: bytes) -> bytes:
    """The model: for whole and right input only."""
    out = b""
    while True:
        line, _, data = data.partition(b"\r\n")
        size = int(line, 16)
        if not size:
            assert data == b"\r\n"
            return out
        out += data[:size]
        assert data[size : size + 2] == b"\r\n"
        data = data[size + 2 :]


@settings(deadline=None)
@given(
    PIECES, CUTS, st.binary(max_size=20), st.sampled_from([b"", b";a=b", b" ; x"]), st.sampled_from([b"", b"x: y\r\n"])
)
def test_chunks_come_out_whole_wherever_they_are_split(pieces, cuts, rest, extension, trailer) -> None:
    raw = b"".join(b"%X%b\r\n%b\r\n" % (len(one), extension, one) for one in pieces) + b"0\r\n" + trailer + b"\r\n"
    decoder = ChunkedBody()
    payload, after = b"", b""
    for piece in split(raw + rest, cuts):
        if decoder.done:
            after += piece
        else:
            part, left = decoder.feed(piece)
            payload += part
            after += left
    assert decoder.done
    assert (payload, after) == (b"".join(pieces), rest)


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 220), CUTS)
def test_fixed_bodies(data: bytes, length: int, cuts: list[int]) -> None:
    decoder = FixedBody(length)
    payload, after = b"", b""
    for piece in split(data, cuts):
        part, left = decoder.feed(piece)
        payload += part
        after += left
    assert payload == data[:length]
    assert after == data[length:]
    assert decoder.done == (len(data) >= length)


@settings(deadline=None)
@given(st.binary(max_size=300), CUTS)
def test_any_bytes_are_decoded_or_refused_the_same_however_split(data: bytes, cuts: list[int]) -> None:
    def outcome(pieces: list[bytes]) -> tuple[bytes, bool] | None:
        decoder, payload = ChunkedBody(), b""
        try:
            for piece in pieces:
                if decoder.done:
                    break
                payload += decoder.feed(piece)[0]
        except FramingError:
            return None
        return payload, decoder.done

    whole, parts = outcome([data]), outcome(split(data, cuts))
    assert whole == parts


TEXTS = st.text(alphabet='ab"\\{}[]: é\n', max_size=12)


def sse(text: str, end: str) -> bytes:
    import json

    return f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}".encode() + end.encode()


@settings(deadline=None)
@given(
    st.lists(TEXTS, max_size=8),
    CUTS,
    st.sampled_from(["\n\n", "\r\n\r\n"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_streams_pass_whole_and_usage_is_hidden(texts, cuts, end, hide, chunked_in, chunked_out, merged) -> None:
    events = [sse(text, end) for text in texts]
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":7}}' + end.encode()
    done = b"data: [DONE]" + end.encode()
    frames = [b"".join([*events, usage, done])] if merged else [*events, usage, done]
    raw = b"".join(as_chunk(one) for one in frames) + LAST_CHUNK if chunked_in else b"".join(frames)
    relay = EventRelay(ChunkedBody() if chunked_in else UntilClose(), chunked=chunked_out, hide_usage=hide)
    out = b""
    for piece in split(raw, cuts):
        out += relay.feed(piece)
    if not relay.done:
        last = relay.closed()
        assert last is not None
        out += last
    expected = b"".join([*events, *([] if hide else [usage]), done])
    assert (dechunk(out) if chunked_out else out) == expected
    counted = relay.counted()
    assert (counted.prompt, counted.completion, counted.by) == (2, 7, "engine")
    assert relay.clean


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6), CUTS, st.integers(0, 2000))
def test_a_stream_may_break_anywhere_and_still_ends_well(texts, cuts, place) -> None:
    raw = b"".join(as_chunk(sse(text, "\n\n")) for text in texts)
    raw = raw[: place % len(raw)]
    relay = EventRelay(ChunkedBody(), chunked=True, hide_usage=True)
    out = b"".join([relay.feed(piece) for piece in split(raw, cuts)])
    assert relay.closed() is None
    text = dechunk(out + relay.broken(b'data: {"error":1}\n\n'))
    events = text.split(b"\n\n")
    assert events[-1] == b""
    assert events[-2] == b'data: {"error":1}'
    assert events[:-2] == [sse(text, "\n\n")[:-2] for text in texts][: len(events) - 2]


@settings(deadline=None)
@given(st.binary(max_size=5000), CUTS, st.booleans(), st.booleans())
def test_other_answers_pass(body: bytes, cuts: list[int], chunked_in: bool, chunked_out: bool) -> None:
    raw = as_chunk(body) + LAST_CHUNK if chunked_in else body
    relay = Relay(ChunkedBody() if chunked_in else UntilClose(), chunked=chunked_out)
    out = b"".join([relay.feed(piece) for piece in split(raw, cuts)])
    if not chunked_in:
        last = relay.closed()
        assert last is not None
        out += last
    assert (dechunk(out) if chunked_out else out) == body


HEADS = [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5", FixedBody, True),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", ChunkedBody, True),
    (b"HTTP/1.1 200 OK", UntilClose, False),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 5", FixedBody, False),
    (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5", FixedBody, True),
    (b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 5", FixedBody, False),
    (b"HTTP/1.1 204 No Content", FixedBody, True),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5", FixedBody, True),
    (b"HTTP/1.1 200", UntilClose, False),
]


@pytest.mark.parametrize(("block", "kind", "keep"), HEADS)
def test_answer_heads(block: bytes, kind: type, keep: bool) -> None:
    head = parse_answer_head(block)
    assert (type(head.decoder), head.keep_alive) == (kind, keep)


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "block", [b"", b"HTTP/2 200", b"HTTP/1.1 2x0 OK", OK + b"Content-Length: 5, 5", OK + b"X: a\nY: b"]
)
def test_what_is_no_answer_head(block: bytes) -> None:
    with pytest.raises(FramingError):
        parse_answer_head(block)
