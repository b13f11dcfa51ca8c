"""What is known of a model before it runs."""

from enum import StrEnum

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
    """One file of the plan. ``path`` is absolute on the node for local files; ``size`` in bytes."""

    model_config = ConfigDict(frozen=True)

    path: str
    role: FileRole
    size: int


class VisionFacts(BaseModel):
    """The part of a model that sees; None where it is not known.

    ``kind``: the projector's type as its file calls it (``qwen2vl_merger``). ``width``, ``feed_forward_size``,
    ``heads``, ``layers`` of the vision tower; ``patch_size`` in pixels; ``merge_size``: patches along one side that
    become one token.
    """

    model_config = ConfigDict(frozen=True)

    kind: str
    width: int | None = None
    feed_forward_size: int | None = None
    heads: int | None = None
    layers: int | None = None
    image_size: int | None = None
    patch_size: int | None = None
    merge_size: int | None = None


class ModelFacts(BaseModel):
    """Facts read from headers and configurations; None where they are not known.

    ``files``: what the engine loads, first weight file first. ``layers``, ``heads``, ``kv_heads``, ``head_size``
    (of keys), ``value_size`` (of values, None: as keys), ``embedding_size``, ``feed_forward_size`` of the language
    part; ``context_length`` as trained, in tokens. ``weight_bytes`` and
    ``projector_bytes`` are tensor data. ``image_tokens_min``/``max`` bound the tokens of one picture where the model
    needs it.
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

    @property
    def sees_images(self) -> bool:
        """Whether the model takes pictures."""
        return "vision" in self.capabilities

    def files_of(self, role: FileRole) -> tuple[ModelFile, ...]:
        """The files with this role, in loading order."""
        return tuple(file for file in self.files if file.role is role)
