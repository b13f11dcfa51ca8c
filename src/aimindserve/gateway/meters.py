"""What limited keys and people have used, as far as this gateway knows; and what callers are told about it."""

import math
import time
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from pathlib import Path

import msgspec

from aimindserve.domain.channel import Used
from aimindserve.domain.limits import (
    Allowance,
    Denial,
    Kind,
    Meter,
    Room,
    month_begins,
    month_ends,
    month_of,
)
from aimindserve.gateway.auth import Caller
from aimindserve.gateway.errors import Refusal
from aimindserve.gateway.private import read_private, replace_private

_NAMES = {Kind.REQUESTS: b"requests", Kind.TOKENS: b"tokens", Kind.IMAGES: b"images", Kind.MONTH: b"tokens-month"}
# OpenAI's ``x-ratelimit-…`` headers, and two more kinds in the same way.
_LINES = {
    kind: b"x-ratelimit-limit-%b: %%d\r\nx-ratelimit-remaining-%b: %%d\r\nx-ratelimit-reset-%b: %%b\r\n"
    % (name, name, name)
    for kind, name in _NAMES.items()
}
_WORDS = {
    Kind.REQUESTS: "requests a minute",
    Kind.TOKENS: "tokens a minute",
    Kind.IMAGES: "pictures a minute",
    Kind.MONTH: "tokens a month",
}


class _Kept(msgspec.Struct):
    """One meter on disk: uses with their ages in seconds, by kind."""

    requests: list[tuple[float, int]] = []
    tokens: list[tuple[float, int]] = []
    images: list[tuple[float, int]] = []
    month: str = ""
    month_tokens: int = 0


class _File(msgspec.Struct):
    at: float
    meters: dict[str, _Kept]


class Meters:
    """One meter for each key and person with limits. ``now``: seconds that never go back; ``wall``: Unix seconds.
    Other gateways count the same keys, and are told; so is the next one while this one ends."""

    def __init__(self, now: Callable[[], float], wall: Callable[[], float] = time.time) -> None:
        self._now = now
        self._wall = wall
        self._meters: dict[str, Meter] = {}
        self._allowances: dict[str, tuple[object, Allowance]] = {}
        self._month, self._month_begins, self._month_ends = "", 0.0, 0.0
        self._changed = False

    def __len__(self) -> int:
        return len(self._meters)

    def admit(self, caller: Caller, images: int) -> bytes | Refusal:
        """Count a request of ``caller`` with so many pictures: the header lines for its answer, or why not."""
        now, wall = self._now(), self._wall()
        allowance = self._allowance(caller)
        allowance.forget(now, self._month_at(wall))
        denials, rooms = allowance.admit(images, now)
        if not denials:
            self._changed = True
        month_left = self._month_ends - wall
        told = _header_lines(rooms, month_left)
        return _refusal(denials, told, month_left) if denials else told

    def _allowance(self, caller: Caller) -> Allowance:
        """What ``caller`` may use, found once for each table (which makes its callers anew)."""
        known = self._allowances.get(caller.line)
        if known is not None and known[0] is caller.limits:
            return known[1]
        allowance = Allowance((limits, self._meters.setdefault(subject, Meter())) for subject, limits in caller.limits)
        self._allowances[caller.line] = caller.limits, allowance
        return allowance

    def _month_at(self, wall: float) -> str:
        if not self._month_begins <= wall < self._month_ends:
            self._month, self._month_begins, self._month_ends = month_of(wall), month_begins(wall), month_ends(wall)
        return self._month

    def charge(self, caller: Caller, tokens: int) -> None:
        """A request of ``caller`` is over."""
        if tokens > 0:
            now, wall = self._now(), self._wall()
            self._changed = True
            allowance = self._allowance(caller)
            allowance.forget(now, self._month_at(wall))
            for meter in allowance.meters:
                meter.charge(tokens, now)

    def news(self) -> Used | None:
        """What other gateways have to be told, once."""
        news: dict[str, tuple[int, int, int]] = {}
        for subject, meter in self._meters.items():
            if any(meter.news):
                news[subject] = (meter.news[0], meter.news[1], meter.news[2])
                meter.news = [0, 0, 0]
        return Used(news) if news else None

    def hear(self, used: Used) -> None:
        """What another gateway tells."""
        now, wall = self._now(), self._wall()
        self._changed = True
        for subject, counts in used.by.items():
            self._meter(subject, now, wall).hear(*counts, now)

    def spent(self, month: str, tokens: dict[str, int]) -> None:
        """What the server has stored of this month."""
        self._changed = True
        for subject, count in tokens.items():
            self._meters.setdefault(subject, Meter()).spent(month, count)

    def keep_only(self, subjects: Collection[str]) -> None:
        """A new table: what nobody has a limit for is left out, once its minute is over."""
        now, month = self._now(), self._month_at(self._wall())
        self._allowances.clear()
        for subject in [subject for subject in self._meters if subject not in subjects]:
            meter = self._meters[subject]
            meter.forget(now, month)
            if meter.is_idle:
                del self._meters[subject]

    def _meter(self, subject: str, now: float, wall: float) -> Meter:
        meter = self._meters.get(subject)
        if meter is None:
            meter = self._meters[subject] = Meter()
        meter.forget(now, self._month_at(wall))
        return meter

    # ---- over a restart

    def snapshot(self) -> bytes | None:
        """What to keep on disk; None when nothing has changed since the last one."""
        if not self._changed:
            return None
        self._changed = False
        now = self._now()
        kept = {
            subject: _Kept(m.requests.ages(now), m.tokens.ages(now), m.images.ages(now), m.month.name, m.month.used)
            for subject, m in self._meters.items()
        }
        return msgspec.json.encode(_File(self._wall(), kept))

    def restore(self, content: bytes) -> None:
        """Take up what an earlier gateway kept; damaged content is left out."""
        try:
            file = msgspec.json.decode(content, type=_File)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        now, passed = self._now(), max(0.0, self._wall() - file.at)
        for subject, kept in file.meters.items():
            meter = self._meters.setdefault(subject, Meter())
            for window, ages in (
                (meter.requests, kept.requests),
                (meter.tokens, kept.tokens),
                (meter.images, kept.images),
            ):
                window.restore(((age + passed, amount) for age, amount in ages), now)
            meter.spent(kept.month, kept.month_tokens)


