"""Request bodies on their way in: one buffer each, within the limits, nothing copied twice."""

import asyncio
from typing import TYPE_CHECKING, cast

from aimindserve.gateway.framing import ChunkedBody

if TYPE_CHECKING:
    from aimindserve.gateway.budget import BodyBudget
    from aimindserve.gateway.protocol import ClientConnection

_STEP = 65_536


class FixedReceiver(asyncio.BufferedProtocol):
    """Takes the rest of a body of known length straight into its buffer; never a byte beyond it."""

    __slots__ = ("_client", "_place", "_view", "body")

    def __init__(self, client: "ClientConnection", length: int, begin: bytes) -> None:
        self._client = client
        self.body = bytearray(length)
        self._view = memoryview(self.body)
        self._view[: len(begin)] = begin
        self._place = len(begin)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Asyncio callback."""
        return self._view[self._place :]

    def buffer_updated(self, nbytes: int) -> None:
        """Asyncio callback."""
        self._place += nbytes
        if self._place == len(self.body):
            self._view = memoryview(b"")
            self._client.received(self.body)
        else:
            self._client.body_came()

    def eof_received(self) -> bool:
        """Asyncio callback."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio callback."""
        self._client.connection_lost(exc)

    def pause_writing(self) -> None:
        """Asyncio callback."""
        self._client.pause_writing()

    def resume_writing(self) -> None:
        """Asyncio callback."""
        self._client.resume_writing()


class ChunkedReceiver:
    """Gathers a chunked body. ``trouble`` is ``limit`` or ``budget`` once it may not grow any more."""

    __slots__ = ("_budget", "_decoder", "body", "limit", "reserved", "trouble")

    def __init__(self, limit: int, budget: "BodyBudget") -> None:
        self._decoder = ChunkedBody()
        self.limit = limit
        self._budget = budget
        self.body = bytearray()
        self.reserved = 0
        self.trouble = ""

    @property
    def done(self) -> bool:
        """Whether the whole body is there."""
        return self._decoder.done

    def feed(self, data: bytes) -> bytes:
        """Take more; what follows the body.

        Raises:
            FramingError: the framing is broken.
        """
        payload, rest = self._decoder.feed(data)
        size = len(self.body) + len(payload)
        if size > self.limit:
            self.trouble = "limit"
            return b""
        if size > self.reserved:
            step = max(_STEP, size - self.reserved)
            if not self._budget.reserve(step):
                self.trouble = "budget"
                return b""
            self.reserved += step
        self.body += payload
        return rest


def as_protocol(receiver: FixedReceiver) -> asyncio.BaseProtocol:
    """The receiver as a transport takes it."""
    return cast("asyncio.BaseProtocol", receiver)
