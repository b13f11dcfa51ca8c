"""Usage: read out of engines' answers, kept until the server has stored it."""

import dataclasses
import re
from collections import deque
from collections.abc import Sequence
from typing import cast

import msgspec

from aimindserve.domain.channel import Usage
from aimindserve.domain.usage import UsageRecord

BATCH = 1000
# About 10 MB of records in memory. They are there for a second or two: then they are stored, or on disk.
KEPT = 20_000

# Details inside of it have at most one more level: ``prompt_tokens_details.multimodal_tokens``.
_DETAILS = rb"\{[^{}]*+(?:\{[^{}]*+\}[^{}]*+)*+\}"
_USAGE = re.compile(rb'"usage"\s*:\s*(\{[^{}]*+(?:' + _DETAILS + rb"[^{}]*+)*+\})")
_TIMINGS = re.compile(rb'"timings"\s*:\s*(\{[^{}]*\})')


class _Pictures(msgspec.Struct):
    image: int | None = None


class _Details(msgspec.Struct):
    cached_tokens: int | None = None
    image_tokens: int | None = None
    multimodal_tokens: _Pictures | None = None

    @property
    def image(self) -> int:
        """Tokens of pictures, by vLLM's name or OpenAI's."""
        return (self.multimodal_tokens.image if self.multimodal_tokens else self.image_tokens) or 0


class _Usage(msgspec.Struct):
    """By OpenAI's names, those of its Responses, and Anthropic's, who leaves out what was in a cache."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int | None = 0
    cache_creation_input_tokens: int | None = 0
    prompt_tokens_details: _Details | None = None
    input_tokens_details: _Details | None = None

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


_NO_DETAILS = _Details()


class Counted(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one answer. ``by``: see ``UsageRecord.counted_by``."""

    prompt: int = 0
    completion: int = 0
    by: str = "none"
    cached: int = 0
    image: int = 0


def find_usage(text: bytes) -> Counted | None:
    """The last ``usage`` object in a piece of JSON, else llama.cpp's ``timings``; None when there is neither.

    Quotes inside of JSON strings are escaped, so no generated text can look like one."""
    found = _last(b'"usage"', _USAGE, text)
    if found is not None:
        try:
            usage = msgspec.json.decode(found, type=_Usage)
            return _counted(usage)
        except msgspec.DecodeError:
            return None
    found = _last(b'"timings"', _TIMINGS, text)
    if found is not None:
        try:
            timings = msgspec.json.decode(found, type=_Timings)
            prompt = max(0, timings.prompt_n + timings.cache_n)
            return Counted(prompt, max(0, timings.predicted_n), "engine", cached=min(prompt, max(0, timings.cache_n)))
        except msgspec.DecodeError:
            return None
    return None


def _counted(usage: _Usage) -> Counted:
    prompt, details = max(0, usage.prompt), usage.prompt_tokens_details or usage.input_tokens_details or _NO_DETAILS
    cached = details.cached_tokens or usage.cache_read_input_tokens or 0
    return Counted(
        prompt,
        max(0, usage.completion_tokens or usage.output_tokens),
        "engine",
        cached=min(prompt, max(0, cached)),
        image=min(prompt, max(0, details.image)),
    )


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
        self._from_disk = False
        self._batch = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting) + (0 if self._from_disk else len(self._sent))

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way, and nothing waits."""
        return not self._sent and not self._waiting

    def take_all(self) -> tuple[UsageRecord, ...]:
        """Everything that is in memory and not acknowledged, oldest first. It is no longer here then."""
        mine = () if self._from_disk else self._sent
        taken = (*mine, *self._waiting)
        self._waiting.clear()
        self._sent, self._from_disk = (), False
        return taken

    def take_waiting(self) -> tuple[UsageRecord, ...]:
        """What is not under way, oldest first. It is no longer here then."""
        taken = tuple(self._waiting)
        self._waiting.clear()
        return taken

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
        return self._send(tuple(self._waiting.popleft() for _ in range(count)), from_disk=False)

    def batch_from_disk(self, records: Sequence[UsageRecord]) -> Usage:
        """``records`` that stay on disk until they are acknowledged; nothing else is under way."""
        return self._send(tuple(records), from_disk=True)

    def _send(self, records: tuple[UsageRecord, ...], *, from_disk: bool) -> Usage:
        self._sent, self._from_disk = records, from_disk
        self._batch += 1
        return Usage(self._batch, records)

    def acknowledged(self, batch: int) -> bool:
        """The server has stored this batch; whether it was the one under way."""
        if batch != self._batch or not self._sent:
            return False
        self._sent, self._from_disk = (), False
        return True

    def restart(self) -> None:
        """A new connection: what was under way goes again."""
        if not self._from_disk:
            self._waiting.extendleft(reversed(self._sent))
        self._sent, self._from_disk = (), False
        self._batch = 0