def save_meters(file: Path, content: bytes) -> bool:
    """Write a snapshot (mode 0600); False when the disk does not take it."""
    try:
        replace_private(file, content)
    except OSError:
        return False
    return True


def load_meters(file: Path) -> bytes:
    """The snapshot in ``file``, empty when there is none that can be trusted."""
    return read_private(file) or b""


def _header_lines(rooms: Iterable[Room], month_left: float) -> bytes:
    lines = [
        _LINES[kind] % (limit, remaining, duration(math.ceil(month_left if reset == math.inf else reset)))
        for kind, limit, remaining, reset in rooms
    ]
    return b"".join(lines)


@lru_cache(256)
def duration(seconds: int) -> bytes:
    """``1h2m3s``, as OpenAI writes the time until a limit is whole again."""
    hours, minutes = seconds // 3600, seconds // 60 % 60
    text = f"{hours}h" if hours else ""
    text += f"{minutes}m" if minutes or hours else ""
    return f"{text}{seconds % 60}s".encode()


def _refusal(denials: Iterable[Denial], told: bytes, month_left: float) -> Refusal:
    """The refusal that lasts longest: before that one is over, trying again is of no use."""
    worst = max(denials, key=lambda denial: math.inf if denial.wait is None else denial.wait)
    what = f"{worst.limit} {_WORDS[worst.kind]}"
    if worst.wait is None:
        message = f"This request alone is above what this key or its owner may use: {what}."
        return Refusal(400, "above_limit", message, headers=told)
    wait = month_left if worst.wait == math.inf else worst.wait
    seconds = max(1, math.ceil(wait))
    message = f"This key or its owner has used what it may: {what}. Try again in {seconds} s."
    code = "insufficient_quota" if worst.kind is Kind.MONTH else "rate_limit_exceeded"
    return Refusal(429, code, message, retry_after=seconds, extra={"limit": worst.kind}, headers=told)
