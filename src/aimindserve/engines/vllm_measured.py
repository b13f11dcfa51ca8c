"""The memory that vLLM writes into its log, and which step of its start found no room.

Wordings of 0.6.3 and 0.10.2 (published logs), 0.32 (source and runs) and 0.33 (source)."""

import re
from collections.abc import Callable, Sequence

from aimindserve.domain.measured import LogReadings, Reading
from aimindserve.domain.relief import UNKNOWN
from aimindserve.domain.units import GIB

_SIZE = r"([\d.]+) ?Gi?B"
# Workers of several GPUs write the same line each: the largest counts.
_LOADED = re.compile(rf"(?:Model loading|Loading model weights|model weights) (?:took|takes|take) {_SIZE}")
_CACHE = re.compile(
    rf"Available KV cache memory: {_SIZE}|reserved {_SIZE} memory for KV Cache"
    rf"|Explicitly set \(([\d.]+)/[\d.]+\) GiB for KV cache|Auto set \(([\d.]+)/[\d.]+\) GiB for KV cache"
    rf"|reserved for KV Cache is {_SIZE}"
)
_TOKENS = re.compile(r"KV cache size: ([\d,]+) tokens|# (?:GPU|cuda|CPU) blocks: (\d+)")
_GRAPHS = re.compile(rf"Graph capturing finished in [\d.]+ secs?, took {_SIZE}")
_GRAPH_POOL = re.compile(r"CUDA graph pool memory: ([\d.]+) GiB \(actual\)")
# V0, and debug output of V1.
_V0 = re.compile(rf"non_torch_memory takes {_SIZE}; PyTorch activation peak memory takes {_SIZE}")
# V1 after its own profile run: weights and the rest together, then the peak (with graphs from 0.21 on).
_USED = re.compile(
    r"Actual usage is ([\d.]+) GiB for (weight|consumed memory \(weights \+ non-torch\)), "
    r"([\d.]+) GiB for peak activation(?:, ([\d.]+) GiB for non-torch memory)?"
)
_BLOCK_TOKENS = 16


def _largest(lines: Sequence[str], pattern: re.Pattern[str]) -> float | None:
    found = [float(group) for line in lines for match in pattern.finditer(line) for group in match.groups() if group]
    return max(found, default=None)


def read_figures(lines: Sequence[str]) -> LogReadings:
    """The figures of a start. Bytes are as coarse as the log: hundredths of a GiB."""
    weights = _largest(lines, _LOADED)
    graphs = _largest(lines, _GRAPH_POOL) or _largest(lines, _GRAPHS)
    profile, beside = _profile(lines, weights)
    figures = {
        "weights": weights,
        "kv_cache": _largest(lines, _CACHE),
        "profile": profile,
        "cuda_graphs": graphs,
        "non_torch": beside,
    }
    readings = tuple(Reading(item=item, bytes=round(size * GIB)) for item, size in figures.items() if size)
    return LogReadings(readings=readings, cache_tokens=_tokens(lines))


def _profile(lines: Sequence[str], weights: float | None) -> tuple[float | None, float | None]:
    """Peak of the profile run, and what is no tensor, in GiB."""
    for line in lines:
        if found := _V0.search(line):
            return float(found[2]), float(found[1])
        if found := _USED.search(line):
            # The peak includes the graphs as they were estimated, where they are counted at all; those come apart.
            peak = float(found[3])
            beside = float(found[4]) if found[4] else None
            if found[2].startswith("consumed") and weights is not None:
                beside = max(float(found[1]) - weights, 0.0)
            return peak - (_counted_graphs(lines) if found[2].startswith("consumed") else 0.0), beside
    return None, None


_ESTIMATED_GRAPHS = re.compile(r"Estimated CUDA graph memory: ([\d.]+) GiB total")


def _counted_graphs(lines: Sequence[str]) -> float:
    counted = not any("CUDA graph memory profiling is disabled" in line for line in lines)
    return (_largest(lines, _ESTIMATED_GRAPHS) or 0.0) if counted else 0.0


def _tokens(lines: Sequence[str]) -> int | None:
    for line in lines:
        if found := _TOKENS.search(line):
            return int(found[1].replace(",", "")) if found[1] else int(found[2]) * _BLOCK_TOKENS
    return None


_Test = Callable[[str], bool]


def _says(pattern: str) -> _Test:
    compiled = re.compile(pattern)
    return lambda line: compiled.search(line) is not None


# What the trace or the message names decides; else how far the start had come.
_NAMED: tuple[tuple[str, _Test], ...] = (
    ("profile", _says(r"warming up (?:sampler|pooler)|multimodal_embeddings|embed_multimodal|profile_run|_dummy_run")),
    (
        "kv_cache",
        # ``_initialize_kv_caches`` of the core is in the trace of a profile run too.
        _says(r"_allocate_kv_cache|\binitialize_kv_cache\b|initialize_kv_cache_tensors|on kv cache allocation"),
    ),
    ("cuda_graphs", _says(r"capture_model|_capture_cudagraphs|[Cc]apturing CUDA graph")),
    ("weights", _says(r"Failed to load model - not enough GPU memory|in load_model\b|create_weights")),
)
_MILESTONES: tuple[tuple[str, _Test], ...] = (
    ("cuda_graphs", _says(r"KV cache size: [\d,]+ tokens|# (?:GPU|cuda) blocks:")),
    ("kv_cache", _says(r"Available KV cache memory|memory for KV Cache|GiB for KV cache")),
    ("profile", _says(r"(?:Model loading|Loading model weights|model weights) (?:took|takes|take)")),
    ("weights", _says(r"Starting to load model|Loading (?:weights|safetensors)")),
)


def failed_part(lines: Sequence[str]) -> str:
    """The part of the memory for which a start that ran out of it had no room."""
    named = {item for item, test in _NAMED if any(map(test, lines))}
    # A profile run is traced through the model's own layers, and the capture through a dummy run.
    for item in ("cuda_graphs", "kv_cache", "profile", "weights"):
        if item in named:
            return item
    return next((item for item, test in _MILESTONES if any(map(test, lines))), UNKNOWN)
