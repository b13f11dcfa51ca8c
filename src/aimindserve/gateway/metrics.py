"""Counters of this gateway process, as Prometheus reads them."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping

from aimindserve.domain.usage import UsageRecord, tokens_per_second

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_INTER_TOKEN = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0, 5.0)
_OVERHEAD = (25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 50e-3, 250e-3)

MOST_MODELS = 200
OTHERS = "(others)"
_PREFIX = "aimindserve_gateway_"
_KINDS = ("prompt", "completion", "cached", "image")
_TIMES = (
    ("time_to_first_token_seconds", "first_token"),
    ("request_duration_seconds", "duration"),
    ("inter_token_seconds", "inter_token"),
)


class Histogram:
    """Observations in buckets; ``bounds`` are upper limits, inclusive, in seconds."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float, times: int = 1) -> None:
        """Count an observation, or several of the same value."""
        self.counts[bisect_left(self.bounds, seconds)] += times
        self.total += seconds * times

    def lines(self, name: str, labels: str = "") -> Iterable[str]:
        """Text exposition."""
        below, more, alone = 0, f"{labels}," if labels else "", f"{{{labels}}}" if labels else ""
        for bound, count in zip(self.bounds, self.counts, strict=False):
            below += count
            yield f'{name}_bucket{{{more}le="{bound:g}"}} {below}'
        below += self.counts[-1]
        yield f'{name}_bucket{{{more}le="+Inf"}} {below}'
        yield f"{name}_sum{alone} {self.total:.9g}"
        yield f"{name}_count{alone} {below}"


class ModelMetrics:
    """Times, tokens and pictures of one model's requests."""

    __slots__ = ("cached", "completion", "duration", "first_token", "image", "images", "inter_token", "prompt")

    def __init__(self) -> None:
        self.prompt = self.completion = self.cached = self.image = self.images = 0
        self.first_token = Histogram(_SECONDS)
        self.duration = Histogram(_SECONDS)
        self.inter_token = Histogram(_INTER_TOKEN)


class Metrics:
    """Everything that is counted. Models beyond ``MOST_MODELS`` share one name, so that the number of series is
    bounded whatever is deployed; only models that exist are counted by name at all."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.refused: Counter[tuple[str, int]] = Counter()
        self.models: dict[str, ModelMetrics] = {}
        self.overhead = Histogram(_OVERHEAD)
        self.received_bytes = 0
        self.sent_bytes = 0

    def count(self, records: Iterable[UsageRecord]) -> None:
        """Inference requests that are over."""
        for record in records:
            model = self._name(record.model)
            of = self.models[model]
            self.requests[record.endpoint, model, record.status] += 1
            of.duration.observe(record.duration_ms / 1000)
            if record.ttft_ms is not None:
                of.first_token.observe(record.ttft_ms / 1000)
                if (speed := tokens_per_second(record)) is not None:
                    of.inter_token.observe(1 / speed, record.completion_tokens - 1)
            of.prompt += record.prompt_tokens
            of.completion += record.completion_tokens
            of.cached += record.cached_tokens
            of.image += record.image_tokens
            of.images += record.images

    def _name(self, model: str) -> str:
        if model not in self.models:
            if len(self.models) >= MOST_MODELS:
                model = OTHERS
            self.models.setdefault(model, ModelMetrics())
        return model


def _labels(**values: object) -> str:
    return ",".join(f'{name}="{_escaped(str(value))}"' for name, value in values.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def exposition(metrics: Metrics, loads: Mapping[str, int], gauges: Mapping[str, int]) -> bytes:
    """The text of ``/metrics``. ``loads``: requests in flight by replica; ``gauges``: further values by name."""
    lines: list[str] = []
    for name, counts in (
        ("requests_total", {_request_labels(*key): count for key, count in metrics.requests.items()}),
        ("refused_total", {_labels(code=code, status=status): n for (code, status), n in metrics.refused.items()}),
        (
            "tokens_total",
            {_labels(model=m, kind=kind): getattr(of, kind) for m, of in metrics.models.items() for kind in _KINDS},
        ),
        ("images_total", {_labels(model=model): of.images for model, of in metrics.models.items()}),
    ):
        lines.append(f"# TYPE {_PREFIX}{name} counter")
        lines += [f"{_PREFIX}{name}{{{labels}}} {count}" for labels, count in sorted(counts.items())]
    lines.append(f"# TYPE {_PREFIX}in_flight gauge")
    lines += [f"{_PREFIX}in_flight{{{_labels(replica=one)}}} {count}" for one, count in sorted(loads.items())]
    bytes_moved = {"request_body_bytes_total": metrics.received_bytes, "sent_bytes_total": metrics.sent_bytes}
    for name, value in {**bytes_moved, **gauges}.items():
        kind = "counter" if name.endswith("_total") else "gauge"
        lines += [f"# TYPE {_PREFIX}{name} {kind}", f"{_PREFIX}{name} {value}"]
    for name, attribute in _TIMES:
        lines.append(f"# TYPE {_PREFIX}{name} histogram")
        for model, times in sorted(metrics.models.items()):
            lines += getattr(times, attribute).lines(_PREFIX + name, _labels(model=model))
    lines.append(f"# TYPE {_PREFIX}overhead_seconds histogram")
    lines += metrics.overhead.lines(f"{_PREFIX}overhead_seconds")
    return "\n".join(lines).encode() + b"\n"


def _request_labels(endpoint: str, model: str, status: int) -> str:
    return _labels(endpoint=endpoint, model=model, status=status)
