"""What the engines' memory depends on that no model file tells, by engine version.

Everything here was read in the engines' source or fitted to published logs, and says which; the rest of the estimate
is arithmetic on the model's own sizes.
"""

from dataclasses import dataclass
from functools import cache

from aimindserve.domain.units import GIB, KIB, MIB

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VllmConstants:
    """vLLM from version ``since`` on.

    ``scheduler``: generation of the engine's core (0, 1). ``utilization``: share of the device that it takes unless
    told otherwise. ``sampler``: copies of the logits in 32 bits, likely and at most. ``hybrid_cache``: layers with a
    sliding window keep only their window.
    """

    since: Version
    scheduler: int
    utilization: float
    sampler: tuple[float, float]
    hybrid_cache: bool


VLLM: tuple[VllmConstants, ...] = (
    # 0.6.3 source: profile_run of the V0 worker; logs of 1.26 to 1.42 GiB for 256 sequences give the sampler's 9 to 10.
    VllmConstants((0,), 0, 0.90, (9.5, 11.0), hybrid_cache=False),
    # 0.8 makes V1 the default; chunked prefill with pictures too.
    VllmConstants((0, 8), 1, 0.90, (5.0, 6.5), hybrid_cache=False),
    # 0.10 source: the hybrid cache manager is on unless a feature forbids it.
    VllmConstants((0, 10), 1, 0.90, (5.0, 6.5), hybrid_cache=True),
    # 0.33 source: CacheConfig.gpu_memory_utilization.
    VllmConstants((0, 33), 1, 0.92, (5.0, 6.5), hybrid_cache=True),
)

# Encoder and decoder in one (Llama 3.2 Vision): served by the V0 core to the last version that knows it
# (``MllamaForConditionalGeneration: "0.10.2"`` in 0.11's list of removed models).
V0_ARCHITECTURES = frozenset({"MllamaForConditionalGeneration"})

# Defaults of vLLM 0.33's EngineArgs for a server: (from device bytes on, sequences, tokens of a batch). An A100 with
# 80 GB is served as the smaller cards are; its size alone does not tell, and the larger values are the safe guess.
DEVICE_DEFAULTS: tuple[tuple[int, int, int], ...] = ((160 * GIB, 1024, 16384), (70 * GIB, 1024, 8192), (0, 256, 2048))
# V0: sequences, and the least tokens of a batch without and with pictures (0.6.3: config.SchedulerConfig).
V0_SEQUENCES, V0_BATCH_TEXT, V0_BATCH_PICTURES = 256, 2048, 5120

# Pages of the cache (--block-size).
BLOCK_TOKENS = 16
# Activations of the language part: factor on the arithmetic, likely and at most (band of published profiles 1.0-1.5).
TEXT_FACTOR = (1.2, 1.6)
# Activations of the vision tower: widths held at a time, likely and at most (4 to 6).
VISION_WIDTHS = (5.0, 6.5)
ACTIVATION_CONSTANT = int(0.2 * GIB)
# CUDA context, kernels and workspaces: 0.03-0.43 GiB in many V0 logs, 1.79 in one on an H100; NCCL's channels
# 0.2-0.6 more in each rank.
NON_TORCH, NON_TORCH_HIGH, NCCL = int(0.6 * GIB), 2 * GIB, int(0.4 * GIB)
# CUDA graphs: 0.21 GiB (1B, 35 sizes), 0.36 (8B, 16), 0.64 (3B, 35), 1.62 (51 + 35), 3.34 (49B) were logged.
GRAPH_CONSTANT, GRAPH_PER_SIZE, GRAPH_HIGH = 150 * MIB, 9 * MIB, int(3.5 * GIB)
# Small tensors that live as long as the model beside its weights; fitted to the log of opt-125m (244.61 MiB).
LOADED_CONSTANT = 6 * MIB
# Weights: what repacking and alignment add at most, on one device and on several.
WEIGHT_MARGINS = (0.01, 0.02)
# The processor's cache of pictures (mm_processor_cache_gb) and a server with its workers, in the machine's memory.
PICTURE_CACHE = 4 * GIB
SERVER_HOST, SERVER_HOST_HIGH = 3 * GIB, 6 * GIB

