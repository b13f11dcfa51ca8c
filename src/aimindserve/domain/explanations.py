"""Why a parameter or a memory item is what it is, in words. A closed list, in English and Chinese."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from aimindserve.domain.explanation_texts_fit import FIT_TEXTS
from aimindserve.domain.explanation_texts_memory import MEMORY_TEXTS
from aimindserve.domain.explanation_texts_vllm import VLLM_TEXTS
from aimindserve.domain.reason_wording import Values
from aimindserve.domain.reasons import Language, ParameterValue


class Why(StrEnum):
    """Every explanation that the fit report gives."""

    YOURS = "yours"
    ENGINE_DEFAULT = "engine_default"
    THREADS_FROM_CORES = "threads_from_cores"
    THREADS_FROM_SETTING = "threads_from_setting"
    CONTEXT_FROM_MODEL = "context_from_model"
    CONTEXT_CAPPED = "context_capped"
    IMAGE_TOKENS_FROM_MODEL = "image_tokens_from_model"
    GPU_LAYERS_ALL = "gpu_layers_all"
    NO_GPU = "no_gpu"
    PARALLEL_DEFAULT = "parallel_default"
    PARALLEL_FEWER = "parallel_fewer"
    GPU_LAYERS_SOME = "gpu_layers_some"
    SPLIT_BY_LAYERS = "split_by_layers"
    LAYERS_BY_GPU = "layers_by_gpu"
    PROMPT_CACHE_SIZED = "prompt_cache_sized"
    TEMPLATE_KNOWN = "template_known"
    TEMPLATE_NONE = "template_none"
    MEMORY_WEIGHTS = "memory_weights"
    MEMORY_WEIGHTS_LAYERS = "memory_weights_layers"
    MEMORY_COMPUTE_SPLIT = "memory_compute_split"
    MEMORY_PROJECTOR = "memory_projector"
    MEMORY_KV_CACHE = "memory_kv_cache"
    MEMORY_COMPUTE = "memory_compute"
    MEMORY_VISION_COMPUTE = "memory_vision_compute"
    MEMORY_OVERHEAD = "memory_overhead"
    MEMORY_WEIGHTS_HOST = "memory_weights_host"
    MEMORY_WEIGHTS_VLLM = "memory_weights_vllm"
    MEMORY_WEIGHTS_DIVIDED = "memory_weights_divided"
    MEMORY_WEIGHTS_VISION = "memory_weights_vision"
    MEMORY_WEIGHTS_VISION_COPIED = "memory_weights_vision_copied"
    MEMORY_COMPUTE_HOST = "memory_compute_host"
    MEMORY_VISION_UNKNOWN = "memory_vision_unknown"
    MEMORY_OVERHEAD_GPU = "memory_overhead_gpu"
    MEMORY_PROMPT_CACHE = "memory_prompt_cache"
    MEMORY_ACTIVATION = "memory_activation"
    MEMORY_SAMPLER = "memory_sampler"
    MEMORY_ENCODER = "memory_encoder"
    MEMORY_ENCODER_CACHE = "memory_encoder_cache"
    MEMORY_GRAPHS = "memory_graphs"
    MEMORY_NON_TORCH = "memory_non_torch"
    MEMORY_SERVER_HOST = "memory_server_host"
    MEMORY_SERVERS_HOST = "memory_servers_host"
    MEMORY_PICTURE_CACHE = "memory_picture_cache"
    CORRECTED_MEASURED = "corrected_measured"
    CORRECTED_FAILED = "corrected_failed"
    CONTEXT_RELIEVED = "context_relieved"
    SEQUENCES_RELIEVED = "sequences_relieved"
    PARALLEL_HEADS = "parallel_heads"
    PARALLEL_WIDTH = "parallel_width"
    PARALLEL_GROUPS = "parallel_groups"
    PARALLEL_TOWER = "parallel_tower"
    ALTERNATIVE_CONTEXT = "alternative_context"
    CONTEXT_WHOLE = "context_whole"
    CONTEXT_SENSIBLE = "context_sensible"
    CONTEXT_FITS = "context_fits"
    SEQUENCES_DEFAULT = "sequences_default"
    VERSION_YOURS = "version_yours"
    VERSION_NEWEST = "version_newest"
    VERSION_LAST = "version_last"
    SEQUENCES_PICTURES = "sequences_pictures"
    SEQUENCES_FIT = "sequences_fit"
    CACHE_FOR_REQUESTS = "cache_for_requests"
    SHARE_OF_DEVICE = "share_of_device"
    TENSOR_PARALLEL = "tensor_parallel"
    DTYPE_AS_MODEL = "dtype_as_model"
    DTYPE_OLD_GPU = "dtype_old_gpu"
    DTYPE_HALVED = "dtype_halved"
    EAGER_PICTURES = "eager_pictures"
    EAGER_CPU = "eager_cpu"
    EAGER_FITS = "eager_fits"
    IMAGES_DEFAULT = "images_default"
    IMAGES_YOURS = "images_yours"
    PIXELS_FIT = "pixels_fit"
    TILES_FIT = "tiles_fit"
    BATCH_DEFAULT = "batch_default"
    MISTRAL_FORMAT = "mistral_format"
    CODE_CONFIRMED = "code_confirmed"
    QUIET_LOG = "quiet_log"
    USAGE_TOLD = "usage_told"
    NO_FETCHING = "no_fetching"
    ALTERNATIVE_WISHES = "alternative_wishes"
    ALTERNATIVE_CPU = "alternative_cpu"
    ALTERNATIVE_SEQUENCES = "alternative_sequences"
    ALTERNATIVE_IMAGES = "alternative_images"
    ALTERNATIVE_IMAGE_TOKENS = "alternative_image_tokens"
    ALTERNATIVE_CACHE = "alternative_cache"
    ALTERNATIVE_EAGER = "alternative_eager"
    ALTERNATIVE_FP8 = "alternative_fp8"
    ALTERNATIVE_FP8_CONTEXT = "alternative_fp8_context"
    ALTERNATIVE_QUANTIZATION = "alternative_quantization"
    ALTERNATIVE_QUANTIZATION_CONTEXT = "alternative_quantization_context"
    ALTERNATIVE_NEIGHBOUR = "alternative_neighbour"
    ALTERNATIVE_REPLICAS = "alternative_replicas"
    ALTERNATIVE_STOP = "alternative_stop"
    ALTERNATIVE_CARD = "alternative_card"


class Explained(BaseModel):
    """An explanation and the values that it mentions."""

    model_config = ConfigDict(frozen=True)

    code: Why
    params: dict[str, ParameterValue] = Field(default_factory=dict)


_TEXTS: dict[str, tuple[str, str]] = {
    **MEMORY_TEXTS,
    **VLLM_TEXTS,
    **FIT_TEXTS,
    Why.YOURS: ("You set this.", "由您设置。"),
    Why.ENGINE_DEFAULT: ("The engine's default.", "引擎默认值。"),
    Why.THREADS_FROM_CORES: (
        "{cores} physical cores; one is left for the rest of the machine.",
        "共 {cores} 个物理核心，保留一个供系统使用。",
    ),
    Why.THREADS_FROM_SETTING: ("Set in the configuration (llama_threads).", "由配置项 llama_threads 设置。"),
    Why.CONTEXT_FROM_MODEL: (
        "{tokens} tokens, as the model was trained, for each of {parallel} requests at a time.",
        "同时处理 {parallel} 个请求，每个请求 {tokens} 个词元（与模型训练时相同）。",
    ),
    Why.CONTEXT_CAPPED: (
        "{tokens} tokens for each of {parallel} requests at a time; the model could take {trained}. Raise it at need.",
        "同时处理 {parallel} 个请求，每个请求 {tokens} 个词元以节省内存；模型最多支持 {trained} 个，需要时可调大。",
    ),
    Why.IMAGE_TOKENS_FROM_MODEL: (
        "The model was trained on pictures of {tokens} tokens.",
        "模型训练时每张图片为 {tokens} 个词元。",
    ),
    Why.GPU_LAYERS_ALL: ("All layers fit on the GPU.", "所有层均可放入 GPU。"),
    Why.NO_GPU: ("It runs on the CPU.", "在 CPU 上运行。"),
    Why.PARALLEL_DEFAULT: ("Requests that are answered at the same time.", "同时处理的请求数。"),
    Why.MEMORY_WEIGHTS: ("The language model's weights, as in the file.", "语言模型权重（与文件相同）。"),
    Why.MEMORY_PROJECTOR: ("The part that turns pictures into tokens.", "将图片转换为词元的部分。"),
    Why.MEMORY_KV_CACHE: (
        "Keys and values of {tokens} tokens in {layers} layers.",
        "{layers} 层、{tokens} 个词元的键值缓存。",
    ),
    Why.MEMORY_COMPUTE: ("Working memory for one batch.", "单个批次的计算缓冲。"),
    Why.MEMORY_VISION_COMPUTE: (
        "Working memory for the largest picture, {tokens} tokens. Smaller pictures (--image-max-tokens) need less.",
        "处理最大图片（{tokens} 个词元）所需的计算缓冲；减小图片（--image-max-tokens）可降低占用。",
    ),
    Why.MEMORY_OVERHEAD: ("The engine program and its tables of the vocabulary.", "引擎程序及其词表。"),
    Why.ALTERNATIVE_CONTEXT: (
        "It fits with a context of {tokens} tokens in all.",
        "将总上下文设为 {tokens} 个词元即可放入。",
    ),
}


def explained(code: Why, **params: ParameterValue) -> Explained:
    """An explanation with its values."""
    return Explained(code=code, params=params)


def sentence(what: Explained, language: Language) -> str:
    """The explanation in words. A value that is missing shows as ``?`` (the tests keep that from happening)."""
    text = _TEXTS[what.code][1 if language == "zh" else 0]
    return text.format_map(Values({name: str(value) for name, value in what.params.items()}))
