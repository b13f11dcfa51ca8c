"""Which variant of a family is best."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.catalog_choice import _TEXTS, CPU_PARAMETERS, Candidate, Pick, choose

B = 10**9
GIB = 2**30


def at(parameters: int, bits: int, engine: str = "vllm", **more: object) -> Candidate:
    told = {"active": parameters, "verdict": "fits", "gpus": 1, "memory": parameters * bits // 8, **more}
    return Candidate(parameters=parameters, bits=bits, engine=engine, **told)  # type: ignore[arg-type]


NO = {"verdict": "no", "gpus": 0, "memory": None}


def test_on_gpus_the_largest_then_the_most_bits_then_vllm() -> None:
    found = choose([at(7 * B, 16), at(72 * B, 4, "llama.cpp"), at(72 * B, 4), at(72 * B, 16, **NO)], "en")
    assert (found.index, found.pick) == (2, Pick.GPU_PACKED)
    assert found.why == "The largest that your GPUs hold now: in 4 bits it takes about 33.5 GiB."
    assert choose([at(7 * B, 4), at(7 * B, 16)], "zh").pick is Pick.GPU_WHOLE
    assert choose([at(7 * B, 16, gpus=2)], "zh").why == "您的 GPU 目前能容纳的最大规格，全精度，约占 2 × 13.0 GiB。"


def test_a_small_one_on_the_gpu_goes_before_a_large_one_on_the_cpu() -> None:
    assert choose([at(72 * B, 4, gpus=0), at(2 * B, 16)], "en").index == 1


def test_on_the_cpu_the_largest_that_answers_fast_enough_in_few_bits() -> None:
    slow = [at(8 * B, 4, gpus=0), at(32 * B, 4, gpus=0)]
    assert (choose(slow, "en").index, choose(slow, "en").pick) == (0, Pick.CPU_SLOW)
    quick = [*slow, at(2 * B, 4, gpus=0), at(4 * B, 8, gpus=0), at(4 * B, 4, gpus=0)]
    assert (choose(quick, "en").index, choose(quick, "en").pick) == (4, Pick.CPU)
    mixed = [*quick, at(30 * B, 4, gpus=0, active=3 * B)]
    assert choose(mixed, "en").index == 5


def test_a_part_on_the_gpu_is_not_told_as_the_cpu() -> None:
    partly = at(8 * B, 4, "llama.cpp", partly=True, memory=6 * GIB)
    found = choose([at(8 * B, 4, gpus=0), partly], "en")
    assert (found.index, found.pick) == (1, Pick.PARTLY)
    assert "the rest runs on the CPU" in found.why
    assert "6.0 GiB" in found.why
    assert choose([partly, at(2 * B, 16)], "en").index == 1, "all of a smaller one goes before"
    assert choose([partly, at(4 * B, 4, gpus=0)], "en").index == 1, "answers that are fast enough too"


def test_what_fits_goes_before_what_waits_and_that_before_the_rest() -> None:
    waits = at(70 * B, 16, verdict="waits", memory=None, message="Held by a.")
    assert choose([at(7 * B, 16, **NO), waits, at(1 * B, 4, gpus=0)], "en").index == 2
    found = choose([at(7 * B, 16, **NO), waits], "en")
    assert (found.index, found.why) == (1, "It would fit, but other deployments hold the memory now: Held by a.")
    none = choose([at(70 * B, 16, **NO), at(7 * B, 4, **NO, message="Too large.")], "en")
    assert (none.index, none.why) == (1, "It cannot run here now: Too large.")
    assert choose([], "en").index is None


@pytest.mark.parametrize("pick", Pick)
def test_every_reason_has_both_languages_with_the_same_values(pick: Pick) -> None:
    english, chinese = ({name for _, name, _, _ in string.Formatter().parse(text) if name} for text in _TEXTS[pick])
    assert english == chinese


CANDIDATES = st.builds(
    Candidate,
    parameters=st.integers(1, 100).map(lambda count: count * B),
    active=st.integers(1, 100).map(lambda count: count * B),
    bits=st.sampled_from([3, 4, 8, 16]),
    engine=st.sampled_from(["vllm", "llama.cpp"]),
    verdict=st.sampled_from(["fits", "waits", "no"]),
    gpus=st.integers(0, 8),
    partly=st.booleans(),
)


@given(st.lists(CANDIDATES, min_size=1, max_size=8))
def test_never_worse_than_another(candidates: list[Candidate]) -> None:
    chosen = choose(candidates, "en")
    assert chosen.index is not None
    best = candidates[chosen.index]
    order = ["fits", "waits", "no"]
    assert order.index(best.verdict) == min(order.index(one.verdict) for one in candidates)
    if best.verdict == "fits" and (best.partly or not best.gpus):
        assert not any(one.verdict == "fits" and one.gpus and not one.partly for one in candidates)
    if best.verdict == "fits" and (best.partly or not best.gpus) and best.active > CPU_PARAMETERS:
        assert not any(one.verdict == "fits" and one.active <= CPU_PARAMETERS for one in candidates)
