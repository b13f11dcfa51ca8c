"""Counters of this gateway process, as Prometheus reads them."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping

from aimindserve.domain.usage import UsageRecord

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_OVERHEAD = (25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 50e-3, 250e-3)


class Histogram:
    """Observations in buckets; ``bounds`` are upper limits, inclusive, in seconds."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count one observation."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def lines(self, name: str) -> Iterable[str]:
        """Text exposition."""
        below = 0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            below += count
            yield f'{name}_bucket{{le="{bound:g}"}} {below}'
        below += self.counts[-1]
        yield f'{name}_bucket{{le="+Inf"}} {below}'
        yield f"{name}_sum {self.total:.9g}"
        yield f"{name}_count {below}"


class Metrics:
    """Everything that is counted."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.tokens: Counter[tuple[str, str]] = Counter()
        self.first_token = Histogram(_SECONDS)
        self.duration = Histogram(_SECONDS)
        self.overhead = Histogram(_OVERHEAD)

    def count(self, records: Iterable[UsageRecord]) -> None:
        """Inference requests that are over."""
        for record in records:
            self.requests[record.endpoint, record.status] += 1
            self.duration.observe(record.duration_ms / 1000)
            if record.ttft_ms is not None:
                self.first_token.observe(record.ttft_ms / 1000)
            if record.counted_by != "none":
                self.tokens[record.model, "prompt"] += record.prompt_tokens
                self.tokens[record.model, "completion"] += record.completion_tokens


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def exposition(metrics: Metrics, loads: Mapping[str, int], gauges: Mapping[str, int]) -> bytes:
    """The text of ``/metrics``. ``loads``: requests in flight by replica; ``gauges``: further values by name."""
    lines: list[str] = ["# TYPE aimindserve_gateway_requests_total counter"]
    for (endpoint, status), count in sorted(metrics.requests.items()):
        lines.append(f'aimindserve_gateway_requests_total{{endpoint="{endpoint}",status="{status}"}} {count}')
    lines.append("# TYPE aimindserve_gateway_tokens_total counter")
    for (model, kind), count in sorted(metrics.tokens.items()):
        lines.append(f'aimindserve_gateway_tokens_total{{model="{_escaped(model)}",kind="{kind}"}} {count}')
    lines.append("# TYPE aimindserve_gateway_in_flight gauge")
    for replica, count in sorted(loads.items()):
        lines.append(f'aimindserve_gateway_in_flight{{replica="{_escaped(replica)}"}} {count}')
    for name, value in gauges.items():
        kind = "counter" if name.endswith("_total") else "gauge"
        lines += [f"# TYPE aimindserve_gateway_{name} {kind}", f"aimindserve_gateway_{name} {value}"]
    histograms = (
        ("time_to_first_token_seconds", metrics.first_token),
        ("request_duration_seconds", metrics.duration),
        ("overhead_seconds", metrics.overhead),
    )
    for name, histogram in histograms:
        lines.append(f"# TYPE aimindserve_gateway_{name} histogram")
        lines += histogram.lines(f"aimindserve_gateway_{name}")
    return "\n".join(lines).encode() + b"\n"
