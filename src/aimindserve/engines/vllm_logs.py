"""What the log of vLLM says about its end. Wordings from the source of 0.10.2 and 0.33, and from runs of 0.32."""

import re
from collections.abc import Sequence

from aimindserve.domain.facts import FileRole, ModelFacts
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.engines._diagnosis import Case, Cause, Causes, Diagnosis, any_of, detail, plain, short
from aimindserve.engines._machine_causes import MACHINE_CAUSES
from aimindserve.engines.vllm_measured import failed_part

_C = ReasonCode
_LONGEST = re.compile(r"estimated maximum model length is (\d+)|stored in KV cache \((\d+)\)")


def _small_cache(found: re.Match[str], case: Case) -> Reason:
    named = next((match for line in case.lines if (match := _LONGEST.search(line))), None)
    longest = (named[1] or named[2]) if named else "?"
    return reason(_C.ENGINE_CACHE_TOO_SMALL, detail=short(found[1]), longest=longest)


def _unsupported(found: re.Match[str], case: Case) -> Reason:
    architecture = found[1].strip("'\"[] ")
    return reason(_C.ARCHITECTURE_NOT_SUPPORTED, engine="vLLM", version=case.version, architecture=architecture)


def _weights(case: Case) -> str:
    files = case.facts.files_of(FileRole.WEIGHTS)
    named = next((file.path for file in files if any(file.path in line for line in case.lines)), None)
    return named or (files[0].path if files else case.facts.name)


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
_PACKAGE = any_of(
    "undefined symbol: ",
    "operator torchvision::nms does not exist",
    "No module named ",
    "ImportError: ",
    "partially initialized module 'torchvision'",
    "PackageNotFoundError: ",
)
_HUB = any_of(
    "You are trying to access a gated repo",
    "Cannot access gated repo",
    "GatedRepoError",
    "RepositoryNotFoundError",
    "LocalEntryNotFoundError",
    "OfflineModeIsEnabled",
    "We couldn't connect to 'https://huggingface",
    "outgoing traffic has been disabled",
)
_LINK = any_of(
    "NCCL error",
    "ncclUnhandledCudaError",
    "ncclSystemError",
    "ncclInternalError",
    "DistBackendError",
)
_COMPILER = any_of("Failed to find C compiler", r"fatal error: Python\.h: ", "Could not find nvcc")
_QUANTIZATION = any_of(
    r"The quantization method \S+ is not supported",
    "Unknown quantization method",
    r"\S+ quantization is (?:currently )?not (?:fully )?supported",
)
_TOKENIZER = any_of(
    r"'MistralTokenizer' object has no attribute",
    "Can't load tokenizer for .*tekken",
    "is_tekken",
    r"Tokenizer class \S+ does not exist",
    "mistral tokenizer mode",
)
_TEMPLATE = any_of(
    r"As of transformers v\S+ default chat template is no longer allowed",
    "ChatTemplateResolutionError",
    r"jinja2\.exceptions\.\w+",
    "Failed to apply prompt replacement",
    "The supplied chat template",
)
_MISFIT = any_of(
    "There is no module or parameter named",
    "size mismatch for",
    "Attempted to load weight",
    "weights were not initialized",
    "shape mismatch",
)
_ATTENTION = any_of("Unsupported CPU attention configuration", r"[Hh]ead size \d+ is not supported")
_DEAD = any_of("EngineDeadError", "EngineCore encountered an issue", r"Engine core proc \S+ died unexpectedly")
_LONG = r"max_model_len \((\d+)\)[^\n]*greater than the derived max_model_len[^\n=]*=(\d+)"
_HEADS = r"Total number of attention heads \((\d+)\)[^\n]*must be divisible by[^\n(]*\((\d+)\)"
_DAMAGED = r"Error while deserializing header: ([^\n]*)|(incomplete metadata, file not fully covered)"
_OTHER = (
    r"(?:ValueError|RuntimeError|AssertionError|AttributeError|KeyError|ImportError|ModuleNotFoundError"
    r"|ValidationError|TypeError): (?!Engine core initialization failed)(.+)"
)

_CAUSES: tuple[Cause, ...] = (
    (
        r"[Aa]ddress already in use.*?(\d+)\)?\)?[:\s]*$|bind on address \('[^']*', (\d+)\)",
        lambda m, _case: reason(_C.PORT_TAKEN, port=int(m[1] or m[2])),
    ),
    (_TAKEN, lambda m, _case: reason(_C.ENGINE_DEVICE_TAKEN, free=m[1], wanted=m[2])),
    (_CACHE, _small_cache),
    (_NO_MEMORY, lambda _m, case: reason(_C.START_MEMORY_SHORT, part=failed_part(case.lines))),
    *MACHINE_CAUSES,
    (_LINK, detail(_C.GPU_LINK_FAILED)),
    (_COMPILER, detail(_C.COMPILER_MISSING)),
    (_ARCHITECTURE, _unsupported),
    (r"'(Mllama)Processor' object has no attribute '_get_num_multimodal_tokens'", _unsupported),
    (r"model type `([^`]*)` but Transformers does not recognize this architecture", _unsupported),
    (
        r"contains custom code|trust_remote_code=True|requires you to execute the configuration file",
        plain(_C.ENGINE_NEEDS_CODE),
    ),
    (
        r"(?:vllm serve|vllm|api_server\.py): error: (.*)|error: (unrecognized arguments: .*|argument --.*)",
        detail(_C.ENGINE_REFUSED_PARAMETER),
    ),
    (_LONG, lambda m, _case: reason(_C.ENGINE_CONTEXT_TOO_LONG, tokens=int(m[1]), longest=int(m[2]))),
    (_HEADS, lambda m, _case: reason(_C.HEADS_INDIVISIBLE, heads=int(m[1]), gpus=int(m[2]))),
    (any_of("Bfloat16 is only supported on GPUs"), detail(_C.DTYPE_UNSUPPORTED)),
    (_QUANTIZATION, detail(_C.QUANTIZATION_UNSUPPORTED)),
    (
        _DAMAGED,
        lambda m, case: reason(_C.SAFETENSORS_CORRUPT, path=_weights(case), detail=short(m[1] or m[2])),
    ),
    (_TOKENIZER, detail(_C.TOKENIZER_MODE_WRONG)),
    (_TEMPLATE, detail(_C.CHAT_TEMPLATE_BAD)),
    (_HUB, detail(_C.ENGINE_WANTS_HUB)),
    (_MISFIT, detail(_C.WEIGHTS_MISFIT)),
    (_FILES, detail(_C.ENGINE_FILES_MISSING)),
    (_PACKAGE, detail(_C.ENGINE_PACKAGE_BROKEN)),
    (_ATTENTION, detail(_C.ATTENTION_UNSUPPORTED)),
    (_OTHER, detail(_C.ENGINE_LOAD_FAILED)),
    (_DEAD, plain(_C.ENGINE_FATAL_REQUEST)),
)
_VLLM = Causes(_CAUSES)


def explain_log(lines: Sequence[str], facts: ModelFacts, version: str) -> Diagnosis:
    """Why the server ended, from the lines of its log."""
    return _VLLM.diagnose(Case(lines, facts, version))
