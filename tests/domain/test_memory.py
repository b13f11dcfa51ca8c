"""Memory of llama.cpp, against published measurements (numbers of issues and pull requests in the rows)."""

import pytest
from tests.domain import memory_models as models

from aimindserve.domain.explanations import Why
from aimindserve.domain.facts import CacheGroup, CacheKind, ModelFacts, ModelPart, WeightGroup
from aimindserve.domain.memory import MemoryEstimate, Place, memory_item
from aimindserve.domain.memory_cache import llama_cache_bytes
from aimindserve.domain.memory_llama import (
    estimate_llama_cpp,
    llama_compute_bytes,
    llama_copied_bytes,
    projector_bytes,
)
from aimindserve.domain.memory_vision import llama_picture, llama_vision_bytes
from aimindserve.domain.runs import LlamaRun
from aimindserve.domain.units import GIB, KIB, MIB, format_bytes, parse_count

OLD = 8000
QWEN25 = {"kind": "qwen2.5vl_merger", "feed_forward_size": 3420, "merge_size": 2}
QWEN3 = {"width": 1024, "feed_forward_size": 4096, "patch_size": 16, "merge_size": 2}
GEMMA3 = {"kind": "gemma3", "width": 1152, "feed_forward_size": 4304, "image_size": 896}


def sizes(estimate: MemoryEstimate) -> dict[str, int]:
    return {item.item: item.bytes for item in estimate.items}


def near(found: float, measured: float, tolerance: float) -> bool:
    return abs(found - measured) <= tolerance * measured


@pytest.mark.parametrize(
    ("facts", "run", "measured"),
    [
        (models.QWEN2_VL_7B_GGUF, LlamaRun(4096), 224 * MIB),  # llama.cpp 10973
        (models.COMMAND_R, LlamaRun(4096), 5120 * MIB),  # llama.cpp 6122
        (models.MISTRAL_7B, LlamaRun(2048), 256 * MIB),  # ollama 2706
        (models.PHI_3_5, LlamaRun(131_072), 48 * GIB),
        (models.LLAMA_3_2, LlamaRun(2048), 656.2 * MIB),  # ollama 9311
        (models.QWEN2_VL_2B_GGUF, LlamaRun(32768), 0.875 * GIB),
    ],
)
def test_the_cache_is_as_measured(facts: ModelFacts, run: LlamaRun, measured: float) -> None:
    assert near(llama_cache_bytes(facts, run), measured, 0.0005)


def test_the_cache_is_padded_and_shared_among_slots() -> None:
    def cache(**values: int | bool) -> float:
        return llama_cache_bytes(models.QWEN2_VL_7B_GGUF, LlamaRun(**values))  # type: ignore[arg-type]

    assert cache(context_tokens=1) == cache(context_tokens=256) == 256 * 56 * KIB
    assert cache(context_tokens=4096, slots=4) == cache(context_tokens=4096)
    assert cache(context_tokens=1000, slots=4) == cache(context_tokens=1024)
    assert cache(context_tokens=1030, slots=4) == 2 * cache(context_tokens=1024)
    assert cache(context_tokens=1030, slots=4, unified_cache=True) == cache(context_tokens=1280)


def test_quantised_caches() -> None:
    run = LlamaRun(4096, cache_types=("q8_0", "q4_0"))
    assert llama_cache_bytes(models.QWEN2_VL_7B_GGUF, run) == 112 * MIB * (34 + 18) / 64


def test_layers_with_a_window_a_state_or_one_latent_vector() -> None:
    def cache(group: CacheGroup, **values: int | bool) -> float:
        run = LlamaRun(32768, **values)  # type: ignore[arg-type]
        return llama_cache_bytes(models.model("gemma3", caches=(group,)), run)

    window = CacheGroup(kind=CacheKind.SLIDING, layers=10, kv_heads=1, key_size=64, value_size=64, window=1000)
    assert cache(window) == 10 * 256 * 1536
    assert cache(window, slots=4, unified_cache=True) == 10 * 256 * 4608
    assert cache(window, slots=4) == 10 * 256 * 1536 * 4
    state = CacheGroup(kind=CacheKind.STATE, layers=10, state_bytes=1000)
    assert cache(state, slots=3, unified_cache=True) == 30_000
    latent = CacheGroup(kind=CacheKind.LATENT, layers=61, latent_size=576)
    assert cache(latent) == 61 * 576 * 2 * 32768


