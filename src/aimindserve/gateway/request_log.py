"""The request log: one JSON object a line for each finished inference request that was drawn. Who asked which model,
how long it took and what it used. What was asked is noted for the models that the settings name, and for no other one;
the bytes of pictures and sounds never, and no answer.
"""

import contextlib
import fcntl
import os
import random
import re
from collections.abc import Callable, Collection
from pathlib import Path

import msgspec

from aimindserve.domain.usage import UsageRecord

_MOST_WAITING = 10_000
_LONGEST_PROMPT = 64 * 1024
_MOST_PROMPTS = 1000  # of requests under way
_MEDIA = re.compile(rb'(data:[\w/+.-]{1,100};base64,|"data"\s*:\s*")[A-Za-z0-9+/=]{64,}')

Line = tuple[UsageRecord, str | None]
"""A finished request, and what it asked where that is noted."""


class RequestLog:
    """``sample``: the share of requests that is written, 0 to 1. The file is put aside at ``limit`` bytes, as ``.1``;
    the one before that goes. Several gateways may write to one file. ``models``: whose prompts are noted."""

    def __init__(
        self,
        file: Path,
        sample: float,
        models: Collection[str] = (),
        *,
        limit: int = 64 * 1024**2,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._file = file
        self._models = frozenset(models)
        self._prompts: dict[str, str] = {}
        self._sample = sample
        self._limit = limit
        self._draw = draw
        self._waiting: list[Line] = []
        self.dropped = 0

    def note(self, request_id: str, model: str, body: bytes | bytearray) -> None:
        """Keep what a request asks until it is over, if that is wanted for its model."""
        if model in self._models and len(self._prompts) < _MOST_PROMPTS:
            text = _MEDIA.sub(rb"\1...", bytes(body[:_LONGEST_PROMPT]))
            self._prompts[request_id] = text.decode(errors="replace")

    def add(self, record: UsageRecord) -> None:
        """Keep ``record`` for the next ``write``, if it is drawn."""
        prompt = self._prompts.pop(record.request_id, None) if self._prompts else None
        if self._draw() < self._sample:
            if len(self._waiting) < _MOST_WAITING:
                self._waiting.append((record, prompt))
            else:
                self.dropped += 1

    def take(self) -> list[Line]:
        """What is to be written."""
        taken, self._waiting = self._waiting, []
        return taken

    def write(self, taken: list[Line]) -> None:
        """Append what was ``taken``; what the disk does not take is lost. Blocking."""
        lines = b"".join(_line(record, prompt) for record, prompt in taken)
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


def _line(record: UsageRecord, prompt: str | None) -> bytes:
    encoded = msgspec.json.encode(record)
    return encoded + b"\n" if prompt is None else b'%b,"prompt":%b}\n' % (encoded[:-1], msgspec.json.encode(prompt))
