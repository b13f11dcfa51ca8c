"""Figures over time, kept in memory and bounded: what was asked of models and how devices fared, in steps of an hour or
of a day. No store of metrics: whoever wants more than a day asks Prometheus."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from aimindserve.domain.nodes import Device
from aimindserve.domain.usage import UsageRecord

MOST_MODELS = 100
MOST_DEVICES = 256
# Steps of the histogram of times: four to a doubling, so a quantile is at most 9 % off.
_STEPS_PER_DOUBLING = 4


class Span(StrEnum):
    """How far back one looks."""

    HOUR = "hour"
    DAY = "day"


STEP_SECONDS = {Span.HOUR: 30, Span.DAY: 600}
STEPS = {Span.HOUR: 120, Span.DAY: 144}

Bucket = TypeVar("Bucket")


@dataclass(slots=True)
class Track(Generic[Bucket]):
    """The buckets of one thing, by span and number of the step since 1970; those too old go when a new one comes."""

    make: Callable[[], Bucket]
    buckets: dict[Span, dict[int, Bucket]] = field(default_factory=lambda: {span: {} for span in Span})

    def at(self, at: float) -> list[Bucket]:
        """The buckets that ``at`` (Unix seconds) falls into, one for each span."""
        return [self._bucket(span, int(at // STEP_SECONDS[span])) for span in Span]

    def _bucket(self, span: Span, step: int) -> Bucket:
        kept = self.buckets[span]
        if step not in kept:
            kept[step] = self.make()
            for old in [known for known in kept if known <= max(kept) - STEPS[span]]:
                del kept[old]
        return kept.get(step) or self.make()

    @property
    def newest(self) -> int:
        """The last step of an hour that has a bucket."""
        return max(self.buckets[Span.HOUR], default=0)


@dataclass(slots=True)
class Traffic:
    """Requests that began within one step. ``first_tokens``: how many had their first token after which time
    (``_mark``); ``spoken`` tokens were written in ``spoken_ms`` milliseconds."""

    requests: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    images: int = 0
    first_tokens: Counter[int] = field(default_factory=Counter[int])
    spoken: int = 0
    spoken_ms: float = 0.0

    def add(self, record: UsageRecord) -> None:
        """Count one request."""
        self.requests += 1
        self.failed += record.status >= 400
        self.prompt_tokens += record.prompt_tokens
        self.completion_tokens += record.completion_tokens
        self.images += record.images
        if record.ttft_ms is None:
            return
        self.first_tokens[_mark(record.ttft_ms)] += 1
        if record.completion_tokens > 1 and record.duration_ms > record.ttft_ms:
            self.spoken += record.completion_tokens - 1
            self.spoken_ms += record.duration_ms - record.ttft_ms

    def merge(self, other: "Traffic") -> None:
        """Count all that ``other`` counted."""
        for name in ("requests", "failed", "prompt_tokens", "completion_tokens", "images", "spoken", "spoken_ms"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.first_tokens.update(other.first_tokens)


@dataclass(slots=True)
class Means:
    """Means of what was measured within one step, by name."""

    sums: dict[str, float] = field(default_factory=dict[str, float])
    counts: Counter[str] = field(default_factory=Counter[str])

    def add(self, name: str, value: float | None) -> None:
        """One measurement; None where there was none."""
        if value is not None:
            self.sums[name] = self.sums.get(name, 0.0) + value
            self.counts[name] += 1

    def mean(self, name: str) -> float | None:
        """The mean; None without a measurement."""
        return self.sums[name] / self.counts[name] if self.counts[name] else None


@dataclass(frozen=True, slots=True)
class TrafficPoint:
    """One step of traffic: rates in 1/s, times in milliseconds, ``tokens_per_second`` of one answer. Step ``at``: Unix
    seconds of its beginning. None: nothing to tell it from."""

    at: float
    requests: int
    failed: int
    images: int
    requests_per_second: float
    prompt_tokens_per_second: float
    completion_tokens_per_second: float
    ttft_p50_ms: float | None
    ttft_p95_ms: float | None
    tokens_per_second: float | None
    in_flight: float | None
    waiting: float | None


@dataclass(frozen=True, slots=True)
class DevicePoint:
    """One step of a device, means: bytes in use, percent busy, °C, watts."""

    at: float
    used: float | None
    utilization: float | None
    temperature_c: float | None
    power_w: float | None


@dataclass(slots=True)
class History:
    """All that is kept. ``loads``: requests that run and that wait, of all models."""

    traffic: dict[str, Track[Traffic]] = field(default_factory=dict[str, Track[Traffic]])
    devices: dict[tuple[str, str], Track[Means]] = field(default_factory=dict[tuple[str, str], Track[Means]])
    loads: Track[Means] = field(default_factory=lambda: Track(Means))

    def count(self, records: Iterable[UsageRecord]) -> None:
        """Finished requests; each counts for the time at which it began."""
        for record in records:
            track = _kept(self.traffic, record.model, MOST_MODELS, lambda: Track(Traffic))
            for bucket in track.at(record.started_at):
                bucket.add(record)

    def note_loads(self, at: float, in_flight: int, waiting: int) -> None:
        """How many requests run and wait now."""
        for bucket in self.loads.at(at):
            bucket.add("in_flight", in_flight)
            bucket.add("waiting", waiting)

    def note_devices(self, at: float, node_id: str, devices: Sequence[Device]) -> None:
        """What a node measures of its devices now."""
        for device in devices:
            track = _kept(self.devices, (node_id, device.id), MOST_DEVICES, lambda: Track(Means))
            for bucket in track.at(at):
                bucket.add("used", max(0, device.allocatable - device.memory_free))
                bucket.add("utilization", device.utilization)
                bucket.add("temperature_c", device.temperature_c)
                bucket.add("power_w", device.power_w)

    def traffic_points(self, span: Span, now: float, model: str | None = None) -> tuple[TrafficPoint, ...]:
        """Every step up to ``now``, oldest first, of one model or of all; steps without requests are zeros. What runs
        and waits is known of all models together only."""
        tracks = list(self.traffic.values()) if model is None else [self.traffic.get(model, Track(Traffic))]
        loads = self.loads.buckets[span] if model is None else {}
        return tuple(
            _traffic_point(span, step, [track.buckets[span].get(step) for track in tracks], loads.get(step, Means()))
            for step in _steps(span, now)
        )

    def device_points(self, span: Span, now: float, node_id: str, device_id: str) -> tuple[DevicePoint, ...]:
        """Every step up to ``now`` of one device, oldest first."""
        kept = self.devices.get((node_id, device_id), Track(Means)).buckets[span]
        return tuple(_device_point(span, step, kept.get(step, Means())) for step in _steps(span, now))


Key = TypeVar("Key")


def _kept(tracks: dict[Key, Track[Bucket]], key: Key, most: int, make: Callable[[], Track[Bucket]]) -> Track[Bucket]:
    """The track of ``key``; when there are too many, the one that is silent for longest makes room."""
    if key not in tracks:
        if len(tracks) >= most:
            del tracks[min(tracks, key=lambda known: tracks[known].newest)]
        tracks[key] = make()
    return tracks[key]


def _steps(span: Span, now: float) -> range:
    last = int(now // STEP_SECONDS[span])
    return range(last - STEPS[span] + 1, last + 1)


def _mark(milliseconds: float) -> int:
    return round(_STEPS_PER_DOUBLING * math.log2(max(milliseconds, 1.0)))


def _quantile(marks: Counter[int], share: float) -> float | None:
    """The time that ``share`` of the requests stayed below, to 9 %."""
    left = share * marks.total()
    for mark in sorted(marks):
        left -= marks[mark]
        if left <= 0:
            return 2 ** (mark / _STEPS_PER_DOUBLING)
    return None


def _traffic_point(span: Span, step: int, buckets: Iterable[Traffic | None], loads: Means) -> TrafficPoint:
    seconds, total = STEP_SECONDS[span], Traffic()
    for bucket in filter(None, buckets):
        total.merge(bucket)
    return TrafficPoint(
        at=float(step * seconds),
        requests=total.requests,
        failed=total.failed,
        images=total.images,
        requests_per_second=total.requests / seconds,
        prompt_tokens_per_second=total.prompt_tokens / seconds,
        completion_tokens_per_second=total.completion_tokens / seconds,
        ttft_p50_ms=_quantile(total.first_tokens, 0.5),
        ttft_p95_ms=_quantile(total.first_tokens, 0.95),
        tokens_per_second=total.spoken / total.spoken_ms * 1000 if total.spoken_ms else None,
        in_flight=loads.mean("in_flight"),
        waiting=loads.mean("waiting"),
    )


def _device_point(span: Span, step: int, means: Means) -> DevicePoint:
    names = ("used", "utilization", "temperature_c", "power_w")
    return DevicePoint(float(step * STEP_SECONDS[span]), *(means.mean(name) for name in names))
