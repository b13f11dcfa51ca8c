"""Answers of engines and of the server: their heads read, their bodies made fit for the client's connection.

A stream of events is passed on whole events at a time. A chunk that holds exactly whole events, which is what every
engine sends, goes through as the bytes that came; only what is torn, or tells the usage, is taken apart. So an error
event can follow at any moment, and a client never sees half an event before it.
"""

import re
from dataclasses import dataclass, field

import msgspec

from aimindserve.gateway.fields import known, read_field
from aimindserve.gateway.framing import (
    LAST_CHUNK,
    BodyDecoder,
    ChunkedBody,
    FixedBody,
    FramingError,
    UntilClose,
    as_chunk,
)
from aimindserve.gateway.usage import Counted, find_usage

LONGEST_HEAD = 65536
_LONGEST_EVENT = 16 * 1024**2
_WINDOW = 2048  # bytes kept of an answer's beginning and end, where the usage stands
_WHOLE = (b"\n\n\r\n", b"\r\n\r\n\r\n")  # a chunk that ends with a whole event
_DONE = (b"[DONE]\n\n\r\n", b"[DONE]\r\n\r\n\r\n")
_LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: ([0-9]{1,12})(?=\r\n|\Z)")
_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


@dataclass(slots=True)
class AnswerHead:
    """``headers`` in order, names in lower case, without framing and connection headers."""

    status: int
    phrase: bytes
    decoder: BodyDecoder
    keep_alive: bool
    content_type: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    length: int | None = None


_HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade", b"transfer-encoding"}
)


def parse_answer_head(block: bytes, *, to_head: bool = False) -> AnswerHead:
    """The head of an answer. ``block`` without its empty line; ``to_head``: the request was HEAD.

    Raises:
        FramingError: it is no HTTP/1 answer.
    """
    lines = block.split(b"\r\n")
    start = lines[0]
    if start[:7] != b"HTTP/1." or not start[9:12].isdigit() or block.count(b"\n") != len(lines) - 1:
        raise FramingError("no HTTP answer")
    status = int(start[9:12])
    keep_alive, chunked, length, content_type = start[7:8] == b"1", False, None, b""
    headers: list[tuple[bytes, bytes]] = []
    del lines[0]
    for line in lines:
        name, value = pair = known.get(line) or read_field(line)
        if name == b"content-type":
            content_type = value
        elif name == b"content-length":
            if not value.isdigit() or length is not None:
                raise FramingError("bad content-length")
            length = int(value)
            continue
        elif name in _HOP_BY_HOP:
            if name == b"connection":
                keep_alive = b"close" not in value.lower() and (keep_alive or b"keep-alive" in value.lower())
            elif name == b"transfer-encoding":
                chunked = b"chunked" in value.lower()
            continue
        headers.append(pair)
    decoder, keep_alive = _decoder(status, chunked, length, to_head, keep_alive)
    return AnswerHead(status, start[13:], decoder, keep_alive, content_type, headers, None if chunked else length)


class AnswerReader:
    """Reads the heads of one connection; see ``heads.HeadReader``."""

    __slots__ = ("_after", "_at", "_before", "_last")

    def __init__(self) -> None:
        self._last: AnswerHead | None = None
        self._at = 0
        self._before = self._after = b""

    def read(self, block: bytes, *, to_head: bool) -> AnswerHead:
        """See ``parse_answer_head``. The object may be that of the last answer, which is over."""
        place = _LENGTH.search(block)
        if place is None or to_head:
            return parse_answer_head(block, to_head=to_head)
        start, end = place.span(1)
        last = self._last
        if last is not None and start == self._at and block.startswith(self._before) and block[end:] == self._after:
            last.length = int(place[1])
            last.decoder = FixedBody(last.length)
            return last
        head = parse_answer_head(block)
        if type(head.decoder) is FixedBody and head.status == 200:
            self._last, self._at, self._before, self._after = head, start, block[:start], block[end:]
        return head


def _decoder(
    status: int, chunked: bool, length: int | None, to_head: bool, keep_alive: bool
) -> tuple[BodyDecoder, bool]:
    if to_head or status in (204, 304) or status < 200:
        return FixedBody(0), keep_alive
    if chunked:
        return ChunkedBody(), keep_alive
    if length is not None:
        return FixedBody(length), keep_alive
    return UntilClose(), False


class Whole:
    """An answer that came in one piece: nothing is left to decode."""

    __slots__ = ("_body", "clean", "done")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.clean = True
        self.done = True

    def feed(self, data: bytes) -> bytes:
        """See ``Relay.feed``; there is nothing more."""
        self.clean = self.clean and not data
        return b""

    def closed(self) -> bytes | None:
        """See ``Relay.closed``."""
        return b""

    def counted(self) -> Counted:
        """See ``Relay.counted``."""
        return find_usage(self._body[-_WINDOW:]) or find_usage(self._body[:_WINDOW]) or Counted()


class Relay:
    """Passes a body on. ``chunked``: the client gets chunks (else the bytes, ended by length or by close)."""

    __slots__ = ("_first", "_last", "chunked", "clean", "decoder", "done")

    def __init__(self, decoder: BodyDecoder, *, chunked: bool) -> None:
        self.decoder = decoder
        self.chunked = chunked
        self.done = decoder.done
        self.clean = True
        self._first = b""
        self._last = b""

    def feed(self, data: bytes) -> bytes:
        """What the client gets for ``data`` from the other side.

        Raises:
            FramingError: the other side broke the framing.
        """
        payload, rest = self.decoder.feed(data)
        self.done = self.decoder.done
        if rest:
            self.clean = False  # bytes after the answer: that connection is not used again
        self._look(payload)
        if not self.chunked:
            return payload
        return as_chunk(payload) + LAST_CHUNK if self.done else as_chunk(payload)

    def _look(self, payload: bytes) -> None:
        if len(self._first) < _WINDOW:
            self._first += payload[: _WINDOW - len(self._first)]
        self._last = payload[-_WINDOW:] if len(payload) >= _WINDOW else (self._last + payload)[-_WINDOW:]

    def closed(self) -> bytes | None:
        """The other side closed: the last bytes for the client if that is a proper end, else None."""
        if not isinstance(self.decoder, UntilClose):
            return None
        self.done = True
        return LAST_CHUNK if self.chunked else b""

    def counted(self) -> Counted:
        """Tokens that the answer tells of."""
        return find_usage(self._last) or find_usage(self._first) or Counted()


