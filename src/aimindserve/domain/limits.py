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


@dataclass(frozen=True, slots=True)
class Room:
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


class Meter:
    """What one key or person has used. ``month``: the month that ``month_tokens`` are of."""

    __slots__ = ("images", "month", "month_tokens", "requests", "tokens")

    def __init__(self) -> None:
        self.requests = Window()
        self.tokens = Window()
        self.images = Window()
        self.month = ""
        self.month_tokens = 0

    def forget(self, now: float, month: str) -> None:
        """Leave out what no limit counts any more."""
        for window in (self.requests, self.tokens, self.images):
            window.forget(now)
        if month != self.month:
            self.month, self.month_tokens = month, 0

    @property
    def is_idle(self) -> bool:
        """Whether forgetting this meter would change nothing, once ``forget`` was called."""
        return not (self.requests.used or self.tokens.used or self.images.used or self.month_tokens)

    def deny(self, limits: Limits, images: int, now: float) -> Denial | None:
        """Why a request with so many pictures is not admitted; None when it may go on. ``forget`` comes first."""
        for kind, limit, window, amount in (
            (Kind.REQUESTS, limits.requests_per_minute, self.requests, 1),
            (Kind.TOKENS, limits.tokens_per_minute, self.tokens, 1),
            (Kind.IMAGES, limits.images_per_minute, self.images, images),
        ):
            if limit is not None and amount and window.used + amount > limit:
                return Denial(kind, limit, window.wait(amount, limit, now))
        most = limits.tokens_per_month
        if most is not None and self.month_tokens >= most:
            return Denial(Kind.MONTH, most, math.inf)
        return None

    def take(self, images: int, now: float) -> None:
        """A request was admitted."""
        self.requests.add(1, now)
        if images:
            self.images.add(images, now)

    def charge(self, tokens: int, now: float) -> None:
        """A request is over and used ``tokens``."""
        if tokens:
            self.tokens.add(tokens, now)
            self.month_tokens += tokens

    def spent(self, month: str, tokens: int) -> None:
        """At least so many tokens were used in ``month``, as somebody else has counted (who may lag behind)."""
        if month == self.month:
            self.month_tokens = max(self.month_tokens, tokens)
        elif month > self.month:
            self.month, self.month_tokens = month, tokens

    def room(self, limits: Limits, now: float) -> list[Room]:
        """What is left of each limit that there is."""
        rooms = [
            Room(kind, limit, max(0, limit - window.used), window.reset(now))
            for kind, limit, window in (
                (Kind.REQUESTS, limits.requests_per_minute, self.requests),
                (Kind.TOKENS, limits.tokens_per_minute, self.tokens),
                (Kind.IMAGES, limits.images_per_minute, self.images),
            )
            if limit is not None
        ]
        if (most := limits.tokens_per_month) is not None:
            rooms.append(Room(Kind.MONTH, most, max(0, most - self.month_tokens), math.inf))
        return rooms


def tightest(rooms: Iterable[Room]) -> dict[Kind, Room]:
    """Of several limits of each kind the one of which least is left."""
    found: dict[Kind, Room] = {}
    for room in rooms:
        known = found.get(room.kind)
        if known is None or (room.remaining, -room.limit) < (known.remaining, -known.limit):
            found[room.kind] = room
    return found


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
