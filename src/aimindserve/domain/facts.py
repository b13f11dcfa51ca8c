"""What is known of a model before it runs."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


class FileRole(StrEnum):
    """What an engine does with a file."""

    WEIGHTS = "weights"
    PROJECTOR = "projector"
    CONFIG = "config"


class ModelFormat(StrEnum):
    """How the weights are kept."""

    GGUF = "gguf"
    SAFETENSORS = "safetensors"


class ModelFile(BaseModel):
    """One file of the plan. ``size`` in bytes.

    ``path``: absolute on the node for local files, relative to the repository for a hub's (then ``ModelFacts.origin``
    is set). ``digest``: ``sha256:<hex>``, or ``git:<hex>`` (the SHA-1 of a git blob, which hubs give for small files);
    None for local files, and where a hub does not tell.
    """

    model_config = ConfigDict(frozen=True)

    path: str
    role: FileRole
    size: int
    digest: str | None = None


Hub = Literal["hf", "ms"]
"""Hugging Face, ModelScope: as in a source's scheme."""


class HubOrigin(BaseModel):
    """The repository that files come from, at one commit. ``hub`` is ``hf`` or ``ms``; ``revision`` a commit id, so
    that the files never change under a deployment."""

    model_config = ConfigDict(frozen=True)

    hub: Hub
    repository: str
    revision: str


class ModelPart(StrEnum):
    """What a group of weights is for."""

    EMBEDDING = "embedding"
    LAYERS = "layers"
    OUTPUT = "output"
    VISION = "vision"
    PROJECTOR = "projector"
    AUDIO = "audio"
    OTHER = "other"


class WeightGroup(BaseModel):
    """Weights of one part that are stored in one type. ``dtype`` as the file calls it (``BF16``, ``Q4_K``, ``I32``);
    ``linear``: matrices of linear layers, which is what an engine quantises when it loads them."""

    model_config = ConfigDict(frozen=True)

    part: ModelPart
    dtype: str
    elements: int
    bytes: int
    linear: bool = True


class CacheKind(StrEnum):
    """How a layer remembers the tokens before."""

    FULL = "full"
    SLIDING = "sliding"
    CROSS = "cross"
    LATENT = "latent"
    """Multi-head latent attention: one compressed vector a token (DeepSeek)."""
    STATE = "state"
    """A state of constant size (Mamba, linear attention)."""


class CacheGroup(BaseModel):
    """Layers that keep the same cache. ``key_size``, ``value_size``: elements per head; ``window`` in tokens (sliding);
    ``latent_size``: elements per token and layer (latent); ``state_bytes``: per sequence and layer (state)."""

    model_config = ConfigDict(frozen=True)

    kind: CacheKind = CacheKind.FULL
    layers: int
    kv_heads: int = 0
    key_size: int = 0
    value_size: int = 0
    window: int | None = None
    latent_size: int = 0
    state_bytes: int = 0


class QuantizationFacts(BaseModel):
    """How a checkpoint is quantised. ``method`` as its configuration calls it (``awq``, ``gptq``, ``fp8``,
    ``compressed-tensors``, ``bitsandbytes``); ``skipped``: name parts of modules that stay as they are."""

    model_config = ConfigDict(frozen=True)

    method: str
    bits: int | None = None
    group_size: int | None = None
    skipped: tuple[str, ...] = ()


class VisionFacts(BaseModel, frozen=True):
    """The part of a model that sees; None where it is not known.

    ``kind``: the projector's type as its file calls it (``qwen2vl_merger``). ``width``, ``feed_forward_size``,
    ``heads``, ``layers`` of the vision tower; ``patch_size`` in pixels; ``merge_size``: patches along one side that
    become one token. ``image_size``: side in pixels of a picture, or of a tile where ``tiles_max`` is set.
    ``pixels_min``/``pixels_max``: area that pictures are resized to lie between. ``tile_tokens``: tokens of one tile or
    of a picture of fixed size. ``deepstack_levels``: levels whose features are kept beside the last one's (Qwen3-VL).
    """

    kind: str
    width: int | None = None
    feed_forward_size: int | None = None
    heads: int | None = None
    layers: int | None = None
    image_size: int | None = None
    patch_size: int | None = None
    merge_size: int | None = None
    pixels_min: int | None = None
    pixels_max: int | None = None
    tiles_max: int | None = None
    tile_tokens: int | None = None
    deepstack_levels: int = 0


class ModelFacts(BaseModel):
    """Facts read from headers and configurations; None where they are not known.

    ``files``: what the engine loads, first weight file first. ``layers``, ``heads``, ``kv_heads``, ``head_size``
    (of keys), ``value_size`` (of values, None: as keys), ``embedding_size``, ``feed_forward_size`` of the language
    part; ``context_length`` as trained, in tokens. ``weight_bytes`` and
    ``projector_bytes`` are tensor data. ``image_tokens_min``/``max`` bound the tokens of one picture where the model
    needs it.

    ``origin``: None for local files. ``weights``: all weights by part and type; ``caches``: layers by how they
    remember (empty: all ``layers`` alike, by ``kv_heads`` and sizes). ``dtype``: the type of computation that the
    checkpoint asks for (``bfloat16``). ``tied_embeddings``: the output layer is the embedding. ``config_format``:
    ``mistral`` when only a ``params.json`` describes the model. ``rotary_positions``: length of the engine's table of
    positions where it is not ``context_length`` (linear scaling). ``code_files``: Python files that the model needs to
    be loaded (``auto_map``). ``model_type`` as ``config.json`` calls it. ``license`` as the hub calls it.
    ``has_chat_template``: whether the files say how a conversation is written, None where that was not looked for.
    """

    model_config = ConfigDict(frozen=True)

    format: ModelFormat
    architecture: str
    name: str
    files: tuple[ModelFile, ...]
    capabilities: tuple[str, ...] = ("chat",)
    quantization: str | None = None
    parameters: int | None = None
    context_length: int | None = None
    layers: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    head_size: int | None = None
    value_size: int | None = None
    embedding_size: int | None = None
    feed_forward_size: int | None = None
    vocabulary_size: int | None = None
    weight_bytes: int = 0
    projector_bytes: int = 0
    image_tokens_min: int | None = None
    image_tokens_max: int | None = None
    vision: VisionFacts | None = None
    origin: HubOrigin | None = None
    weights: tuple[WeightGroup, ...] = ()
    caches: tuple[CacheGroup, ...] = ()
    dtype: str | None = None
    quantized: QuantizationFacts | None = None
    tied_embeddings: bool = False
    config_format: Literal["hf", "mistral"] = "hf"
    rotary_positions: int | None = None
    model_type: str | None = None
    code_files: tuple[str, ...] = ()
    license: str | None = None
    gated: bool = False
    has_chat_template: bool | None = None

    @property
    def sees_images(self) -> bool:
        """Whether the model takes pictures."""
        return "vision" in self.capabilities

    def files_of(self, role: FileRole) -> tuple[ModelFile, ...]:
        """The files with this role, in loading order."""
        return tuple(file for file in self.files if file.role is role)
