"""Connections to engines and to the server, and the pools that keep the engines' ones."""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from aimindserve.gateway.answers import LONGEST_HEAD, AnswerHead, AnswerReader
from aimindserve.gateway.framing import FramingError

_IDLE_KEPT = 256  # connections kept to one replica
CONNECT_TIMEOUT = 5.0


class Owner(Protocol):
    """Whoever uses a connection for one request."""

    def answer_head(self, head: AnswerHead, rest: bytes) -> None:
        """The final head came, and with it the first bytes of the body."""
        ...

    def answer_data(self, data: bytes) -> None:
        """More of the body."""
        ...

    def upstream_lost(self, *, stale: bool) -> None:
        """It closed. ``stale``: a kept connection that never answered to this request."""
        ...

    def upstream_broken(self) -> None:
        """It does not speak HTTP."""
        ...

    def upstream_writable(self, *, writable: bool) -> None:
        """It takes more bytes, or has enough for now."""
        ...


class Upstream(asyncio.Protocol):
    """One connection. ``on_close`` is told when it closes while nobody uses it."""

    __slots__ = ("_head", "_on_close", "_reader", "in_body", "owner", "reused", "to_head", "transport", "writable")

    def __init__(self, on_close: "Callable[[Upstream], None] | None" = None) -> None:
        self.owner: Owner | None = None
        self.transport = cast("asyncio.Transport", None)
        self.in_body = False
        self.reused = False
        self.to_head = False
        self.writable = True
        self._head: bytes = b""
        self._on_close = on_close
        self._reader = AnswerReader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio callback."""
        self.transport = cast("asyncio.Transport", transport)

    def begin(self, owner: Owner, *, to_head: bool = False) -> None:
        """``owner`` sends a request now and gets what comes."""
        self.owner, self.in_body, self.to_head, self._head = owner, False, to_head, b""

    def data_received(self, data: bytes) -> None:
        """Asyncio callback."""
        owner = self.owner
        if owner is None:  # nobody asked: whatever this is, it must not meet the next request
            self.transport.abort()
        elif self.in_body:
            owner.answer_data(data)
        else:
            self._read_head(owner, data)

    def _read_head(self, owner: Owner, data: bytes) -> None:
        data = self._head + data if self._head else data
        while True:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._head = data
                if len(data) > LONGEST_HEAD:
                    owner.upstream_broken()
                return
            try:
                head = self._reader.read(data[:end], to_head=self.to_head)
            except FramingError:
                owner.upstream_broken()
                return
            data = data[end + 4 :]
            if head.status >= 200:
                break
        self._head, self.in_body = b"", True
        owner.answer_head(head, data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Asyncio callback."""
        owner, self.owner = self.owner, None
        if owner is not None:
            owner.upstream_lost(stale=self.reused and not self.in_body and not self._head)
        elif self._on_close is not None:
            self._on_close(self)

    def release(self) -> None:
        """The request is over; the connection waits for the next one."""
        self.owner = None
        self.reused = True

    def drop(self) -> None:
        """The request is over or given up; close at once, whatever is still under way."""
        self.owner = None
        self.transport.abort()

    def pause_writing(self) -> None:
        """Asyncio callback."""
        self.writable = False
        if self.owner is not None:
            self.owner.upstream_writable(writable=False)

    def resume_writing(self) -> None:
        """Asyncio callback."""
        self.writable = True
        if self.owner is not None:
            self.owner.upstream_writable(writable=True)

    def eof_received(self) -> bool:
        """Asyncio callback: half-closed means over."""
        return False


class Pool:
    """Kept connections to one replica."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._idle: list[Upstream] = []
        self._open = True

    def __len__(self) -> int:
        return len(self._idle)

    def take(self) -> Upstream | None:
        """The connection used last, None when a new one is needed."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.transport.is_closing():
                return connection
        return None

    async def connect(self) -> Upstream:
        """A new connection.

        Raises:
            OSError: the replica does not take it (a TimeoutError when it does not react).
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_TIMEOUT):
            _, connection = await loop.create_connection(lambda: Upstream(self._forget), self.host, self.port)
        return connection

    def give(self, connection: Upstream) -> None:
        """Keep ``connection`` for the next request, unless enough are kept."""
        connection.release()
        if self._open and len(self._idle) < _IDLE_KEPT and not connection.transport.is_closing():
            self._idle.append(connection)
        else:
            connection.transport.close()

    def close(self) -> None:
        """Close what is kept; what is in use closes after its request."""
        self._open = False
        for connection in self._idle:
            connection.transport.close()
        self._idle.clear()

    def _forget(self, connection: Upstream) -> None:
        if connection in self._idle:
            self._idle.remove(connection)


class Pools:
    """The pools of all replicas in the table."""

    def __init__(self) -> None:
        self._pools: dict[tuple[str, str, int], Pool] = {}

    def get(self, replica_id: str, host: str, port: int) -> Pool:
        """The pool of one replica's address."""
        key = (replica_id, host, port)
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = Pool(host, port)
        return pool

    def keep_only(self, wanted: set[tuple[str, str, int]]) -> None:
        """Close the pools of replicas that are gone."""
        for key in [key for key in self._pools if key not in wanted]:
            self._pools.pop(key).close()
