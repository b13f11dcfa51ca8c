"""How much one key, and one person with all keys, may use: in a minute, in a month, at once.

Times are seconds of a clock that never goes back; months are UTC (``month_of``). A minute slides: in no 60 seconds,
wherever they begin, is more admitted than the limit says. What a request will generate is not known when it comes, so
it is admitted as long as the tokens counted until then are below the limit, and its own count when it is over."""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

# A use is kept in a slot of one second, and must be remembered for 60 s after the end of that second.
_SLOTS = 61


@dataclass(frozen=True, slots=True)
class Limits:
    """None: no limit of that kind. Tokens are those of prompts and answers together. ``concurrent``: requests that run
    at once; more of them wait."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    images_per_minute: int | None = None
    concurrent: int | None = None
    tokens_per_month: int | None = None


class Kind(StrEnum):
    """What ran out."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    IMAGES = "images"
    MONTH = "month"


class Room(NamedTuple):
    """How much of one limit is left; ``reset``: seconds until all of it is again."""

    kind: Kind
    limit: int
    remaining: int
    reset: float


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a request is not admitted. ``wait``: seconds until it would be, if nothing else is used until then; None:
    never, since it asks for more than the whole limit."""

    kind: Kind
    limit: int
    wait: float | None


class Window:
    """What was used in the last minute."""

    __slots__ = ("_slots", "used")

    def __init__(self) -> None:
        self._slots: deque[list[int]] = deque()
        self.used = 0

    def add(self, amount: int, now: float) -> None:
        """``amount`` is used at ``now``."""
        second = int(now)
        if self._slots and self._slots[-1][0] >= second:
            self._slots[-1][1] += amount
        else:
            self._slots.append([second, amount])
        self.used += amount

    def forget(self, now: float) -> None:
        """Leave out what is more than a minute old."""
        oldest = int(now) - _SLOTS
        slots = self._slots
        while slots and slots[0][0] <= oldest:
            self.used -= slots.popleft()[1]

    def wait(self, amount: int, limit: int, now: float) -> float | None:
        """Seconds from ``now`` until ``amount`` fits below ``limit``: 0 when it does, None when it never can."""
        if amount > limit:
            return None
        left, free_at = self.used, now
        for second, used in self._slots:
            if left + amount <= limit:
                break
            left -= used
            free_at = second + _SLOTS
        return max(0.0, free_at - now)

    def reset(self, now: float) -> float:
        """Seconds until nothing is used any more."""
        return max(0.0, self._slots[-1][0] + _SLOTS - now) if self._slots else 0.0

    def ages(self, now: float) -> list[tuple[float, int]]:
        """What is used, with how long ago, to be taken up by ``restore``."""
        return [(now - second, amount) for second, amount in self._slots]

    def restore(self, ages: Iterable[tuple[float, int]], now: float) -> None:
        """Take up what another window gave."""
        for age, amount in sorted(ages, reverse=True):
            # Rounded up: the seconds of another clock begin elsewhere, and nothing may be forgotten too early.
            self.add(max(0, amount), math.ceil(now - max(0.0, age)))
        self.forget(now)


class Month:
    """What was used in one calendar month, ``name``."""

    __slots__ = ("name", "used")

    def __init__(self) -> None:
        self.name = ""
        self.used = 0

    def wait(self, amount: int, limit: int, now: float) -> float:  # noqa: ARG002
        """See ``Window.wait``: until the month is over, which no clock of ours tells."""
        return math.inf

    def reset(self, now: float) -> float:  # noqa: ARG002
        """See ``wait``."""
        return math.inf


class Meter:
    """What one key or person has used; ``news``: what of it was used here and not told to others yet, as requests,
    tokens, pictures."""

    __slots__ = ("_forgot_at", "images", "month", "news", "requests", "tokens")

    def __init__(self) -> None:
        self.requests = Window()
        self.tokens = Window()
        self.images = Window()
        self.month = Month()
        self.news = [0, 0, 0]
        self._forgot_at = -1

    def forget(self, now: float, month: str) -> None:
        """Leave out what no limit counts any more."""
        if self._forgot_at != (second := int(now)):
            self._forgot_at = second
            for window in (self.requests, self.tokens, self.images):
                window.forget(now)
        if month != self.month.name:
            self.month.name, self.month.used = month, 0

    @property
    def is_idle(self) -> bool:
        """Whether forgetting this meter would change nothing, once ``forget`` was called."""
        return not (self.requests.used or self.tokens.used or self.images.used or self.month.used)

    def take(self, images: int, now: float) -> None:
        """A request was admitted."""
        self.requests.add(1, now)
        self.news[0] += 1
        if images:
            self.images.add(images, now)
            self.news[2] += images

    def charge(self, tokens: int, now: float) -> None:
        """A request is over and used ``tokens``."""
        if tokens:
            self.tokens.add(tokens, now)
            self.month.used += tokens
            self.news[1] += tokens

    def hear(self, requests: int, tokens: int, images: int, now: float) -> None:
        """What was used elsewhere."""
        self.requests.add(requests, now)
        self.images.add(images, now)
        self.tokens.add(tokens, now)
        self.month.used += tokens

    def spent(self, month: str, tokens: int) -> None:
        """At least so many tokens were used in ``month``, as somebody else has counted (who may lag behind)."""
        if month == self.month.name:
            self.month.used = max(self.month.used, tokens)
        elif month > self.month.name:
            self.month.name, self.month.used = month, tokens


Bound = tuple[int, Window | Month]
"""A limit, and where what it limits is counted."""


class Allowance:
    """What one caller may use: the limits of its key and of its owner, each with the meter of whoever it is of."""

    __slots__ = ("_bounds", "meters")

    def __init__(self, pairs: Iterable[tuple[Limits, Meter]]) -> None:
        pairs = tuple(pairs)
        self.meters = tuple(meter for _, meter in pairs)
        by_kind: dict[Kind, list[Bound]] = {kind: [] for kind in Kind}
        for limits, meter in pairs:
            for kind, limit, counter in (
                (Kind.REQUESTS, limits.requests_per_minute, meter.requests),
                (Kind.TOKENS, limits.tokens_per_minute, meter.tokens),
                (Kind.IMAGES, limits.images_per_minute, meter.images),
                (Kind.MONTH, limits.tokens_per_month, meter.month),
            ):
                if limit is not None:
                    by_kind[kind].append((limit, counter))
        # The larger limit first: it is the one that is told of two with as much left.
        self._bounds = [(kind, sorted(bounds, key=_limit, reverse=True)) for kind, bounds in by_kind.items() if bounds]

    def forget(self, now: float, month: str) -> None:
        """Leave out what no limit counts any more; comes before everything else."""
        for meter in self.meters:
            meter.forget(now, month)

    def admit(self, images: int, now: float) -> tuple[list[Denial], list[Room]]:
        """Take a request with so many pictures, if nothing denies it; and what is left then of each kind that is
        limited: of several limits the one of which least is left."""
        denials: list[Denial] = []
        tightest: list[tuple[Kind, Bound]] = []
        for kind, bounds in self._bounds:
            tight, least = bounds[0], math.inf
            for bound in bounds:  # ``min`` would take twice the time, and this is done for each request
                left = bound[0] - bound[1].used
                if left < least:
                    tight, least = bound, left
            tightest.append((kind, tight))
            amount = images if kind is Kind.IMAGES else 1
            if least < amount:
                denials += _denials(kind, bounds, amount, now)
        if not denials:
            for meter in self.meters:
                meter.take(images, now)
        return denials, [
            Room(kind, limit, max(0, limit - counter.used), counter.reset(now)) for kind, (limit, counter) in tightest
        ]


def _denials(kind: Kind, bounds: Iterable[Bound], amount: int, now: float) -> list[Denial]:
    return [
        Denial(kind, limit, counter.wait(amount, limit, now))
        for limit, counter in bounds
        if amount and counter.used + amount > limit
    ]


def _limit(bound: Bound) -> int:
    return bound[0]


def month_of(at: float) -> str:
    """``2026-11``: the month (UTC) of Unix seconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m")


def month_ends(at: float) -> float:
    """Unix seconds at which the month of ``at`` is over."""
    now = datetime.fromtimestamp(at, UTC)
    return datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC).timestamp()


def month_begins(at: float) -> float:
    """Unix seconds at which the month of ``at`` began."""
    now = datetime.fromtimestamp(at, UTC)
    return datetime(now.year, now.month, 1, tzinfo=UTC).timestamp()


def subject_of(*, key_id: str | None = None, user_id: str | None = None) -> str:
    """The name under which a key's or a person's use is counted."""
    return f"key {key_id}" if key_id is not None else f"user {user_id}"
