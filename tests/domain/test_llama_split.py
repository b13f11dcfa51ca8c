"""llama.cpp on several GPUs: which layers lie where, and what each GPU then needs."""

import struct
from dataclasses import replace
from itertools import accumulate, combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain import memory_models as models

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.llama_split import balanced_split, layers_by_device
from aimindserve.domain.memory import MemoryItem
from aimindserve.domain.memory_llama import estimate_llama_cpp
from aimindserve.domain.runs import LlamaRun
from aimindserve.domain.units import GIB, MIB

GGUF = st.sampled_from(
    [models.QWEN2_VL_7B_GGUF, models.QWEN2_VL_2B_GGUF, models.MISTRAL_SMALL_Q8, models.GEMMA3_1B, models.COMMAND_R]
)
RUNS = st.builds(
    LlamaRun,
    context_tokens=st.integers(256, 1 << 17),
    slots=st.sampled_from([1, 4]),
    gpu=st.just(True),
    flash_attention=st.booleans(),
    build=st.sampled_from([None, 8000]),
)


def mib(items: tuple[MemoryItem, ...], name: str) -> float:
    return next(item.bytes for item in items if item.item == name) / MIB


def in_32_bits(value: float) -> float:
    return struct.unpack("f", struct.pack("f", value))[0]


@given(counts=st.lists(st.integers(0, 40), min_size=2, max_size=8).filter(lambda counts: sum(counts) > 0))
def test_counts_of_layers_are_shares_that_give_these_counts(counts: list[int]) -> None:
    """Also in llama.cpp's own arithmetic, which has 32 bits."""
    slots = sum(counts)
    assert layers_by_device(slots, counts) == tuple(counts)
    ends = [in_32_bits(in_32_bits(end) / in_32_bits(slots)) for end in accumulate(counts)]
    owners = [next(at for at, end in enumerate(ends) if end > in_32_bits(slot / slots)) for slot in range(slots)]
    assert [owners.count(at) for at in range(len(counts))] == counts


def test_shares_of_any_size_divide_the_layers() -> None:
    assert layers_by_device(41, (1, 1)) == (21, 20)
    assert layers_by_device(29, (3, 1)) == (22, 7)
    assert layers_by_device(5, (0, 1)) == (0, 5)


def test_two_gpus_hold_what_was_logged() -> None:
    """koboldcpp issue 1882: Mistral Small, 8 bits, 150,272 tokens, batches of 4,096 on two cards."""
    run = LlamaRun(150_272, batch_tokens=4096, gpu=True, build=8000, split=(21, 20))
    first, second = estimate_llama_cpp(models.MISTRAL_SMALL_Q8, run).each
    assert mib(first, "weights") == pytest.approx(11826.45, rel=0.001)
    assert mib(second, "weights") == pytest.approx(11380.14, rel=0.001)
    assert (mib(first, "kv_cache"), mib(second, "kv_cache")) == (12327, 11153)
    assert mib(first, "compute") == pytest.approx(12710.31, rel=0.02)


def test_two_gpus_work_with_what_was_logged() -> None:
    """A Gemma 3 of 1B, four slots of one cache, build 9967."""
    run = LlamaRun(4096, slots=4, unified_cache=True, gpu=True, build=9967, split=(13, 14))
    for items in estimate_llama_cpp(models.GEMMA3_1B, run).each:
        assert mib(items, "compute") == pytest.approx(82.07, rel=0.05)


def test_masks_are_kept_for_four_batches_on_each_gpu() -> None:
    """unsloth pull request 7637: 4.0 GiB for 2^20 tokens on four GPUs, 1.0 on one."""
    near = LlamaRun(256, gpu=True)
    for split, gib in (((), 1.0), ((10, 10, 10, 11), 4.0)):
        short, long = (
            estimate_llama_cpp(models.MISTRAL_SMALL_Q8, replace(near, split=split, context_tokens=tokens))
            for tokens in (256, 1 << 20)
        )
        assert (mib(long.items, "compute") - mib(short.items, "compute")) * MIB == pytest.approx(gib * GIB, rel=0.001)


@given(facts=GGUF, run=RUNS, gpus=st.integers(2, 4))
def test_every_layer_lies_on_one_gpu(facts: ModelFacts, run: LlamaRun, gpus: int) -> None:
    split = balanced_split(facts, run, gpus)
    assert (len(split), sum(split)) == (gpus, (facts.layers or 0) + 1)
    one, several = estimate_llama_cpp(facts, run), estimate_llama_cpp(facts, replace(run, split=split))
    for item in ("weights", "kv_cache"):
        whole = sum(line.bytes for items in several.each for line in items if line.item == item)
        assert whole == pytest.approx(sum(line.bytes for line in one.items if line.item == item), abs=gpus)
    seeing = [at for at, items in enumerate(several.each) if any(line.item == "projector" for line in items)]
    assert seeing == ([0] if facts.vision else [])
    assert several.high == max(several.shares)
    assert several.items[: len(several.each[several.shares.index(several.high)])] in several.each


@given(facts=GGUF, run=RUNS)
def test_no_other_split_on_two_gpus_needs_less(facts: ModelFacts, run: LlamaRun) -> None:
    """But for what margins add: less than a layer."""
    layers = facts.layers or 0
    found = estimate_llama_cpp(facts, replace(run, split=balanced_split(facts, run, 2))).high
    every = [estimate_llama_cpp(facts, replace(run, split=(n, layers + 1 - n))) for n in range(layers + 1)]
    layer = (every[-1].shares[0] - every[0].shares[0]) / layers
    assert found <= min(one.high for one in every) + layer


def test_three_gpus_are_balanced_too() -> None:
    facts, run = models.QWEN2_VL_7B_GGUF, LlamaRun(8192, gpu=True)
    cuts = combinations_with_replacement(range(29), 2)
    best = min(estimate_llama_cpp(facts, replace(run, split=(a, b - a, 29 - b))).high for a, b in cuts)
    assert estimate_llama_cpp(facts, replace(run, split=balanced_split(facts, run, 3))).high <= 1.02 * best
