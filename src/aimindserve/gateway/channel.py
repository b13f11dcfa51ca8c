"""The gateway's end of the channel to the server: tables in; usage, loads and acknowledgements out."""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from aimindserve.domain.channel import Elsewhere, Hello, Spent, Table, TableAck, ToServer, Usage, UsageAck, Used
from aimindserve.domain.usage import UsageRecord
from aimindserve.gateway.context import Gateway, nobody_is_told
from aimindserve.gateway.table import save_table

FIRST_DELAY, LONGEST_DELAY = 0.1, 2.0  # seconds between two attempts to reach the server
FLUSH_EVERY = 1.0
_AT_ONCE_EVERY = 0.1
_LONGEST_LINE = 256 * 1024**2
_MOST_IN_MEMORY = 5000  # records; more of them wait on disk


class _Kind(msgspec.Struct):
    type: str = ""


_kind_of = msgspec.json.Decoder(_Kind).decode
_table_in = msgspec.json.Decoder(Table).decode
_ack_in = msgspec.json.Decoder(UsageAck).decode
_spent_in = msgspec.json.Decoder(Spent).decode
_used_in = msgspec.json.Decoder(Used).decode
_elsewhere_in = msgspec.json.Decoder(Elsewhere).decode


class Channel:
    """Keeps one connection to the server, whenever there is a server."""

    def __init__(self, gateway: Gateway, flush_every: float = FLUSH_EVERY) -> None:
        self._gateway = gateway
        self._flush_every = flush_every
        self._flush_now = asyncio.Event()
        self._on_disk: Path | None = None
        self._told_at = 0.0
        self.connected = False

    async def run(self) -> None:
        """Connect, serve, and again, until cancelled. Meanwhile usage is safe on disk."""
        delay = FIRST_DELAY
        while True:
            began = time.monotonic()
            try:
                await self._once()
            except* (OSError, EOFError, ValueError) as trouble:
                # EOFError: the server went away; ValueError: it sent what is no message of ours (msgspec's errors and
                # overlong lines are ValueErrors). Either way: start over.
                _ = trouble
            delay = FIRST_DELAY if time.monotonic() - began > LONGEST_DELAY else min(LONGEST_DELAY, delay * 2)
            await self._spill(self._gateway.outbox.take_all())
            await asyncio.sleep(delay)

    async def _spill(self, records: Sequence[UsageRecord]) -> None:
        """Write records down; those that the disk does not take wait in memory again."""
        if records and not await asyncio.to_thread(self._gateway.spool.put, records):
            for record in records:
                self._gateway.outbox.add(record)

    def flush(self) -> None:
        """Send what is there now, without waiting for the next second."""
        self._flush_now.set()

    async def _once(self) -> None:
        reader, writer = await asyncio.open_unix_connection(self._gateway.config.gateway_socket, limit=_LONGEST_LINE)
        gateway = self._gateway
        try:
            self.connected = True
            gateway.outbox.restart()
            self._on_disk = None
            gateway.on_waiting = lambda: self._tell_at_once(writer)
            _send(writer, Hello(gateway.id, os.getpid(), gateway.directory.version))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(reader, writer))
                group.create_task(self._report(writer))
        finally:
            self.connected = False
            gateway.on_waiting = nobody_is_told
            writer.close()

    def _tell_at_once(self, writer: asyncio.StreamWriter) -> None:
        """Somebody waits for a model to start: the server hears of the first of them without delay."""
        now = self._gateway.now()
        if now - self._told_at >= _AT_ONCE_EVERY:
            self._told_at = now
            _send(writer, self._gateway.loads())

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            line = await reader.readuntil(b"\n")
            kind = _kind_of(line).type
            if kind == "table":
                self._put_in_force(_table_in(line))
                _send(writer, TableAck(self._gateway.directory.version))
                _send(writer, self._gateway.loads())  # the server may wait for replicas that are no longer served
            elif kind == "usage_ack":
                await self._acknowledged(_ack_in(line).batch)
            elif kind == "spent":
                told = _spent_in(line)
                self._gateway.meters.spent(told.month, told.tokens)
            elif kind == "used":
                self._gateway.meters.hear(_used_in(line))
            elif kind == "elsewhere":
                self._gateway.lanes.hear(_elsewhere_in(line).in_flight)

    async def _acknowledged(self, batch: int) -> None:
        if self._gateway.outbox.acknowledged(batch) and self._on_disk is not None:
            file, self._on_disk = self._on_disk, None
            await asyncio.to_thread(self._gateway.spool.done, file)
        self._flush_now.set()

    async def _next_batch(self) -> Usage | None:
        """What to send now: what is new first, then what is on disk, a file at a time."""
        outbox, spool = self._gateway.outbox, self._gateway.spool
        if len(outbox) > _MOST_IN_MEMORY:  # the server takes nothing
            await self._spill(outbox.take_waiting())
        batch = outbox.next_batch()
        if batch is not None or not outbox.is_idle or not spool.size:
            return batch
        oldest = await asyncio.to_thread(spool.oldest)
        if oldest is None or not outbox.is_idle:
            return None
        self._on_disk, records = oldest
        return outbox.batch_from_disk(records)

    def _put_in_force(self, message: Table) -> None:
        self._gateway.apply(message.table)
        try:
            save_table(Path(self._gateway.config.paths.routing_table), message.table)
        except OSError as error:  # the disk is full: the table is in force all the same
            sys.stderr.write(f"aimindserve gateway: the routing table could not be saved: {error.strerror}\n")

    async def _report(self, writer: asyncio.StreamWriter) -> None:
        """Loads each second; usage each second, and at once while more waits than fits into one batch."""
        gateway = self._gateway
        while True:
            if not self._flush_now.is_set():
                _send(writer, gateway.loads())
            self._flush_now.clear()
            batch = await self._next_batch()
            if batch is not None:
                _send(writer, batch)
            if (used := gateway.meters.news()) is not None:
                _send(writer, used)
            await writer.drain()
            try:
                async with asyncio.timeout(self._flush_every):
                    await self._flush_now.wait()
            except TimeoutError:
                continue


def _send(writer: asyncio.StreamWriter, message: ToServer) -> None:
    writer.write(msgspec.json.encode(message) + b"\n")