class _Event(msgspec.Struct):
    choices: list[msgspec.Raw] | None = None


class EventRelay:
    """Passes a stream of events on. ``hide_usage``: keep back the chunk that only tells the usage; ``last_event``: what
    the event that ends a stream has in its first line."""

    __slots__ = (
        "_between",
        "_chunks",
        "_held",
        "_hide",
        "_last_event",
        "_usage",
        "chunked",
        "clean",
        "decoder",
        "done",
        "ended",
        "started",
    )

    def __init__(self, decoder: BodyDecoder, *, chunked: bool, hide_usage: bool, last_event: bytes = b"[DONE]") -> None:
        self.decoder = decoder
        self._last_event = last_event
        self.chunked = chunked
        self.done = False
        self.clean = True
        self.ended = False  # the last event came
        self.started = False  # an event was passed on
        self._hide = hide_usage
        self._held = b""
        self._chunks = 0
        self._usage: Counted | None = None
        self._between = self._is_between()

    def feed(self, data: bytes) -> bytes:
        """See ``Relay.feed``."""
        if self._between:
            frames = _whole_frames(data)
            if frames and not _tells(data):
                self._chunks += frames if self.started else frames - _opens(data)
                self.started = True
                return data
        decoder = self.decoder
        payload, rest = decoder.feed(data)
        if rest:
            self.clean = False
        self.done = decoder.done
        out = self._events(payload)
        self._between = self._is_between()
        return out

    def _is_between(self) -> bool:
        """Whether the next byte begins a chunk and an event, and chunks may pass as they are."""
        decoder = self.decoder
        return self.chunked and type(decoder) is ChunkedBody and decoder.at_boundary and not self._held

    def _events(self, payload: bytes) -> bytes:
        """Whole events out of what is held and ``payload``."""
        text = self._held + payload if self._held else payload
        cut = 0
        kept: list[bytes] = []
        for match in _EVENT_END.finditer(text):
            event = text[cut : match.end()]
            cut = match.end()
            if self._keep(event):
                kept.append(event)
        self._held = text[cut:]
        if len(self._held) > _LONGEST_EVENT:
            raise FramingError("an event without end")
        if self.done and self._held:
            kept.append(self._held)
            self._held = b""
        out = b"".join(kept)
        self.started = self.started or bool(out)
        if not self.chunked:
            return out
        return as_chunk(out) + LAST_CHUNK if self.done else as_chunk(out)

    def _keep(self, event: bytes) -> bool:
        """Look into one event; whether the client gets it."""
        if b"data:" in event:
            self._chunks += not _fails(event) and (self.started or not _opens(event))
        if self._last_event in event[:40]:
            self.ended = True
        if not _tells(event):
            return True
        counted = find_usage(event)
        if counted is None:
            return True
        # Anthropic's streams tell what went in at their beginning, what came out at their end.
        said = self._usage
        self._usage = counted if said is None or counted.prompt else _joined(said, counted)
        if not self._hide:
            return True
        try:
            return msgspec.json.decode(event.partition(b"data:")[2], type=_Event).choices != []
        except msgspec.DecodeError:
            return True

    def closed(self) -> bytes | None:
        """See ``Relay.closed``. Everything counts as sent once the last event is through."""
        if not self.ended:
            return None
        self.done = True
        return LAST_CHUNK if self.chunked else b""

    def broken(self, event: bytes) -> bytes:
        """The stream's end after a failure: an error event in place of what will not come any more."""
        self._held = b""
        self.done = True
        return as_chunk(event) + LAST_CHUNK if self.chunked else event

    def counted(self) -> Counted:
        """What the engine told, else as many tokens as chunks came."""
        if self._usage is not None:
            return self._usage
        return Counted(0, self._chunks, "gateway") if self._chunks else Counted()


def _fails(data: bytes) -> bool:
    """Whether there is an event that tells of an error. Quotes of generated text are escaped: it cannot look so."""
    return b'{"error":' in data


def _opens(data: bytes) -> bool:
    """Whether a stream's first event is there, which names the role and has no token."""
    return b'"role":' in data[:600]


def _joined(said: Counted, counted: Counted) -> Counted:
    return msgspec.structs.replace(counted, prompt=said.prompt, cached=said.cached, image=said.image)


def _tells(data: bytes) -> bool:
    """Whether a usage or timings object may be in there, or an error."""
    return b'"usage":{' in data or b'"usage": {' in data or b'"timings":' in data or _fails(data)


def _whole_frames(data: bytes) -> int:
    """Number of chunks in ``data`` when it is made of whole ones only, ends with a whole event and is not the end."""
    if not data.endswith(_WHOLE) or data.endswith(_DONE):
        return 0
    at, size, frames = 0, len(data), 0
    while at < size:
        end = data.find(b"\r\n", at, at + 20)
        if end < 0:
            return 0
        try:
            count = int(data[at:end], 16)
        except ValueError:
            return 0
        if count <= 0:
            return 0
        at = end + 4 + count
        frames += 1
    return frames if at == size else 0
