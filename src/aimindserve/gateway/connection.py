"""What every client's connection does apart from HTTP: its states, its pace, its ends."""

import asyncio
from enum import IntEnum
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from aimindserve.gateway.context import Gateway

LINGER_SECONDS = 2.0
_LINGER_BYTES = 64 * 1024**2


class State(IntEnum):
    """HEAD: between requests, or inside of a head. BODY: inside of a body. BUSY: the request is complete, its answer
    is not. LINGER: refused with part of its body still to come; what comes is read and thrown away for a moment, so
    that the answer is not lost in a reset."""

    HEAD = 0
    BODY = 1
    BUSY = 2
    LINGER = 3


class Connection(asyncio.Protocol):
    """``deadline``: loop time at which ``expired`` is called. ``reserved``: bytes of the body budget held.
    ``takes_chunks``: the client knows chunked coding. Subclasses read requests."""

    __slots__ = (
        "_ahead", "_gateway", "_lingered", "_reading", "_state", "_transport", "_writable", "deadline", "keep_alive",
        "peer", "reserved", "takes_chunks",
    )  # fmt: skip

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._transport = cast("asyncio.Transport", None)
        self._state = State.HEAD
        self._ahead = b""
        self._reading = True
        self._writable = True
        self._lingered = 0
        self.deadline = gateway.now() + gateway.config.header_timeout
        self.keep_alive = True
        self.takes_chunks = True
        self.reserved = 0
        self.peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio callback."""
        self._transport = cast("asyncio.Transport", transport)
        name = cast("tuple[str, int] | None", transport.get_extra_info("peername"))
        self.peer = name[0].removeprefix("::ffff:") if name else "unknown"  # IPv4 on a socket for both
        self._gateway.clients.add(self)

    def eof_received(self) -> bool:
        """Asyncio callback: who stops sending does not wait for an answer either, so the engine is freed."""
        return False

    def expired(self) -> None:
        """The deadline has passed."""
        raise NotImplementedError

    def read_body(self, *, on: bool) -> None:
        """Read from the client, or let it wait."""
        if on != self._reading and not self._transport.is_closing():
            self._reading = on
            if on:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def stop(self) -> None:
        """The gateway ends: close now when nothing is under way, else after this answer."""
        self.keep_alive = False
        if self._state is State.HEAD and not self._ahead:
            self._transport.close()

    def write(self, data: bytes) -> None:
        """Send to the client."""
        self._gateway.metrics.sent_bytes += len(data)
        self._transport.write(data)

    def connection_line(self) -> bytes:
        """The Connection header of an answer, a whole line or nothing."""
        if not self.keep_alive:
            return b"connection: close\r\n"
        return b"" if self.takes_chunks else b"connection: keep-alive\r\n"

    def _close(self, *, unread: bool) -> None:
        if self._transport.get_protocol() is not self:
            self._transport.set_protocol(self)
        self._ahead = b""
        self.deadline = self._gateway.now() + LINGER_SECONDS
        if not self._writable:
            self.deadline += self._gateway.config.stream_idle_timeout
        self.read_body(on=True)
        if unread and self._transport.can_write_eof():
            self._state = State.LINGER
            self._transport.write_eof()
        else:
            self._state = State.LINGER
            self._transport.close()

    def _linger(self, count: int) -> None:
        """``count`` bytes came that nobody needs any more."""
        self._lingered += count
        if self._lingered > _LINGER_BYTES:
            self.abort()

    def _give_back(self) -> None:
        if self.reserved:
            self._gateway.budget.give_back(self.reserved)
            self.reserved = 0

    def abort(self) -> None:
        """Close at once; what the client has not read is lost, which tells it that the answer is not whole."""
        self._transport.abort()
