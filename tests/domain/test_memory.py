"""Memory estimates, against published measurements."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.facts import ModelFacts, ModelFormat, VisionFacts
from aimindserve.domain.memory import (
    compute_bytes,
    estimate_llama_cpp,
    kv_cache_bytes,
    vision_compute_bytes,
    vision_patches,
)
from aimindserve.domain.units import GIB, KIB, MIB, format_bytes

TOWER = VisionFacts(
    kind="qwen2vl_merger", width=1280, feed_forward_size=5120, heads=16, layers=32, patch_size=14, merge_size=2
)
QWEN2_VL_7B = ModelFacts(
    format=ModelFormat.GGUF,
    architecture="qwen2vl",
    name="Qwen2-VL-7B",
    files=(),
    layers=28,
    heads=28,
    kv_heads=4,
    head_size=128,
    embedding_size=3584,
    feed_forward_size=18944,
    vocabulary_size=152064,
    weight_bytes=4 * GIB,
    projector_bytes=1289 * MIB,
    vision=TOWER,
)
PHI_3_5 = QWEN2_VL_7B.model_copy(update={"layers": 32, "heads": 32, "kv_heads": 32, "head_size": 96})
COMMAND_R = QWEN2_VL_7B.model_copy(update={"layers": 40, "heads": 64, "kv_heads": 64, "head_size": 128})


@pytest.mark.parametrize(
    ("facts", "tokens", "measured"),
    [
        (QWEN2_VL_7B, 4096, 224 * MIB),  # llama.cpp issue 10973
        (COMMAND_R, 4096, 5120 * MIB),  # llama.cpp pull request 6122
        (PHI_3_5, 131_072, 48 * GIB),
    ],
)
def test_the_cache_is_as_measured(facts: ModelFacts, tokens: int, measured: int) -> None:
    assert kv_cache_bytes(facts, tokens) == measured


def test_the_cache_is_padded_and_counts_keys_and_values_apart() -> None:
    assert kv_cache_bytes(QWEN2_VL_7B, 1) == kv_cache_bytes(QWEN2_VL_7B, 256) == 256 * 56 * KIB
    half = QWEN2_VL_7B.model_copy(update={"value_size": 64})
    assert 4 * kv_cache_bytes(half, 256) == 3 * kv_cache_bytes(QWEN2_VL_7B, 256)
    unknown = QWEN2_VL_7B.model_copy(update={"head_size": None})
    assert kv_cache_bytes(unknown, 4096) == 0


def test_working_memory_is_as_measured() -> None:
    """304.75 MiB in llama.cpp's log of Qwen2-7B."""
    assert abs(compute_bytes(QWEN2_VL_7B) / MIB - 304.75) < 1
    assert compute_bytes(QWEN2_VL_7B, 4096) == compute_bytes(QWEN2_VL_7B) + 512 * 4096 * 4


@pytest.mark.parametrize(("tokens", "measured_mib"), [(2116, 267.0), (4096, 517.0)])
def test_the_vision_tower_is_as_measured(tokens: int, measured_mib: float) -> None:
    """gguf-parser-go issue 44, and llama.cpp's own cap of 4,096 tokens."""
    facts = QWEN2_VL_7B.model_copy(update={"image_tokens_max": tokens})
    assert vision_patches(facts) == 4 * tokens
    assert abs(vision_compute_bytes(facts) / MIB - measured_mib) < 1


def test_towers_with_one_picture_size() -> None:
    clip = TOWER.model_copy(update={"merge_size": None, "image_size": 336, "width": 1024, "feed_forward_size": 4096})
    assert vision_patches(QWEN2_VL_7B.model_copy(update={"vision": clip})) == 24 * 24
    nothing = QWEN2_VL_7B.model_copy(update={"vision": VisionFacts(kind="new")})
    assert vision_compute_bytes(nothing) == vision_patches(nothing) == 0


def test_the_estimate_lists_what_it_adds_up() -> None:
    estimate = estimate_llama_cpp(QWEN2_VL_7B, 8192)
    assert [item.item for item in estimate.items] == [
        "weights", "projector", "kv_cache", "compute", "vision_compute", "overhead",
    ]  # fmt: skip
    assert estimate.total == sum(item.bytes for item in estimate.items)
    text = QWEN2_VL_7B.model_copy(update={"vision": None, "projector_bytes": 0})
    assert [item.item for item in estimate_llama_cpp(text, 8192).items] == [
        "weights",
        "kv_cache",
        "compute",
        "overhead",
    ]


@given(tokens=st.integers(1, 1 << 20), more=st.integers(1, 1 << 20))
def test_more_context_never_needs_less(tokens: int, more: int) -> None:
    assert estimate_llama_cpp(QWEN2_VL_7B, tokens + more).total >= estimate_llama_cpp(QWEN2_VL_7B, tokens).total


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