@pytest.mark.parametrize(
    ("facts", "run", "measured_mib"),
    [
        (models.QWEN2_VL_7B_GGUF, LlamaRun(4096, build=OLD), 304.75),
        (models.model("qwen35", vocabulary_size=248_320, embedding_size=2560, heads=16), LlamaRun(4096, build=OLD),
         490.0),  # llama.cpp 22673
        (models.MISTRAL_7B, LlamaRun(2048, flash_attention=False, build=OLD), 164.01),  # ollama 2706
    ],
)  # fmt: skip
def test_working_memory_is_as_measured(facts: ModelFacts, run: LlamaRun, measured_mib: float) -> None:
    assert near(llama_compute_bytes(facts, run) / MIB, measured_mib, 0.005)


def test_working_memory_without_layers_on_the_gpu() -> None:
    """llama.cpp 10973."""
    run = LlamaRun(4096, gpu=True, gpu_layers=0, build=OLD)
    found = llama_compute_bytes(models.QWEN2_VL_7B_GGUF, run) + llama_copied_bytes(models.QWEN2_VL_7B_GGUF, run)
    assert near(found / MIB, 744.25, 0.001)
    assert llama_copied_bytes(models.QWEN2_VL_7B_GGUF, LlamaRun(4096, gpu=True)) == 0


def test_newer_builds_reserve_logits_for_the_slots_alone() -> None:
    old, new = (llama_compute_bytes(models.QWEN2_VL_7B_GGUF, LlamaRun(4096, slots=4, build=b)) for b in (9000, 9900))
    assert new < old / 2
    assert llama_compute_bytes(models.QWEN2_VL_7B_GGUF, LlamaRun(4096, slots=4)) == new


@pytest.mark.parametrize(
    ("values", "tokens", "flash", "measured_mib"),
    [
        ({"kind": "mlp", "width": 1024, "feed_forward_size": 4096, "image_size": 336}, None, False, 32.89),
        ({"kind": "qwen2vl_merger", "merge_size": 2}, 400, False, 198.93),
        ({"kind": "qwen2vl_merger", "merge_size": 2}, 10764, False, 114_296.55),
        ({"kind": "qwen2vl_merger", "merge_size": 2}, 2116, False, 4598),
        ({"kind": "qwen2vl_merger", "merge_size": 2}, 2116, True, 267),
        ({"kind": "qwen2vl_merger", "merge_size": 2}, 4096, True, 517),
        (QWEN25, 2116, False, 4872),
        (QWEN25, 2116, True, 705),
        ({"kind": "qwen3vl_merger", "deepstack_levels": 3, **QWEN3}, 2116, False, 4728),
        ({"kind": "qwen3vl_merger", "deepstack_levels": 3, **QWEN3}, 2116, True, 323),
        ({"kind": "qwen3vl_merger", **QWEN3}, 2116, True, 223.30),
        (GEMMA3, None, False, 1132),
        (GEMMA3, None, True, 121),
    ],
)  # fmt: skip
def test_the_vision_tower_is_as_measured(
    values: dict[str, object], tokens: int | None, flash: bool, measured_mib: float
) -> None:
    """ollama 2706, llama.cpp 10973, 12586 and 22673, gguf-parser-go 44."""
    facts = models.tower(**values)  # type: ignore[arg-type]
    found = llama_vision_bytes(facts, LlamaRun(4096, flash_attention=flash, image_tokens=tokens))
    assert near(found / MIB, measured_mib, 0.01)


def test_the_largest_picture() -> None:
    picture = llama_picture(models.QWEN2_VL_7B_GGUF, LlamaRun(4096))
    assert picture is not None
    assert (picture.tokens, picture.patches) == (4096, 16384)
    assert llama_picture(models.MISTRAL_7B, LlamaRun(4096)) is None
    nothing = models.tower("new", width=None)
    assert llama_vision_bytes(nothing, LlamaRun(4096)) == 0


