"""The gateway's end of the channel to the server: tables in; usage, loads and acknowledgements out."""

import asyncio
import os
import sys
import time
from pathlib import Path

import msgspec

from aimindserve.domain.channel import Hello, Loads, Table, TableAck, ToServer, UsageAck
from aimindserve.gateway.context import Gateway
from aimindserve.gateway.table import save_table

FIRST_DELAY, LONGEST_DELAY = 0.1, 2.0  # seconds between two attempts to reach the server
FLUSH_EVERY = 1.0
_LONGEST_LINE = 256 * 1024**2


class _Kind(msgspec.Struct):
    type: str = ""


_kind_of = msgspec.json.Decoder(_Kind).decode
_table_in = msgspec.json.Decoder(Table).decode
_ack_in = msgspec.json.Decoder(UsageAck).decode


class Channel:
    """Keeps one connection to the server, whenever there is a server."""

    def __init__(self, gateway: Gateway, flush_every: float = FLUSH_EVERY) -> None:
        self._gateway = gateway
        self._flush_every = flush_every
        self._flush_now = asyncio.Event()
        self.connected = False

    async def run(self) -> None:
        """Connect, serve, and again, until cancelled."""
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
            await asyncio.sleep(delay)

    def flush(self) -> None:
        """Send what is there now, without waiting for the next second."""
        self._flush_now.set()

    async def _once(self) -> None:
        reader, writer = await asyncio.open_unix_connection(self._gateway.config.gateway_socket, limit=_LONGEST_LINE)
        gateway = self._gateway
        try:
            self.connected = True
            gateway.outbox.restart()
            _send(writer, Hello(gateway.id, os.getpid(), gateway.directory.version))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(reader, writer))
                group.create_task(self._report(writer))
        finally:
            self.connected = False
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            line = await reader.readuntil(b"\n")
            kind = _kind_of(line).type
            if kind == "table":
                self._put_in_force(_table_in(line))
                _send(writer, TableAck(self._gateway.directory.version))
            elif kind == "usage_ack":
                self._gateway.outbox.acknowledged(_ack_in(line).batch)
                self._flush_now.set()

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
                _send(writer, Loads(dict(gateway.loads), dict(gateway.last_request_at)))
            self._flush_now.clear()
            batch = gateway.outbox.next_batch()
            if batch is not None:
                _send(writer, batch)
            await writer.drain()
            try:
                async with asyncio.timeout(self._flush_every):
                    await self._flush_now.wait()
            except TimeoutError:
                continue


def _send(writer: asyncio.StreamWriter, message: ToServer) -> None:
    writer.write(msgspec.json.encode(message) + b"\n")
