"""What starts teach about the estimate: bounded, never below what was measured, not moved by one bad start."""

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain import memory_models as models

from aimindserve.domain.explanations import Why, sentence
from aimindserve.domain.lessons import (
    COUNTED_STARTS,
    HIGHEST,
    LEAST_STARTS,
    LOWEST,
    NOTHING,
    Correction,
    Family,
    Learned,
    Lessons,
    Sample,
    corrected,
    learn,
    ratios_of,
    residual,
)
from aimindserve.domain.measured import TOTAL, DeviceReading, Measurement, Reading, compare, located
from aimindserve.domain.memory import Place
from aimindserve.domain.memory_llama import estimate_llama_cpp
from aimindserve.domain.memory_vllm import estimate_vllm
from aimindserve.domain.nodes import CPU_DEVICE_ID
from aimindserve.domain.runs import LlamaRun, VllmRun
from aimindserve.domain.units import GIB, MIB

RATIOS = st.lists(st.floats(0.01, 100.0), min_size=LEAST_STARTS, max_size=2 * COUNTED_STARTS)
ITEMS = st.sampled_from(["weights", "compute", "vision_compute", "profile", "non_torch"])
ESTIMATE = estimate_llama_cpp(models.QWEN2_VL_7B, LlamaRun(context_tokens=8192))


def known(item: str, ratios: list[float]) -> float:
    factor = residual(item, ratios)
    assert factor is not None
    return factor


@given(ITEMS, RATIOS)
def test_it_is_bounded(item: str, ratios: list[float]) -> None:
    assert LOWEST <= known(item, ratios) <= HIGHEST


@given(ITEMS, RATIOS, st.integers(0, COUNTED_STARTS - 1), st.floats(1.0, 10.0))
def test_it_rises_with_what_was_measured(item: str, ratios: list[float], at: int, factor: float) -> None:
    more = [ratio * factor if place == at else ratio for place, ratio in enumerate(ratios)]
    assert known(item, more) >= known(item, ratios)


@given(ITEMS, RATIOS)
def test_nothing_is_lowered_below_what_a_start_took(item: str, ratios: list[float]) -> None:
    factor = known(item, ratios)
    if factor < 1:
        assert factor >= min(max(ratios[:COUNTED_STARTS]), 1.0)


@given(ITEMS, st.lists(st.floats(0.9, 1.2), min_size=4, max_size=COUNTED_STARTS - 1), st.floats(0.001, 1000.0))
def test_one_bad_start_does_not_swing_it(item: str, good: list[float], bad: float) -> None:
    factor = known(item, [bad, *good])
    assert min(LOWEST, *good) <= factor <= max(1.0, *good) + 0.001


@given(ITEMS, RATIOS, RATIOS)
def test_only_the_newest_count(item: str, ratios: list[float], older: list[float]) -> None:
    newest = (ratios * COUNTED_STARTS)[:COUNTED_STARTS]
    assert residual(item, newest + older) == residual(item, newest)


def test_how_it_is_worked_out() -> None:
    assert residual("compute", [1.2, 1.2]) is None
    assert residual("compute", [1.1, 1.3, 1.2]) == pytest.approx(median([1.1, 1.2, 1.3]))
    assert residual("compute", [0.85, 0.9, 0.88]) == pytest.approx(0.9)
    assert residual("compute", [0.85, 1.1, 0.88]) == 1.0, "one start took more"
    assert residual("vision_compute", [0.5, 0.5, 0.5]) == 1.0, "larger pictures may come"
    assert residual("weights", [1.001, 1.002, 0.999]) == 1.0, "that is rounding"


def test_what_is_learned_from_starts() -> None:
    samples = [Sample("compute", 100 * MIB, size * MIB) for size in (130, 120, 110)]
    samples += [Sample("total", GIB, 2 * GIB), Sample("kv_cache", 1000, 5000), Sample("weights", GIB, GIB)] * 3
    ratios = ratios_of(samples)
    assert ratios["compute"] == (1.3, 1.2, 1.1)
    assert set(ratios) == {"compute", "weights"}, "totals and tiny figures teach nothing"
    assert learn(ratios) == (Correction(item="compute", factor=1.2, starts=3),)


