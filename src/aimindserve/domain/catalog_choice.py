"""Which variant of a family is best for the machines that are there."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from aimindserve.domain.reasons import Language
from aimindserve.domain.units import format_bytes

# Parameters that a token passes: with more of them a CPU answers slower than people read.
CPU_PARAMETERS = 4_500_000_000


class Pick(StrEnum):
    """Why a variant was chosen."""

    GPU_WHOLE = "gpu_whole"
    GPU_PACKED = "gpu_packed"
    PARTLY = "partly"
    CPU = "cpu"
    CPU_SLOW = "cpu_slow"
    WAITS = "waits"
    NONE = "none"
    NOTHING_THERE = "nothing_there"


_TEXTS: dict[Pick, tuple[str, str]] = {
    Pick.GPU_WHOLE: (
        "The largest that your GPUs hold now, in full precision: about {memory}.",
        "您的 GPU 目前能容纳的最大规格，全精度，约占 {memory}。",
    ),
    Pick.GPU_PACKED: (
        "The largest that your GPUs hold now: in {bits} bits it takes about {memory}.",
        "您的 GPU 目前能容纳的最大规格：{bits} 位量化后约占 {memory}。",
    ),
    Pick.PARTLY: (
        "Some of its layers fit on the GPU, in about {memory}; the rest runs on the CPU, so answers come slower.",
        "GPU 只能容纳部分层，约占 {memory}；其余层在 CPU 上运行，回答较慢。",
    ),
    Pick.CPU: (
        "It runs on the CPU, in about {memory}; larger ones would answer slower than people read.",
        "在 CPU 上运行，约占 {memory}；更大的规格会比阅读速度还慢。",
    ),
    Pick.CPU_SLOW: (
        "The smallest that runs on the CPU, in about {memory}. Expect slow answers.",
        "可在 CPU 上运行的最小规格，约占 {memory}，回答会较慢。",
    ),
    Pick.WAITS: (
        "It would fit, but other deployments hold the memory now: {message}",
        "可以容纳，但内存目前被其他部署占用：{message}",
    ),
    Pick.NONE: ("It cannot run here now: {message}", "目前无法在此运行：{message}"),
    Pick.NOTHING_THERE: ("Nothing of it lies on this hub.", "该平台上没有此系列的模型。"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A variant and how it fits. ``active``: parameters that a token passes; ``gpus`` that hold it (0: it runs on the
    CPU), or ``partly`` only some of it; ``memory``: bytes that it claims on each device where it fits; ``message``: why
    it does not."""

    parameters: int
    active: int
    bits: int
    engine: str
    verdict: Literal["fits", "waits", "no"]
    gpus: int = 0
    partly: bool = False
    memory: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """``index`` of the chosen candidate, None when there is none at all; and why."""

    index: int | None
    pick: Pick
    why: str = ""


def choose(candidates: Sequence[Candidate], language: Language) -> Choice:
    """The best of ``candidates``; of equal ones the first.

    On GPUs the one with most parameters, then with most bits, vLLM before llama.cpp (it answers many at a time). On
    the CPU, or partly on it, the largest that still answers as fast as people read, in few bits, rather with a GPU than
    without. What fits goes before what waits, and where nothing fits the smallest stands for the family.
    """
    ranked = sorted(range(len(candidates)), key=lambda index: _rank(candidates[index]))
    if not ranked:
        return Choice(None, Pick.NOTHING_THERE, pick_text(Pick.NOTHING_THERE, None, language))
    best = candidates[ranked[0]]
    pick = _pick(best)
    return Choice(ranked[0], pick, pick_text(pick, best, language))


def _rank(candidate: Candidate) -> tuple[int, ...]:
    many = 0 if candidate.engine == "vllm" else 1
    if candidate.verdict == "fits" and candidate.gpus and not candidate.partly:
        return (0, -candidate.parameters, -candidate.bits, many)
    if candidate.verdict == "fits":
        quick = candidate.active <= CPU_PARAMETERS
        size = -candidate.parameters if quick else candidate.active
        return (1, 0 if quick else 1, 0 if candidate.partly else 1, size, candidate.bits)
    if candidate.verdict == "waits":
        return (2, -candidate.parameters, -candidate.bits, many)
    return (3, candidate.parameters, candidate.bits, many)


def _pick(best: Candidate) -> Pick:
    if best.verdict != "fits":
        return Pick.WAITS if best.verdict == "waits" else Pick.NONE
    if best.partly:
        return Pick.PARTLY
    if best.gpus:
        return Pick.GPU_WHOLE if best.bits >= 16 else Pick.GPU_PACKED
    return Pick.CPU if best.active <= CPU_PARAMETERS else Pick.CPU_SLOW


def pick_text(pick: Pick, best: Candidate | None, language: Language) -> str:
    """Why, in words."""
    text = _TEXTS[pick][1 if language == "zh" else 0]
    if best is None:
        return text
    memory = format_bytes(best.memory or 0)
    if best.gpus > 1:
        memory = f"{best.gpus} × {memory}"
    return text.format(memory=memory, bits=best.bits, message=best.message)