@pytest.mark.parametrize(
    ("facts", "measured_mib"),
    [
        (models.QWEN2_VL_7B_GGUF, 2577.82),
        (models.QWEN2_VL_2B_GGUF, 1331656192 / MIB),
        (
            models.QWEN2_VL_2B_GGUF.model_copy(
                update={"weights": (models.weights(ModelPart.VISION, 1_331_656_192 // 2, "F32"),)}
            ),
            2537.81,
        ),
    ],
)
def test_projectors_are_as_measured(facts: ModelFacts, measured_mib: float) -> None:
    """llama.cpp 10973, gpustack 998."""
    assert near(projector_bytes(facts) / MIB, measured_mib, 0.001)


@pytest.mark.parametrize(("flash", "gib"), [(True, 3.3), (False, 7.6)])
def test_the_device_total_of_the_guides_model(flash: bool, gib: float) -> None:
    run = LlamaRun(8192, gpu=True, flash_attention=flash, image_tokens=2116, build=OLD)
    estimate = estimate_llama_cpp(models.QWEN2_VL_2B_GGUF, run)
    assert near(estimate.total, gib * GIB, 0.03)
    assert estimate.total <= estimate.high <= 1.08 * estimate.total
    assert estimate.certain


def test_the_estimate_lists_what_it_adds_up() -> None:
    estimate = estimate_llama_cpp(models.QWEN2_VL_7B_GGUF, LlamaRun(8192))
    names = ["weights", "projector", "kv_cache", "compute", "vision_compute", "overhead"]
    assert [item.item for item in estimate.items] == names
    assert estimate.total == sum(item.bytes for item in estimate.items)
    assert estimate.host_total == 0
    text = models.QWEN2_VL_7B_GGUF.model_copy(update={"vision": None, "weights": (), "weight_bytes": 4 * GIB})
    items = [item.item for item in estimate_llama_cpp(text, LlamaRun(8192)).items]
    assert items == ["weights", "kv_cache", "compute", "overhead"]
    assert all(item.source for item in estimate.items)


def test_layers_are_offloaded_from_the_last() -> None:
    facts = models.QWEN2_VL_7B_GGUF
    whole = sizes(estimate_llama_cpp(facts, LlamaRun(8192, gpu=True)))
    part = sizes(estimate_llama_cpp(facts, LlamaRun(8192, gpu=True, gpu_layers=15)))
    none = sizes(estimate_llama_cpp(facts, LlamaRun(8192, gpu=True, gpu_layers=0)))
    embedding, output = (
        next(group.bytes for group in facts.weights if group.part is wanted)
        for wanted in (ModelPart.EMBEDDING, ModelPart.OUTPUT)
    )
    assert whole["weights_host"] == embedding
    assert 2 * (part["weights"] - output) == pytest.approx(whole["weights"] - output, abs=2)
    assert part["kv_cache"] == part["kv_cache_host"] == whole["kv_cache"] / 2
    assert none["weights"] == none["kv_cache"] == 0
    assert part["compute"] > whole["compute"]


def test_a_tied_output_is_a_second_copy_on_the_gpu() -> None:
    cpu, gpu = (
        sizes(estimate_llama_cpp(models.QWEN2_VL_2B_GGUF, LlamaRun(4096, gpu=gpu)))["weights"] for gpu in (False, True)
    )
    assert cpu == gpu


def test_the_projector_beside_the_gpu() -> None:
    estimate = estimate_llama_cpp(models.QWEN2_VL_7B_GGUF, LlamaRun(4096, gpu=True, projector_on_gpu=False))
    places = {item.item: item.place for item in estimate.items}
    assert places["projector"] is places["vision_compute"] is Place.HOST
    assert estimate.host_high >= estimate.host_total > projector_bytes(models.QWEN2_VL_7B_GGUF)


def test_finished_prompts_are_a_limit_of_the_machines_memory() -> None:
    plain, kept = (
        estimate_llama_cpp(models.MISTRAL_7B, LlamaRun(4096, prompt_cache_bytes=size)) for size in (0, 8 * GIB)
    )
    assert (kept.high, kept.host_total) == (plain.high, plain.host_total)
    assert kept.host_high == plain.host_high + 8 * GIB


def test_an_unknown_model_has_a_wide_interval() -> None:
    known = estimate_llama_cpp(models.QWEN2_VL_7B_GGUF, LlamaRun(8192))
    strange = models.QWEN2_VL_7B_GGUF.model_copy(
        update={"architecture": "new-thing", "head_size": None, "vision": None, "projector_bytes": GIB}
    )
    estimate = estimate_llama_cpp(strange, LlamaRun(8192))
    assert known.certain
    assert not estimate.certain
    assert estimate.high - estimate.total > 5 * (known.high - known.total)
    assert sizes(estimate)["kv_cache"] > 0


def test_margins_add_up_as_a_root_of_squares() -> None:
    pairs = ((10, 13), (20, 24), (5, 4))
    items = [memory_item("a", low, high, "s", why=Why.MEMORY_COMPUTE) for low, high in pairs]
    host = memory_item("b", 7, 9, "s", why=Why.MEMORY_COMPUTE, place=Place.HOST)
    estimate = MemoryEstimate(items=(*items, host))
    assert (estimate.total, estimate.high, estimate.host_total, estimate.host_high) == (35, 40, 7, 9)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (int(1.5 * GIB), "1.5 GiB"),
        (3 << 40, "3.0 TiB"),
        (-2048, "-2.0 KiB"),
    ],
)
def test_bytes_are_written_in_binary_units(count: int, text: str) -> None:
    assert format_bytes(count) == text


def test_counts_are_read_as_people_write_them() -> None:
    assert [parse_count(text) for text in ("7B", " 500m", "1.5 k", "2000", "1T")] == [
        *(7_000_000_000, 500_000_000, 1500, 2000, 10**12)
    ]
    for text in ("", "B", "-1", "7 billions", "1e9", "NaN"):
        with pytest.raises(ValueError, match="write it like"):
            parse_count(text)


@pytest.mark.parametrize(("tokens", "measured_mib"), [(32_000, 46.9), (152_000, 97.4), (262_144, 144.6)])
def test_the_program_is_as_measured(tokens: int, measured_mib: float) -> None:
    """Resident beside the buffers, with models of one vocabulary each (docs/measurements.md)."""
    facts = models.model("llama", layers=2, embedding_size=64, heads=2, head_size=32, vocabulary_size=tokens)
    (item,) = [one for one in estimate_llama_cpp(facts, LlamaRun(1024)).items if one.item == "overhead"]
    assert near(item.bytes / MIB, measured_mib, 0.06)
    assert item.high / MIB > measured_mib


@pytest.mark.parametrize(
    ("run", "measured_mib"),
    [
        (LlamaRun(512), 7.52),
        (LlamaRun(8192), 15.02),
        (LlamaRun(8192, slots=2), 11.0),
        (LlamaRun(8192, slots=4), 9.02),
        (LlamaRun(8192, batch_tokens=128), 3.76),
        (LlamaRun(8192, flash_attention=False), 83.52),
    ],
)
def test_working_memory_is_as_the_demo_model_has_it(run: LlamaRun, measured_mib: float) -> None:
    """The embedded server 2026.10.11549 on the CPU, as its log says."""
    facts = models.model("llama", layers=4, embedding_size=256, feed_forward_size=768, heads=4, vocabulary_size=1024)
    assert near(llama_compute_bytes(facts, run) / MIB, measured_mib, 0.02)


@pytest.mark.parametrize(("bits", "gib"), [(4.91, 4.36), (8.5, 7.54)])
def test_files_are_as_large_as_their_weights(bits: float, gib: float) -> None:
    """Qwen2-VL-7B in two quantizations (llama.cpp 13165, 11638)."""
    group = WeightGroup(part=ModelPart.LAYERS, dtype="packed", elements=1, bytes=round(7_615_616_512 * bits / 8))
    facts = models.QWEN2_VL_7B_GGUF.model_copy(update={"vision": None, "weights": (group,)})
    assert near(sizes(estimate_llama_cpp(facts, LlamaRun(4096)))["weights"], gib * GIB, 0.005)