def test_the_estimate_says_what_was_corrected() -> None:
    rise = Correction(item="vision_compute", factor=1.25, starts=5)
    failed = Correction(item="kv_cache", factor=1.25, origin="failed")
    found = corrected(ESTIMATE, (rise, failed))
    before = {item.item: item for item in ESTIMATE.items}
    for item in found.items:
        old = before[item.item]
        factor = 1.25 if item.item in ("vision_compute", "kv_cache") else 1.0
        assert item.bytes == pytest.approx(old.bytes * factor, abs=1)
        assert item.uncorrected == old.bytes
        assert bool(item.corrections) == (factor != 1)
    told = next(item for item in found.items if item.item == "vision_compute").corrections[0]
    assert told.code is Why.CORRECTED_MEASURED
    assert "5 measured starts" in sentence(told, "en")
    assert "5 次实测启动" in sentence(told, "zh")
    assert corrected(ESTIMATE, ()) is ESTIMATE


@given(st.lists(st.builds(Correction, item=ITEMS, factor=st.floats(1.0, HIGHEST)), max_size=4), ITEMS)
def test_a_correction_that_rises_lowers_nothing(corrections: list[Correction], item: str) -> None:
    more = corrected(ESTIMATE, [*corrections, Correction(item=item, factor=1.1)])
    less = corrected(ESTIMATE, corrections)
    assert more.total >= less.total >= ESTIMATE.total
    assert more.high >= less.high >= ESTIMATE.high


def test_what_is_learned_stays_in_the_family() -> None:
    family = Family("vllm", "0.33.0", "Qwen2VLForConditionalGeneration", on_gpu=True)
    rise = (Correction(item="profile", factor=1.2, starts=3),)
    own = Lessons(corrections=(Correction(item="kv_cache", factor=1.25, origin="failed"),), context=2048)
    learned = Learned({family: rise}, own)
    assert learned.about(family) == own.model_copy(update={"corrections": (*rise, *own.corrections)})
    assert learned.about(family._replace(on_gpu=False)) == own
    assert Learned().about(family) == NOTHING


# Estimate against measured


def measurement(*items: DeviceReading, on_gpu: bool = True) -> Measurement:
    engine = "vllm" if on_gpu else "llama.cpp"
    return Measurement(attempt=1, at=1.0, engine=engine, version="1", on_gpu=on_gpu, items=items)


def test_a_figure_stands_for_several_items() -> None:
    estimate = estimate_vllm(models.QWEN2_VL_7B, VllmRun(version="0.33.0", context_tokens=8192, sequences=16))
    sizes = {item.item: item for item in estimate.items}
    readings = [DeviceReading(device_id="GPU-1", item=name, bytes=16 * GIB) for name in ("weights", "profile", "total")]
    weights, profile, total = compare(estimate, measurement(*readings))
    assert weights.estimated == weights.base == sizes["weights"].bytes + sizes["vision_weights"].bytes
    turns = {"activation", "sampler", "encoder_peak", "encoder_cache"} & set(sizes)
    assert profile.estimated == sum(sizes[name].bytes for name in turns)
    assert (total.item, total.estimated, total.high, total.sample) == (TOTAL, estimate.total, estimate.high, None)
    assert weights.sample == Sample("weights", weights.estimated or 0, 16 * GIB)


def test_what_teaches_nothing() -> None:
    estimate = estimate_vllm(models.QWEN2_VL_7B, VllmRun(version="0.33.0", context_tokens=8192, sequences=16))
    coarse = DeviceReading(device_id="GPU-1", item="cuda_graphs", bytes=100 * MIB)
    cache = DeviceReading(device_id="GPU-1", item="kv_cache", bytes=4 * GIB)
    strange = DeviceReading(device_id="GPU-1", item="new_thing", bytes=4 * GIB)
    found = compare(estimate, measurement(coarse, cache, strange))
    assert [one.sample for one in found] == [None, None, None]
    assert [one.estimated is None for one in found] == [False, False, True]


def test_totals_on_the_cpu_and_beside_gpus() -> None:
    estimate = estimate_llama_cpp(models.QWEN2_VL_7B, LlamaRun(context_tokens=8192, gpu=True))
    assert estimate.host_total
    beside = DeviceReading(device_id=CPU_DEVICE_ID, item=TOTAL, bytes=GIB)
    assert compare(estimate, measurement(beside))[0].estimated == estimate.host_total
    on_cpu = compare(ESTIMATE, measurement(beside, on_gpu=False))[0]
    assert on_cpu.estimated == ESTIMATE.total + ESTIMATE.host_total


def test_figures_get_their_devices() -> None:
    readings = [Reading(item="weights", bytes=3), Reading(item="weights", bytes=4)]
    readings.append(Reading(item="weights_host", bytes=5, place=Place.HOST))
    assert located(readings, "GPU-1") == (
        DeviceReading(device_id="GPU-1", item="weights", bytes=7),
        DeviceReading(device_id=CPU_DEVICE_ID, item="weights_host", bytes=5),
    )
