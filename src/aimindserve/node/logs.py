"""Engine logs: one file per attempt, read by byte offset, bounded in size.

An engine writes into its file itself, so nothing of the product needs to live for that. When a log has grown too
large, the blocks of its middle are given back to the file system (a hole): offsets stay what they were, the head with
the start-up and the tail with the present remain.
"""

import ctypes
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from aimindserve.domain.replicas import LogChunk
from aimindserve.node.folder import ReplicaFolder

CHUNK_BYTES = 256 * 1024
_BLOCK = 4096
_HEAD_BYTES = 1 << 20
_TAIL_BYTES = 8 << 20
_PUNCH_HOLE, _KEEP_SIZE = 0x02, 0x01  # FALLOC_FL_*, linux/falloc.h
_SECRETS = re.compile(
    r"\b(sk-[A-Za-z0-9]{6,}-[A-Za-z0-9_-]{8,}|hf_[A-Za-z0-9]{16,})"
    r"|(?<=;base64,)[A-Za-z0-9+/=]+"  # pictures of users
    r"|(?i:(authorization\s*[:=]\s*(?:bearer\s+)?|(?:x-)?api[_-]?key\s*[:=]\s*|passw(?:or)?d\s*[:=]\s*))[^\s\"',]+"
)
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


def clean(text: str, secrets: Iterable[str] = ()) -> str:
    """Log text without terminal control codes, keys and tokens."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "[hidden]")
    text = _SECRETS.sub(lambda found: f"{found[2] or ''}[hidden]", text)
    return _CONTROL.sub("", text)


def tail_lines(path: Path, start: int = 0, size: int = 64 * 1024) -> list[str]:
    """The last lines of a log from byte ``start`` on, none when there is no log."""
    try:
        with path.open("rb") as file:
            file.seek(max(start, file.seek(0, os.SEEK_END) - size))
            return file.read(size).decode("utf-8", "replace").splitlines()
    except OSError:
        return []


def read_lines(path: Path, start: int = 0, size: int = _HEAD_BYTES) -> list[str]:
    """The first lines of a log from byte ``start`` on, none when there is no log."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(size).decode("utf-8", "replace").splitlines()
    except OSError:
        return []


class LogTail:
    """Follows a log while it grows, from byte ``start`` on: whole lines, each once. Progress bars, which go back to the
    start of their line, count as lines."""

    def __init__(self, path: Path, start: int = 0) -> None:
        self._path = path
        self._offset = start

    def more(self) -> list[str]:
        """The lines since the last call, at most as many as fit into a piece; none when there is no log."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = _whole_lines(file.read(CHUNK_BYTES).replace(b"\r", b"\n"))
        except OSError:
            return []
        self._offset += len(data)
        return data.decode("utf-8", "replace").splitlines()


def read_log(folder: ReplicaFolder, attempt: int, offset: int, *, running: int | None) -> LogChunk | None:
    """A piece of a log. ``attempt`` 0 is the latest; a negative ``offset`` counts from the end.

    ``running`` is the attempt whose engine lives, None when none does. None is returned when there is no such log.
    """
    attempts = folder.attempts()
    chosen = attempt or (attempts[-1] if attempts else 0)
    if chosen not in attempts:
        return None
    try:
        with folder.log_path(chosen).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = min(max(0, size + offset if offset < 0 else offset), size)
            start = _after_hole(file.fileno(), start, size)
            start = _line_start(file, start) if offset < 0 else start
            file.seek(start)
            data = file.read(CHUNK_BYTES)
    except OSError:
        return None
    complete = chosen != running and start + len(data) >= size
    if not complete:
        data = _whole_lines(data)
    return LogChunk(
        attempt=chosen,
        offset=start,
        next_offset=start + len(data),
        size=size,
        text=clean(data.decode("utf-8", "replace"), [folder.engine_key()]),
        complete=complete,
        attempts=tuple(attempts),
    )


def _line_start(file: BinaryIO, start: int) -> int:
    """The first beginning of a line from ``start`` on, so that a tail shows no half line; ``start`` where there is
    none."""
    if start == 0:
        return start
    file.seek(start - 1)
    rest = file.read(CHUNK_BYTES)
    end = rest.find(b"\n")
    return start + end if 0 <= end < len(rest) - 1 else start


def _after_hole(fd: int, start: int, size: int) -> int:
    """The first byte from ``start`` on that was not given back."""
    if start >= size:
        return start
    try:
        return os.lseek(fd, start, os.SEEK_DATA)
    except OSError:
        return start


def _whole_lines(data: bytes) -> bytes:
    """Whole lines, so that no character and no key is cut in two; all of it when one line fills the piece."""
    end = data.rfind(b"\n") + 1
    if end:
        return data[:end]
    return data if len(data) >= CHUNK_BYTES else b""


def bound_size(path: Path, head: int = _HEAD_BYTES, tail: int = _TAIL_BYTES) -> int:
    """Give the middle of a log back to the file system once it is too large. Bytes given back."""
    try:
        with path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size <= head + 2 * tail:
                return 0
            end = (size - tail) // _BLOCK * _BLOCK
            return _punch(file.fileno(), head // _BLOCK * _BLOCK, end)
    except OSError:
        return 0


def _punch(fd: int, start: int, end: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    mode = _PUNCH_HOLE | _KEEP_SIZE
    failed = libc.fallocate(fd, mode, ctypes.c_longlong(start), ctypes.c_longlong(end - start))
    return 0 if failed else end - start
