"""Which of several replicas takes a request, as one gateway sees them.

The load of a replica is the requests that it has not answered yet, at this gateway and at the others: nobody but
gateways reaches an engine, so this is what runs in it and what waits in it, and it is known the moment it changes.

A replica that failed is left out for a while that doubles with each failure in a row; then one request at a time tries
it until one is answered. One that has just become ready takes little at first. Requests with the same opening (the
same conversation, the same picture) go to the same replica, whose caches know it, while it is not much busier than the
others: rendezvous hashing (Thaler and Ravishankar, 1998) with bounded loads (Mirrokni, Thorup, Zadimoghaddam, 2016).

All times are seconds of one clock that never goes back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from zlib import crc32

from aimindserve.domain.routing import Endpoint

LEFT_OUT_FIRST, LEFT_OUT_LONGEST = 1.0, 30.0
WARMING_SECONDS = 20.0
"""A new replica's share grows over so long."""
_LEAST_SHARE = 0.1
_OVERLOAD = 1.5
"""How much busier than the average the replica may be that knows an opening."""
_WORD = 2**64 - 1
_SPREAD = 0x9E3779B97F4A7C15  # 2^64 / golden ratio


@dataclass(eq=False, slots=True)
class Lane:
    """One replica. ``in_flight``: requests under way from here; ``elsewhere``: from other gateways; ``failures``: in a
    row; ``out_until``: when it may be tried again; ``warm_at``: when it takes its whole share."""

    endpoint: Endpoint
    in_flight: int = 0
    elsewhere: int = 0
    failures: int = 0
    out_until: float = 0.0
    warm_at: float = 0.0
    seed: int = field(init=False)

    def __post_init__(self) -> None:
        self.seed = _mixed(crc32(self.endpoint.replica_id.encode()))

    @property
    def load(self) -> int:
        """Requests under way, wherever they came in."""
        return self.in_flight + self.elsewhere

    def failed(self, now: float) -> None:
        """It did not take a request, or died with it."""
        self.failures += 1
        self.out_until = now + min(LEFT_OUT_FIRST * 2.0 ** min(self.failures - 1, 16), LEFT_OUT_LONGEST)

    def answered(self) -> None:
        """It answers."""
        self.failures = 0

    def is_open(self, now: float) -> bool:
        """Whether it takes a request now."""
        return not self.failures or (now >= self.out_until and not self.in_flight)

    def share(self, now: float) -> float:
        """What part of a whole share it takes, above 0, at most 1."""
        if now >= self.warm_at:
            return 1.0
        return max(_LEAST_SHARE, 1.0 - (self.warm_at - now) / WARMING_SECONDS)


def pick(lanes: Sequence[Lane], now: float, tried: Collection[str] = (), opening: int | None = None) -> Lane | None:
    """The replica for one more request; None when all were tried. ``opening``: digest of what it begins with.

    When every one is left out, the one that may be tried first is: no answer at all helps nobody.
    """
    if tried:
        lanes = [lane for lane in lanes if lane.endpoint.replica_id not in tried]
    if len(lanes) < 2:
        return lanes[0] if lanes else None
    usable = [lane for lane in lanes if not lane.failures or lane.is_open(now)]
    if not usable:
        return min(lanes, key=lambda lane: lane.out_until)
    if opening is not None and len(usable) > 1:
        return _knowing(usable, now, opening)
    return min(usable, key=lambda lane: (lane.load + 1) / lane.share(now))


def _knowing(lanes: Sequence[Lane], now: float, opening: int) -> Lane:
    """The first in the order of ``opening`` that is not overloaded. One always is not: not all are above average."""
    load, shares = 1, 0.0
    for lane in lanes:
        load += lane.in_flight + lane.elsewhere
        shares += 1.0 if now >= lane.warm_at else lane.share(now)
    most, word = _OVERLOAD * load / shares, _mixed(opening)
    chosen, least = lanes[0], _WORD + 1
    for lane in lanes:
        if lane.in_flight + lane.elsewhere < (most if now >= lane.warm_at else most * lane.share(now)):
            # Random over openings and replicas, and the same in every gateway.
            rank = (lane.seed ^ word) * _SPREAD & _WORD
            if rank < least:
                chosen, least = lane, rank
    return chosen


def _mixed(number: int) -> int:
    number = (number + 1) * _SPREAD & _WORD
    return (number ^ number >> 29) * _SPREAD & _WORD
