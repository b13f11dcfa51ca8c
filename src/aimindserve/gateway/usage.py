"""Usage: read out of engines' answers, kept until the server has stored it."""

import dataclasses
import re
from collections import deque
from typing import cast

import msgspec

from aimindserve.domain.channel import Usage
from aimindserve.domain.usage import UsageRecord

BATCH = 1000
# About 10 MB of records; at 100 requests a second the server may be away for three minutes before the oldest go.
KEPT = 20_000

_USAGE = re.compile(rb'"usage"\s*:\s*(\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})')
_TIMINGS = re.compile(rb'"timings"\s*:\s*(\{[^{}]*\})')


class _Usage(msgspec.Struct):
    """By OpenAI's names, those of its Responses, and Anthropic's, who leaves out what was in a cache."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int | None = 0
    cache_creation_input_tokens: int | None = 0

    @property
    def prompt(self) -> int:
        """Tokens that went in."""
        if self.prompt_tokens:
            return self.prompt_tokens
        return self.input_tokens + (self.cache_read_input_tokens or 0) + (self.cache_creation_input_tokens or 0)


class _Timings(msgspec.Struct):
    prompt_n: int = 0
    cache_n: int = 0
    predicted_n: int = 0


class Counted(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one answer. ``by``: see ``UsageRecord.counted_by``."""

    prompt: int = 0
    completion: int = 0
    by: str = "none"


def find_usage(text: bytes) -> Counted | None:
    """The last ``usage`` object in a piece of JSON, else llama.cpp's ``timings``; None when there is neither.

    Quotes inside of JSON strings are escaped, so no generated text can look like one."""
    found = _last(b'"usage"', _USAGE, text)
    if found is not None:
        try:
            usage = msgspec.json.decode(found, type=_Usage)
            return Counted(max(0, usage.prompt), max(0, usage.completion_tokens or usage.output_tokens), "engine")
        except msgspec.DecodeError:
            return None
    found = _last(b'"timings"', _TIMINGS, text)
    if found is not None:
        try:
            timings = msgspec.json.decode(found, type=_Timings)
            return Counted(max(0, timings.prompt_n + timings.cache_n), max(0, timings.predicted_n), "engine")
        except msgspec.DecodeError:
            return None
    return None


def _last(name: bytes, pattern: re.Pattern[bytes], text: bytes) -> bytes | None:
    place = text.rfind(name)
    while place >= 0:
        match = pattern.match(text, place)
        if match is not None:
            return match[1]
        place = text.rfind(name, 0, place)
    return None


# A record as the wire knows it, made in a tenth of the time of a frozen dataclass (one is made for each request).
new_record = cast(
    "type[UsageRecord]",
    msgspec.defstruct(
        "UsageRecord",
        [
            (f.name, f.type) if f.default is dataclasses.MISSING else (f.name, f.type, f.default)
            for f in dataclasses.fields(UsageRecord)
        ],
        frozen=True,
        gc=False,
    ),
)


class Outbox:
    """Records on their way to the server. One batch is under way at a time; what is not acknowledged goes again."""

    def __init__(self) -> None:
        self._waiting: deque[UsageRecord] = deque()
        self._sent: tuple[UsageRecord, ...] = ()
        self._batch = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._sent)

    def all(self) -> tuple[UsageRecord, ...]:
        """Everything that is not acknowledged, oldest first."""
        return (*self._sent, *self._waiting)

    def add(self, record: UsageRecord) -> None:
        """Keep ``record``; when too many wait, the oldest one is given up and counted in ``dropped``."""
        self._waiting.append(record)
        if len(self._waiting) > KEPT:
            self._waiting.popleft()
            self.dropped += 1

    def next_batch(self) -> Usage | None:
        """What to send now, None while an acknowledgement is awaited or nothing is there."""
        if self._sent or not self._waiting:
            return None
        count = min(BATCH, len(self._waiting))
        self._sent = tuple(self._waiting.popleft() for _ in range(count))
        self._batch += 1
        return Usage(self._batch, self._sent)

    def acknowledged(self, batch: int) -> None:
        """The server has stored this batch."""
        if batch == self._batch:
            self._sent = ()

    def restart(self) -> None:
        """A new connection: what was under way goes again."""
        self._waiting.extendleft(reversed(self._sent))
        self._sent = ()
        self._batch = 0
