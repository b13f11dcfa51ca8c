"""The request log: one JSON object a line for each finished inference request that was drawn. Who asked which model,
how long it took and what it used; never what was asked or answered."""

import contextlib
import fcntl
import os
import random
from collections.abc import Callable
from pathlib import Path

import msgspec

from aimindserve.domain.usage import UsageRecord

_MOST_WAITING = 10_000


class RequestLog:
    """``sample``: the share of requests that is written, 0 to 1. The file is put aside at ``limit`` bytes, as ``.1``;
    the one before that goes. Several gateways may write to one file."""

    def __init__(
        self, file: Path, sample: float, limit: int = 64 * 1024**2, draw: Callable[[], float] = random.random
    ) -> None:
        self._file = file
        self._sample = sample
        self._limit = limit
        self._draw = draw
        self._waiting: list[UsageRecord] = []
        self.dropped = 0

    def add(self, record: UsageRecord) -> None:
        """Keep ``record`` for the next ``write``, if it is drawn."""
        if self._draw() < self._sample:
            if len(self._waiting) < _MOST_WAITING:
                self._waiting.append(record)
            else:
                self.dropped += 1

    def take(self) -> list[UsageRecord]:
        """What is to be written."""
        taken, self._waiting = self._waiting, []
        return taken

    def write(self, records: list[UsageRecord]) -> None:
        """Append ``records``; what the disk does not take is lost. Blocking."""
        lines = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(self._file, flags, 0o600)
            with os.fdopen(handle, "wb") as stream:
                fcntl.flock(handle, fcntl.LOCK_EX)
                stream.write(lines)
                stream.flush()
                if os.fstat(handle).st_size > self._limit and self._file.stat().st_ino == os.fstat(handle).st_ino:
                    self._file.replace(self._file.with_name(f"{self._file.name}.1"))
