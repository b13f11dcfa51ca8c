"""The socket to which gateways connect: the routing table goes out, usage and loads come in.

Each gateway has a reader and a writer of its own. The writer sends the newest table and skips those in between, so a
slow gateway holds one table at most and holds up nobody; one that takes nothing for long is cut off and comes back."""

import asyncio
import socket
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from aimindserve.domain.channel import Elsewhere, Hello, Loads, Spent, Table, TableAck, ToServer, Usage, UsageAck, Used
from aimindserve.domain.limits import month_of
from aimindserve.domain.paths import PurePosixPath, gateway_socket
from aimindserve.domain.routing import RoutingTable
from aimindserve.server.channel_messages import MessageError, decode, encode
from aimindserve.server.context import ServerContext
from aimindserve.server.events import EventBus
from aimindserve.server.reconcile.loop import contain
from aimindserve.server.sockets import listen_private
from aimindserve.server.usage_store import spent_of_limited, store_usage

log = structlog.get_logger()

# A batch of usage is a second's worth of requests; a table is never sent in this direction.
_LONGEST_LINE = 8 * 1024 * 1024
_SEND_LIMIT_SECONDS = 30.0
_MOST_PENDING_ACKS = 10_000
_FIRST_RETRY_SECONDS = 0.1
_LONGEST_RETRY_SECONDS = 5.0


