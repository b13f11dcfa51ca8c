"""Where a message's body ends (RFC 9112, 6 and 7): decoders without I/O, used for requests and for answers.

Each has ``done`` and ``feed(data) -> (payload, rest)``: what belongs to the body, without framing, and what follows it.
"""

import re
from typing import Protocol

_SIZE_LINE = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
_LONGEST_SIZE_LINE = 256
_LONGEST_TRAILER = 4096
# A sender of tiny chunks costs far more work than it sends bytes, so from the thousandth chunk on they must be
# of some size on average.
_FREE_CHUNKS = 1024
_LEAST_AVERAGE = 16


class FramingError(Exception):
    """The body's framing is broken; nothing after this point can be trusted."""


class BodyDecoder(Protocol):
    """Finds the end of one body."""

    done: bool

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """(payload, rest). ``rest`` is empty until the body is done."""
        ...


class FixedBody:
    """A body of known length."""

    __slots__ = ("done", "left")

    def __init__(self, length: int) -> None:
        self.left = length
        self.done = length == 0

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """See ``BodyDecoder``."""
        count = len(data)
        if count < self.left:
            self.left -= count
            return data, b""
        left, self.left, self.done = self.left, 0, True
        return (data, b"") if count == left else (data[:left], data[left:])


class UntilClose:
    """An answer that ends with its connection."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = False

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """See ``BodyDecoder``."""
        return data, b""


class ChunkedBody:
    """Chunked transfer coding, strictly: bare LF, signs, blanks before the size and overlong lines are refused."""

    __slots__ = ("_chunks", "_held", "_in_trailer", "_left", "_payload", "done")

    def __init__(self) -> None:
        self.done = False
        self._held = b""
        self._left = 0  # of the current chunk, the CRLF after it included
        self._in_trailer = False
        self._chunks = 0
        self._payload = 0

    @property
    def at_boundary(self) -> bool:
        """Whether a chunk's size line comes next and none of it has come yet."""
        return not self._left and not self._held and not self._in_trailer

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """See ``BodyDecoder``.

        Raises:
            FramingError: the framing is broken.
        """
        if self._held:
            data, self._held = self._held + data, b""
        pieces: list[bytes] = []
        at = 0
        while at < len(data) and not self.done:
            if self._in_trailer:
                after = self._trailer(data, at)
            elif self._left:
                after = self._content(data, at, pieces)
            else:
                after = self._size(data, at)
            if after < 0:
                self._held = data[at:]
                break
            at = after
        payload = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return payload, data[at:] if self.done else b""

    def _size(self, data: bytes, at: int) -> int:
        """Read a size line; the position after it, or -1 while it is incomplete."""
        end = data.find(b"\r\n", at, at + _LONGEST_SIZE_LINE)
        if end < 0:
            line = data[at:]
            if len(line) >= _LONGEST_SIZE_LINE or b"\n" in line:
                raise FramingError("bad chunk size")
            return -1
        match = _SIZE_LINE.fullmatch(data, at, end)
        if match is None:
            raise FramingError("bad chunk size")
        size = int(match[1], 16)
        if size == 0:
            self._in_trailer = True
            return end + 2
        self._chunks += 1
        self._payload += size
        if self._chunks > _FREE_CHUNKS and self._payload < self._chunks * _LEAST_AVERAGE:
            raise FramingError("chunks too small")
        self._left = size + 2
        return end + 2

    def _content(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        """Take what is there of a chunk; the position after it, or -1 when only part of its CRLF is there."""
        available = len(data) - at
        if self._left > 2:
            take = min(self._left - 2, available)
            pieces.append(data[at : at + take])
            self._left -= take
            return at + take
        if available < self._left:
            return -1
        if data[at : at + 2] != b"\r\n":
            raise FramingError("chunk longer than its size")
        self._left = 0
        return at + 2

    def _trailer(self, data: bytes, at: int) -> int:
        """Skip trailer fields, which nothing here needs; the position after the end, or -1 while incomplete."""
        end = data.find(b"\r\n", at)
        if end < 0 or end - at > _LONGEST_TRAILER:
            if len(data) - at > _LONGEST_TRAILER or b"\n" in data[at:]:
                raise FramingError("bad trailer")
            return -1
        if end == at:
            self.done = True
        elif b":" not in data[at:end] or data[at] in b" \t:" or b"\n" in data[at:end] or b"\0" in data[at:end]:
            raise FramingError("bad trailer")
        return end + 2


def as_chunk(payload: bytes) -> bytes:
    """One chunk of chunked transfer coding; nothing for nothing (an empty chunk would be the end)."""
    return b"%x\r\n%b\r\n" % (len(payload), payload) if payload else b""


LAST_CHUNK = b"0\r\n\r\n"