# llama.cpp reserves logits for the slots alone since pull request 23861 (merged at the end of May 2026), and masks in
# 16 bits since 23764, a few days before.
LLAMA_SLOT_LOGITS = 9450
# Resident size of a llama.cpp server beside its buffers, measured (docs/measurements.md): the program, at most with
# what pictures and requests leave behind; and for each token of the vocabulary.
LLAMA_PROGRAM, LLAMA_PROGRAM_HIGH = 36 * MIB, 64 * MIB
LLAMA_TOKEN, LLAMA_TOKEN_HIGH, LLAMA_TOKENS_UNKNOWN = 445, 512, 152_064
# What CUDA's libraries and pinned buffers take of the machine's memory.
LLAMA_CUDA_HOST, LLAMA_CUDA_HOST_HIGH = 320 * MIB, 640 * MIB
# CUDA context 0.25-0.5 GiB for each device; CUDA's pools grow by 3-5 % of what is computed on the device.
LLAMA_CUDA, LLAMA_CUDA_HIGH, LLAMA_POOL_SHARE = 384 * MIB, 512 * MIB, 0.04
# Batches that follow each other through several GPUs (GGML_SCHED_MAX_COPIES in ggml-backend.cpp).
LLAMA_COPIES = 4
# Alignment of the cache's length (GGML_PAD in llama-context.cpp).
LLAMA_CACHE_STEP = 256
# The most tokens that llama.cpp gives a picture of any size (set_limit_image_tokens in clip.cpp).
LLAMA_IMAGE_TOKENS = 4096
# Bytes of an element of the cache by type (ggml-common.h: block sizes).
LLAMA_CACHE_BYTES: dict[str, float] = {
    "f32": 4.0,
    "f16": 2.0,
    "bf16": 2.0,
    "q8_0": 34 / 32,
    "q5_1": 24 / 32,
    "q5_0": 22 / 32,
    "q4_1": 20 / 32,
    "q4_0": 18 / 32,
    "iq4_nl": 18 / 32,
}
# Where sizes are not known: bytes of cache a token for each byte of weights, at least and at most, from models without
# grouped heads (Phi-3.5: 384 KiB, 7.7 GiB) and with few (Qwen2-VL-7B: 56 KiB, 15.4 GiB).
UNKNOWN_CACHE = (56 * KIB / (15.4 * GIB), 384 * KIB / (7.7 * GIB))
# How much more than likely an estimate may be when the architecture is not known.
UNKNOWN_FACTOR = 1.5


@cache
def parse_version(text: str) -> Version:
    """``0.10.2`` or ``v0.11.0rc1`` as numbers; what cannot be read ends them. Nothing readable: the newest."""
    numbers: list[int] = []
    for part in text.lstrip("v").split("."):
        digits = part[: next((at for at, mark in enumerate(part) if not mark.isdigit()), len(part))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers) or VLLM[-1].since


@cache
def vllm_constants(version: str, architecture: str = "") -> VllmConstants:
    """The constants of a vLLM version for a model of ``architecture``."""
    if architecture in V0_ARCHITECTURES:
        return VLLM[0]
    number = parse_version(version)
    return next(row for row in reversed(VLLM) if row.since <= number)


def default_sequences(version: str, architecture: str, device_bytes: int | None) -> int:
    """``--max-num-seqs`` unless it is given."""
    if vllm_constants(version, architecture).scheduler == 0:
        return V0_SEQUENCES
    return _device_defaults(device_bytes)[1]


def default_batch_tokens(
    version: str, architecture: str, device_bytes: int | None, context_tokens: int, *, sees_images: bool
) -> int:
    """``--max-num-batched-tokens`` unless it is given. V0 without chunking takes a whole context at a time."""
    if vllm_constants(version, architecture).scheduler == 0:
        return max(context_tokens, V0_BATCH_PICTURES if sees_images else V0_BATCH_TEXT)
    return _device_defaults(device_bytes)[2]


def _device_defaults(device_bytes: int | None) -> tuple[int, int, int]:
    return next(row for row in DEVICE_DEFAULTS if (device_bytes or 0) >= row[0])