@dataclass(eq=False)
class Peer:
    """One connected gateway. ``sent`` and ``acked`` are table versions."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    hello: Hello | None = None
    sent: int = 0
    acked: int = 0
    acks: deque[int] = field(default_factory=deque)
    loads: Loads = field(default_factory=Loads)
    spent: dict[str, int] = field(default_factory=dict[str, int])
    """Monthly counts that it has still to be told."""
    used: deque[Used] = field(default_factory=deque["Used"])
    """What other gateways said that it has still to be told."""
    elsewhere: Counter[str] = field(default_factory=Counter[str])
    """What the other gateways have under way, by replica."""
    elsewhere_told: bool = True
    news: asyncio.Event = field(default_factory=asyncio.Event)


class GatewayChannel:
    """All gateways of this server. ``publish`` may be called at any time, with or without gateways."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._peers: set[Peer] = set()
        self._table: RoutingTable | None = None
        self._line = b""
        self._acks = EventBus()
        self.moves = EventBus()
        """Woken when what gateways tell calls for a decision."""

    @property
    def table(self) -> RoutingTable | None:
        """The table in force, None before the first was published."""
        return self._table

    def loads(self) -> list[Loads]:
        """What each connected gateway last said of its requests."""
        return [peer.loads for peer in self._peers]

    def publish(self, table: RoutingTable) -> bool:
        """Puts ``table`` in force under a version above all earlier ones; False when nothing in it has changed."""
        if self._table is not None and replace(table, version=self._table.version) == self._table:
            return False
        self._set_version(table, self._next_version())
        return True

    def is_idle(self, replica_id: str) -> bool:
        """Whether no gateway has a request at a replica, and none will send one: all act on a table without it."""
        table = self._table
        if not self._peers or table is None:
            return True
        served = any(one.replica_id == replica_id for route in table.routes for one in route.endpoints)
        return not served and all(
            peer.loads.version >= table.version and not peer.loads.in_flight.get(replica_id) for peer in self._peers
        )

    async def acknowledged(self, patience: float) -> bool:
        """Whether every gateway has the table in force; those that do not are waited for, ``patience`` seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        with self._acks.listen() as listener:
            while self._is_behind():
                if not await listener.wait(max(0.0, deadline - loop.time())):
                    return not self._is_behind()
        return True

    def _is_behind(self) -> bool:
        version = self._table.version if self._table else 0
        return any(peer.hello is not None and peer.acked < version for peer in self._peers)

    def open(self) -> socket.socket:
        """Takes the name ``run_dir/gateway.sock`` (0600). Gateways that connect wait until ``serve`` runs.

        Raises:
            OSError: the socket cannot be made.
        """
        return listen_private(Path(gateway_socket(PurePosixPath(self._context.settings.run_dir))))

    async def serve(self, listener: socket.socket) -> None:
        """Talks to gateways until it is cancelled; nothing of their connections is left then."""
        async with asyncio.TaskGroup() as group:
            accept = partial(self._accept, group)
            server = await asyncio.start_unix_server(accept, sock=listener, limit=_LONGEST_LINE)
            try:
                await server.serve_forever()
            finally:
                server.close()

    def _accept(self, group: asyncio.TaskGroup, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begins a connection's task. It is ours: asyncio's own one logs an error when it is cancelled."""
        connection = group.create_task(contain("gateway connection", self._connected(reader, writer)))
        connection.add_done_callback(lambda _: writer.transport.abort())

    def _next_version(self) -> int:
        """Versions are milliseconds, so that they rise over restarts without being stored."""
        last = self._table.version if self._table else 0
        return max(int(self._context.clock() * 1000), last + 1)

    def _set_version(self, table: RoutingTable, version: int) -> None:
        self._table = replace(table, version=version)
        self._line = encode(Table(self._table))
        for peer in self._peers:
            peer.news.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reads until the gateway closes; the writer ends with the reader, and an error of either ends both."""
        peer = Peer(reader, writer)
        self._peers.add(peer)
        try:
            async with asyncio.TaskGroup() as group:
                sender = group.create_task(self._write(peer))
                group.create_task(self._read(peer, sender))
        except* (OSError, ValueError) as errors:
            causes = [str(error) or type(error).__name__ for error in errors.exceptions]
            log.warning("gateway connection ended", gateway=_name(peer), causes=causes)
        finally:
            self._peers.discard(peer)
            self._count_gateways()
            self._acks.wake()

    async def _read(self, peer: Peer, sender: asyncio.Task[None]) -> None:
        while line := await peer.reader.readline():
            await self._receive(peer, decode(line))
        sender.cancel()

    async def _receive(self, peer: Peer, message: ToServer) -> None:
        match message:
            case Hello():
                peer.hello = message
                self._outrun(message.table_version)
                await self._tell_spent([peer], None)
                peer.news.set()
            case TableAck():
                peer.acked = message.version
                self._count_gateways()
                self._acks.wake()
            case Usage():
                await self._store(peer, message)
            case Loads():
                before, peer.loads = peer.loads, message
                self._tell_elsewhere()
                self._note_loads()
                if self._calls_for_a_decision(before, message):
                    self.moves.wake()
            case Used():
                self._pass_on(peer, message)

    def _note_loads(self) -> None:
        loads = self.loads()
        running = sum(sum(each.in_flight.values()) for each in loads)
        waiting = sum(sum(each.waiting.values()) for each in loads)
        self._context.history.note_loads(self._context.clock(), running, waiting)

    def _pass_on(self, sender: Peer, used: Used) -> None:
        for peer in self._peers - {sender}:
            if len(peer.used) < _MOST_PENDING_ACKS:
                peer.used.append(used)
                peer.news.set()

    def _calls_for_a_decision(self, before: Loads, now: Loads) -> bool:
        """Whether reconcilers should look at once: somebody waits, or a replica may have ended its last answer."""
        served = {one.replica_id for route in self._table.routes for one in route.endpoints} if self._table else set()
        leaving = [
            {replica: count for replica, count in loads.in_flight.items() if replica not in served}
            for loads in (before, now)
        ]
        return before.waiting.keys() != now.waiting.keys() or before.version != now.version or leaving[0] != leaving[1]

    def _tell_elsewhere(self) -> None:
        """Every gateway hears what the others have under way, when that changed."""
        for peer in self._peers if len(self._peers) > 1 else ():
            others = Counter[str]()
            for other in self._peers - {peer}:
                others.update({replica: count for replica, count in other.loads.in_flight.items() if count})
            if others != peer.elsewhere:
                peer.elsewhere = others
                peer.elsewhere_told = False
                peer.news.set()

    def _outrun(self, version: int) -> None:
        """A gateway with a higher version than ours (the clock went back) would not take our table."""
        if self._table is not None and version > self._table.version:
            self._set_version(self._table, version + 1)

    async def _store(self, peer: Peer, usage: Usage) -> None:
        """Stores a batch, however long that takes: the gateway keeps it until it is acknowledged."""
        pause = _FIRST_RETRY_SECONDS
        while not await self._try_store(peer, usage):
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_RETRY_SECONDS)
        if len(peer.acks) >= _MOST_PENDING_ACKS:
            raise MessageError("the gateway reads no acknowledgements")
        peer.acks.append(usage.batch)
        peer.news.set()
        await self._tell_spent(self._peers, usage)

    async def _tell_spent(self, peers: Iterable[Peer], usage: Usage | None) -> None:
        """What those with monthly limits have used: all of them, or those whose requests ``usage`` has."""
        records = None if usage is None else usage.records
        try:
            spent = await spent_of_limited(self._context.database, self._context.clock(), records)
        except (SQLAlchemyError, OSError) as error:  # they are told with the next batch
            log.warning("monthly usage not read", error=type(error).__name__)
            return
        if spent:
            for peer in peers:
                peer.spent |= spent
                peer.news.set()

    async def _try_store(self, peer: Peer, usage: Usage) -> bool:
        try:
            new = await store_usage(self._context.database, usage.records)
        except (SQLAlchemyError, OSError) as error:
            log.warning("usage not stored", gateway=_name(peer), records=len(usage.records), error=type(error).__name__)
            return False
        self._context.history.count(new)
        return True

    async def _write(self, peer: Peer) -> None:
        while True:
            await peer.news.wait()
            peer.news.clear()
            if peer.spent:
                spent, peer.spent = peer.spent, {}
                await _send(peer, encode(Spent(month_of(self._context.clock()), spent)))
            while peer.used:
                await _send(peer, encode(peer.used.popleft()))
            if not peer.elsewhere_told:
                peer.elsewhere_told = True
                await _send(peer, encode(Elsewhere(dict(peer.elsewhere))))
            while peer.acks:
                await _send(peer, encode(UsageAck(peer.acks.popleft())))
            if peer.hello is not None and self._table is not None and peer.sent != self._table.version:
                peer.sent = self._table.version
                await _send(peer, self._line)

    def _count_gateways(self) -> None:
        self._context.readiness.gateways = sum(peer.acked > 0 for peer in self._peers)


async def _send(peer: Peer, line: bytes) -> None:
    peer.writer.write(line)
    async with asyncio.timeout(_SEND_LIMIT_SECONDS):
        await peer.writer.drain()


def _name(peer: Peer) -> str:
    return peer.hello.gateway_id if peer.hello else "unknown"
