"""What the log of vLLM says about its end. Wordings from the source of 0.10.2 and 0.33, and from runs of 0.32."""

import re
from collections.abc import Callable, Sequence

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.engines.vllm_measured import failed_part

_Match = re.Match[str]
_Builder = Callable[[_Match, Sequence[str], str], Reason]
_LONGEST = re.compile(r"estimated maximum model length is (\d+)|stored in KV cache \((\d+)\)")


def _small_cache(found: _Match, lines: Sequence[str], _version: str) -> Reason:
    named = next((match for line in lines if (match := _LONGEST.search(line))), None)
    longest = (named[1] or named[2]) if named else "?"
    return reason(ReasonCode.ENGINE_CACHE_TOO_SMALL, detail=_short(found[1]), longest=longest)


def _unsupported(found: _Match, _lines: Sequence[str], version: str) -> Reason:
    return reason(
        ReasonCode.ARCHITECTURE_NOT_SUPPORTED, engine="vLLM", version=version, architecture=found[1].strip("'\"[] ")
    )


def _detail(code: ReasonCode) -> _Builder:
    return lambda found, _lines, _version: reason(code, detail=_short(found[1]))


def _plain(code: ReasonCode) -> _Builder:
    return lambda _found, _lines, _version: reason(code)


_NO_MEMORY = (
    r"CUDA out of memory|OutOfMemoryError|HIP out of memory|CUDA error: out of memory|ran out of memory"
    r"|Cannot allocate memory|MemoryError|std::bad_alloc|DefaultCPUAllocator: can't allocate"
    r"|not enough GPU memory|on kv cache allocation is less than requested memory"
)
_CACHE = (
    r"((?:[\d.]+ GiB KV cache is needed|max seq len \(\d+\)\s*is larger than the maximum number of tokens"
    r"|No available memory for the cache blocks|[\d.]+ GiB KV\s*cache is needed)[^.]*)"
)
_FILES = (
    r"(Cannot find any model weights[^\n]*|(?:OSError|EntryNotFoundError|LocalEntryNotFoundError|FileNotFoundError): "
    r"[^\n]*|Can't load (?:tokenizer|image processor|the configuration|feature extractor)[^\n]*"
    r"|does not appear to have a file named[^\n]*)"
)
_TAKEN = (
    r"Free memory on device \S* ?\(([\d.]+)/[\d.]+ GiB\) on startup is less than desired GPU memory utilization "
    r"\([\d.]+, ([\d.]+) GiB\)"
)
_ARCHITECTURE = (
    r"Model architectures? (\[[^\]]*\]|\S+) (?:are not supported for now|was supported in vLLM until"
    r"|failed to be inspected|is not supported)"
)
_OTHER = (
    r"(?:ValueError|RuntimeError|AssertionError|AttributeError|KeyError|ImportError|ModuleNotFoundError"
    r"|ValidationError|TypeError): (?!Engine core initialization failed)(.+)"
)

# The first pattern with a matching line wins: causes before their consequences.
_PATTERNS: tuple[tuple[str, _Builder], ...] = (
    (
        r"[Aa]ddress already in use.*?(\d+)\)?\)?[:\s]*$|bind on address \('[^']*', (\d+)\)",
        lambda m, _lines, _version: reason(ReasonCode.PORT_TAKEN, port=int(m[1] or m[2])),
    ),
    (
        _TAKEN,
        lambda m, _lines, _version: reason(ReasonCode.ENGINE_DEVICE_TAKEN, free=m[1], wanted=m[2]),
    ),
    (_CACHE, _small_cache),
    (
        _NO_MEMORY,
        lambda _m, lines, _version: reason(ReasonCode.START_MEMORY_SHORT, part=failed_part(lines)),
    ),
    (
        r"(?:The NVIDIA driver on your system is too old|CUDA driver version is insufficient)(.*)",
        lambda m, _l, _v: reason(ReasonCode.DRIVER_TOO_OLD, detail=_short(m[0])),
    ),
    (
        r"((?:NCCL error|ncclUnhandledCudaError|ncclSystemError|ncclInternalError|DistBackendError)[^\n]*)",
        _detail(ReasonCode.GPU_LINK_FAILED),
    ),
    (
        _ARCHITECTURE,
        _unsupported,
    ),
    (r"'(Mllama)Processor' object has no attribute '_get_num_multimodal_tokens'", _unsupported),
    (
        r"model type `([^`]*)` but Transformers does not recognize this architecture",
        _unsupported,
    ),
    (
        r"contains custom code|trust_remote_code=True|requires you to execute the configuration file",
        _plain(ReasonCode.ENGINE_NEEDS_CODE),
    ),
    (
        r"(?:vllm serve|vllm|api_server\.py): error: (.*)|error: (unrecognized arguments: .*|argument --.*)",
        lambda m, _lines, _version: reason(ReasonCode.ENGINE_REFUSED_PARAMETER, detail=_short(m[1] or m[2])),
    ),
    (
        r"((?:User-specified )?max_model_len[^\n]*greater than the derived max_model_len[^\n.]*)",
        _detail(ReasonCode.ENGINE_REFUSED_PARAMETER),
    ),
    (
        r"(Total number of attention heads[^\n]*must be divisible by[^\n.]*)",
        _detail(ReasonCode.ENGINE_REFUSED_PARAMETER),
    ),
    (r"(Bfloat16 is only supported on GPUs[^\n]*)", _detail(ReasonCode.ENGINE_REFUSED_PARAMETER)),
    (_FILES, _detail(ReasonCode.ENGINE_FILES_MISSING)),
    (
        _OTHER,
        _detail(ReasonCode.ENGINE_LOAD_FAILED),
    ),
)
_COMPILED = tuple((re.compile(pattern), builder) for pattern, builder in _PATTERNS)


def _short(text: str) -> str:
    return text.strip().rstrip(".")[:200]


def explain_log(lines: Sequence[str], facts: ModelFacts, version: str) -> Reason | None:  # noqa: ARG001
    """Why the server ended, from the lines of its log; None when they do not tell."""
    for pattern, builder in _COMPILED:
        for line in lines:
            found = pattern.search(line)
            if found:
                return builder(found, lines, version)
    return None
