"""Figures over time: nothing is lost within the span, nothing is kept beyond it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.history import MOST_MODELS, STEP_SECONDS, STEPS, History, Span
from aimindserve.domain.nodes import Device, DeviceKind
from aimindserve.domain.usage import UsageRecord

NOW = 1_790_000_010.0


def record(at: float, model: str = "m", **values: object) -> UsageRecord:
    fields = {"status": 200, "prompt_tokens": 10, "completion_tokens": 11, "duration_ms": 1100.0, "ttft_ms": 100.0}
    return UsageRecord(
        request_id=f"{model} {at}", started_at=at, endpoint="chat", model=model, deployment_id="d", replica_id="r",
        user_id="u", key_id=None, **fields | values,
    )  # fmt: skip


@given(st.lists(st.floats(0, STEPS[Span.HOUR] * STEP_SECONDS[Span.HOUR] - 31), max_size=60), st.randoms())
def test_every_request_of_the_span_is_counted_once_in_any_order(ages: list[float], chance: object) -> None:
    history = History()
    records = [record(NOW - age, "ab"[index % 2]) for index, age in enumerate(ages)]
    chance.shuffle(records)  # type: ignore[attr-defined]
    history.count(records)
    for span in Span:
        points = history.traffic_points(span, NOW)
        assert len(points) == STEPS[span]
        assert sum(point.requests for point in points) == len(ages)
        of_models = [history.traffic_points(span, NOW, model) for model in "ab"]
        assert sum(point.requests for points in of_models for point in points) == len(ages)


@given(st.lists(st.floats(-1e6, 1e6), max_size=300))
def test_it_stays_small_whatever_the_clocks_say(offsets: list[float]) -> None:
    history = History()
    history.count(record(NOW + offset) for offset in offsets)
    for span in Span:
        for track in history.traffic.values():
            assert len(track.buckets[span]) <= STEPS[span]


def test_rates_and_times() -> None:
    history = History()
    history.count([record(NOW), record(NOW, ttft_ms=200.0), record(NOW, status=500, ttft_ms=None, completion_tokens=0)])
    last = history.traffic_points(Span.HOUR, NOW)[-1]
    assert (last.requests, last.failed, last.requests_per_second) == (3, 1, 0.1)
    assert last.completion_tokens_per_second == 22 / 30
    for told, true in ((last.ttft_p50_ms, 100), (last.ttft_p95_ms, 200)):
        assert told is not None
        assert abs(told / true - 1) < 0.1
    assert last.tokens_per_second == pytest.approx(20 / 1.9)
    empty = history.traffic_points(Span.HOUR, NOW)[0]
    assert (empty.requests, empty.ttft_p50_ms, empty.tokens_per_second, empty.in_flight) == (0, None, None, None)


def test_models_that_are_silent_make_room() -> None:
    history = History()
    for number in range(MOST_MODELS + 5):
        history.count([record(NOW + 60 * number, f"m{number}")])
    assert len(history.traffic) == MOST_MODELS
    assert "m4" not in history.traffic
    assert "m5" in history.traffic


def test_loads_and_devices_are_means() -> None:
    history = History()
    for running, waiting in ((2, 0), (4, 3)):
        history.note_loads(NOW, running, waiting)
    last = history.traffic_points(Span.DAY, NOW)[-1]
    assert (last.in_flight, last.waiting) == (3, 1.5)
    assert history.traffic_points(Span.DAY, NOW, "m")[-1].in_flight is None
    for free, busy in ((60, None), (40, 50.0)):
        gpu = Device(
            id="g", kind=DeviceKind.NVIDIA, name="G", memory_total=100, memory_free=free, allocatable=100,
            utilization=busy,
        )  # fmt: skip
        history.note_devices(NOW, "n", [gpu])
    point = history.device_points(Span.HOUR, NOW, "n", "g")[-1]
    assert (point.used, point.utilization, point.power_w) == (50, 50.0, None)
    assert history.device_points(Span.HOUR, NOW, "n", "other")[-1].used is None
