"""How an engine will run, in the engine's own quantities: what the memory estimate depends on, and nothing else."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class LlamaRun:
    """llama.cpp. Tokens and layers; ``cache_types``: of keys and of values. ``gpu_layers`` None: all of them (layers
    and output); 0: none. ``slots`` requests at a time share ``context_tokens`` tokens of cache. ``image_tokens``: the
    most that one picture may take, None for the model's own limit. ``gpu``: whether a GPU is used at all. ``build``:
    llama.cpp's build number, None for the newest. ``prompt_cache_bytes``: limit of the finished prompts that are kept
    in the machine's memory (``--cache-ram``). ``split``: how many of the layers on GPUs, the output counted as the
    last one, lie on each of several; empty for one GPU."""

    context_tokens: int
    slots: int = 1
    unified_cache: bool = False
    batch_tokens: int = 512
    gpu: bool = False
    gpu_layers: int | None = None
    flash_attention: bool = True
    cache_types: tuple[str, str] = ("f16", "f16")
    image_tokens: int | None = None
    projector_on_gpu: bool = True
    mmap: bool = True
    build: int | None = None
    prompt_cache_bytes: int = 0
    split: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class VllmRun:
    """vLLM on ``tensor_parallel`` × ``pipeline_parallel`` GPUs; the estimate is of one of them.

    ``version``: vLLM's (constants are keyed by it). ``context_tokens``: ``--max-model-len``; ``sequences``:
    ``--max-num-seqs``; ``batch_tokens``: ``--max-num-batched-tokens``, None for the version's default on this device.
    ``dtype``: of computation, None for the checkpoint's; ``cache_dtype``: ``auto`` or ``fp8``. ``quantization``: done
    while loading (``fp8``, ``bitsandbytes``), None for the checkpoint's own. ``images``: per prompt;
    ``image_pixels``: of one, None for the largest that the model takes. ``cached_tokens``: tokens of cache that are
    wanted in all, None for one sequence of ``context_tokens``. ``encoder_mode``: how the vision tower lies on several
    GPUs (``--mm-encoder-tp-mode``): divided, or whole on each. ``device_bytes``: total memory of the device, on which
    vLLM's own defaults depend.
    """

    version: str
    context_tokens: int
    sequences: int
    batch_tokens: int | None = None
    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    dtype: str | None = None
    cache_dtype: str = "auto"
    quantization: str | None = None
    eager: bool = False
    images: int = 1
    image_pixels: int | None = None
    cached_tokens: int | None = None
    device_bytes: int | None = None
    encoder_mode: Literal["weights", "data"] = "weights"
