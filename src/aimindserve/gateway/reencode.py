"""The processes that decode fetched pictures: started when needed, few, used again, ended when idle or broken."""

import asyncio
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Coroutine
from typing import Any

CHILDREN = 2
IDLE_SECONDS = 30.0
# Wall-clock time for one picture, more than its CPU time because the machine may be busy.
_PATIENCE = 15.0
_PICTURES_EACH = 200  # then a new one: what decoders leak goes with them
_KINDS = {b"P": "image/png", b"J": "image/jpeg"}
_MODULE = "aimindserve.gateway.picture_child"


class UndecodableError(Exception):
    """The picture could not be decoded, or took too much."""


class Decoders:
    """``spawn`` runs a coroutine beside the rest; ``patience``: seconds for one picture."""

    def __init__(
        self,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        children: int = CHILDREN,
        patience: float = _PATIENCE,
    ) -> None:
        self._spawn = spawn
        self._patience = patience
        self._turn = asyncio.Semaphore(children)
        self._idle: list[tuple[Process, int]] = []
        self._busy: set[Process] = set()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def processes(self) -> list[int]:
        """Process ids of those that live."""
        return [process.pid for process in (*self._busy, *(process for process, _ in self._idle))]

    async def reencode(self, picture: bytes | bytearray) -> tuple[str, bytes]:
        """(media type, base64) of a fresh picture with the same content.

        Raises:
            UndecodableError: it cannot be had.
        """
        async with self._turn:
            while self._idle and self._idle[-1][0].returncode is not None:
                self._idle.pop()
            process, used = self._idle.pop() if self._idle else (await self._start(), 0)
            self._busy.add(process)
            answer: tuple[str, bytes] | None = None
            alive = False
            try:
                async with asyncio.timeout(self._patience):
                    answer = await _exchange(process, picture)
                alive = used + 1 < _PICTURES_EACH
            except (OSError, EOFError, TimeoutError) as error:
                raise UndecodableError("the decoder was ended") from error
            finally:
                self._busy.discard(process)
                if alive and process.returncode is None:
                    self._idle.append((process, used + 1))
                    self._end_later()
                else:
                    self._spawn(_end(process))
        if answer is None:
            raise UndecodableError("not decodable")
        return answer

    async def _start(self) -> Process:
        try:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", _MODULE, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={"LC_ALL": "C"}
            )
        except OSError as error:
            raise UndecodableError("no decoder could be started") from error

    def _end_later(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.end_idle)

    def end_idle(self) -> None:
        """End those that nobody uses now."""
        idle, self._idle = self._idle, []
        for process, _ in idle:
            self._spawn(_end(process))

    async def close(self) -> None:
        """End all of them."""
        if self._timer is not None:
            self._timer.cancel()
        idle, self._idle = self._idle, []
        for process in (*self._busy, *(process for process, _ in idle)):
            await _end(process)


async def _exchange(process: Process, picture: bytes | bytearray) -> tuple[str, bytes] | None:
    source, sink = process.stdout, process.stdin
    if source is None or sink is None:
        raise EOFError
    sink.write(struct.pack(">I", len(picture)))
    sink.write(picture)
    await sink.drain()
    head = await source.readexactly(5)
    body = await source.readexactly(struct.unpack(">I", head[1:])[0])
    kind = _KINDS.get(head[:1])
    return None if kind is None else (kind, body)


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()
