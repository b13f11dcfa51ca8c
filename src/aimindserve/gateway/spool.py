"""Usage on disk, for as long as the server cannot take it: while it is away, and from one gateway to the next.

Files of a thousand records, one JSON object a line, named after the gateway that writes them, which holds a lock as
long as it lives: what a dead one left is taken over by the next. Together they have a limit; beyond it the oldest go.
A record that is sent twice is counted once, by its request id, so nothing here needs to be exact about that.
"""

import contextlib
import fcntl
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from aimindserve.domain.usage import UsageRecord
from aimindserve.gateway.private import read_private

_LINES = 1000
_decode_line = msgspec.json.Decoder(UsageRecord).decode
_decode_list = msgspec.json.Decoder(list[UsageRecord]).decode


class Spool:
    """The files of one gateway; ``size``: bytes in them. Blocking, in any thread. ``limit`` in bytes."""

    def __init__(self, folder: Path, gateway_id: str, limit: int) -> None:
        self._folder = folder
        self._id = gateway_id
        self._limit = limit
        self._lock = -1
        self._number = 0
        self._lines = _LINES
        self._current: Path | None = None
        self._sizes: dict[Path, int] = {}
        self._mutex = threading.Lock()
        self.size = 0
        self.dropped = 0

    def open(self) -> bool:
        """Take the lock and what dead gateways left; False when the disk does not let us."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._lock = self._locked(self._folder / f"{self._id}.lock")
            for file in sorted(self._folder.glob("*.json*")):
                self._take_over(file)
        except OSError:
            return False
        return self._lock >= 0

    def _take_over(self, file: Path) -> None:
        owner = file.name.partition("-")[0].partition(".")[0]
        if owner == self._id or not self._is_dead(owner):
            return
        mine = self._next()
        with contextlib.suppress(FileNotFoundError):  # another gateway was faster
            file.rename(mine)
            self._keep(mine)

    def close(self) -> None:
        """Let others take over what is left."""
        if self._lock >= 0:
            (self._folder / f"{self._id}.lock").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1

    def put(self, records: Sequence[UsageRecord]) -> bool:
        """Write ``records`` down; False when the disk does not take them."""
        with self._mutex:
            return self._put(list(records))

    def _put(self, rest: list[UsageRecord]) -> bool:
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            while rest:
                if self._lines >= _LINES or self._current is None:
                    self._lines, self._current = 0, self._next()
                count = min(_LINES - self._lines, len(rest))
                lines = b"".join(msgspec.json.encode(record) + b"\n" for record in rest[:count])
                self._append(self._current, lines)
                self._lines += count
                del rest[:count]
        except OSError:
            self._lines = _LINES  # what is torn stays behind; the rest goes into another file
            return False
        self._make_room()
        return True

    def oldest(self) -> tuple[Path, list[UsageRecord]] | None:
        """The first file and what can be read of it; None when there is none. It is not written to any more."""
        with self._mutex:
            return self._oldest()

    def _oldest(self) -> tuple[Path, list[UsageRecord]] | None:
        while self._sizes:
            file = next(iter(self._sizes))
            if file == self._current:
                self._lines = _LINES
            records = _read(file)
            if records:
                return file, records
            self._remove(file)
        return None

    def done(self, file: Path) -> None:
        """What ``file`` holds is stored elsewhere."""
        with self._mutex:
            self._remove(file)

    def _remove(self, file: Path) -> None:
        self.size -= self._sizes.pop(file, 0)
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)

    def _next(self) -> Path:
        self._number += 1
        return self._folder / f"{self._id}-{self._number:09d}.jsonl"

    def _keep(self, file: Path) -> None:
        size = file.stat().st_size
        self.size += size - self._sizes.get(file, 0)
        self._sizes[file] = size

    def _append(self, file: Path, lines: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(file, flags, 0o600), "wb") as stream:
            stream.write(lines)
        self._keep(file)

    def _make_room(self) -> None:
        while self.size > self._limit and len(self._sizes) > 1:
            file = next(iter(self._sizes))
            self.dropped += len(_read(file))
            self._remove(file)

    def _locked(self, file: Path) -> int:
        """A descriptor that holds the lock ``file``; -1 when another process has it."""
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return -1
        return handle

    def _is_dead(self, owner: str) -> bool:
        """Whether a gateway is over; its lock is removed then."""
        lock = self._folder / f"{owner}.lock"
        if not lock.exists():
            return True
        handle = self._locked(lock)
        if handle < 0:
            return False
        lock.unlink(missing_ok=True)
        os.close(handle)
        return True


def _read(file: Path) -> list[UsageRecord]:
    """The records in ``file``; a torn line is left out. An older version wrote one list."""
    content = read_private(file) or b""
    records: list[UsageRecord] = []
    if content.startswith(b"["):
        try:
            return _decode_list(content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return records
    for line in content.split(b"\n"):
        try:
            records += [_decode_line(line)] if line else []
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return records
