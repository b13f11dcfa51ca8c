"""What a GGUF header tells about a model or a projector."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from aimindserve.domain.facts import CacheGroup, ModelPart, WeightGroup
from aimindserve.domain.gguf import GgufArray, GgufHeader, GgufTensor
from aimindserve.domain.gguf_layers import gguf_caches
from aimindserve.domain.gguf_types import FILE_TYPES
from aimindserve.domain.hubs import template_capabilities

_VISION_TENSORS = ("v.", "mm.", "a.", "resampler.", "model.image_newline")
_LARGEST_SIZE = 1 << 31


class GgufKind(StrEnum):
    """What a file is for."""

    MODEL = "model"
    PROJECTOR = "projector"
    OTHER = "other"
    """An adapter, an importance matrix, a vocabulary: nothing that answers questions."""


@dataclass(frozen=True, slots=True)
class TensorSizes:
    """Bytes of tensor data by what they are for."""

    embedding: int = 0
    layers: int = 0
    output: int = 0
    vision: int = 0
    projector: int = 0
    audio: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        """All tensor data."""
        return self.language + self.vision + self.projector + self.audio

    @property
    def language(self) -> int:
        """All that belongs to the language model."""
        return self.embedding + self.layers + self.output + self.other


@dataclass(frozen=True, slots=True)
class Split:
    """This file's place among the parts of one model; ``number`` counts from 0."""

    number: int
    count: int
    tensors: int | None


@dataclass(frozen=True, slots=True)
class ProjectorFacts:
    """The part that turns pictures into tokens.

    ``widths``: the language model widths that it can feed, most certain first. ``width``, ``feed_forward``, ``heads``
    and ``layers`` are those of its vision tower; ``patch_size`` and ``image_size`` in pixels; ``merge_size``: patches
    along one side that become one token. ``image_tokens_min``/``max`` bound the tokens of one picture. None where
    the file does not say.
    """

    type: str
    widths: tuple[int, ...]
    sees: bool
    hears: bool
    image_size: int | None = None
    patch_size: int | None = None
    merge_size: int | None = None
    width: int | None = None
    feed_forward: int | None = None
    heads: int | None = None
    layers: int | None = None
    image_tokens_min: int | None = None
    image_tokens_max: int | None = None
    pixels_min: int | None = None
    pixels_max: int | None = None
    deepstack_levels: int = 0


@dataclass(frozen=True, slots=True)
class GgufSummary:
    """A header in the product's terms; None where it does not say. ``key_size`` and ``value_size`` are per head;
    ``kv_heads`` is the largest of the layers; ``pooling`` is llama.cpp's ``llama_pooling_type`` (None also for 0);
    ``talents``: ``tools`` and ``thinking``, as the chat template mentions them."""

    kind: GgufKind
    architecture: str
    name: str
    quantization: str | None
    parameters: int
    sizes: TensorSizes
    context_length: int | None = None
    layers: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    key_size: int | None = None
    value_size: int | None = None
    embedding_size: int | None = None
    feed_forward_size: int | None = None
    vocabulary_size: int | None = None
    pooling: int | None = None
    has_chat_template: bool = False
    split: Split | None = None
    projector: ProjectorFacts | None = None
    weights: tuple[WeightGroup, ...] = ()
    caches: tuple[CacheGroup, ...] = ()
    talents: tuple[str, ...] = ()


def summarize(header: GgufHeader) -> GgufSummary:
    """The facts of one file. Nothing in it can make this fail; what is absent or absurd is None."""
    architecture = _text(header, "general.architecture") or "unknown"
    kind = _kind(header, architecture)
    heads = _size(header, f"{architecture}.attention.head_count")
    embedding = _size(header, f"{architecture}.embedding_length")
    per_head = (embedding // heads or None) if embedding and heads else None
    return GgufSummary(
        kind=kind,
        architecture=architecture,
        name=_text(header, "general.name") or _text(header, "general.basename") or "",
        quantization=_quantization(header),
        parameters=sum(tensor.elements for tensor in header.tensors),
        sizes=_tensor_sizes(header.tensors),
        context_length=_size(header, f"{architecture}.context_length"),
        layers=_size(header, f"{architecture}.block_count"),
        heads=heads,
        kv_heads=_size(header, f"{architecture}.attention.head_count_kv") or heads,
        key_size=_size(header, f"{architecture}.attention.key_length") or per_head,
        value_size=_size(header, f"{architecture}.attention.value_length") or per_head,
        embedding_size=embedding,
        feed_forward_size=_size(header, f"{architecture}.feed_forward_length"),
        vocabulary_size=_vocabulary(header, architecture),
        pooling=_size(header, f"{architecture}.pooling_type"),
        has_chat_template=bool(_text(header, "tokenizer.chat_template")),
        split=_split(header),
        projector=_projector(header) if kind is GgufKind.PROJECTOR else None,
        weights=_weights(header.tensors),
        caches=gguf_caches(header.metadata, architecture) if kind is GgufKind.MODEL else (),
        talents=template_capabilities(_text(header, "tokenizer.chat_template") or ""),
    )


def _text(header: GgufHeader, key: str) -> str | None:
    value = header.metadata.get(key)
    return value if isinstance(value, str) else None


def _size(header: GgufHeader, key: str) -> int | None:
    """A positive whole number, or the largest of an array of them; None for anything else."""
    value = header.metadata.get(key)
    candidates: Sequence[object] = (value.values or ()) if isinstance(value, GgufArray) else (value,)
    sizes = [size for size in candidates if isinstance(size, int) and not isinstance(size, bool)]
    largest = max(sizes, default=0)
    return largest if 0 < largest < _LARGEST_SIZE else None


def _kind(header: GgufHeader, architecture: str) -> GgufKind:
    declared = _text(header, "general.type")
    if declared == "mmproj" or architecture == "clip":
        return GgufKind.PROJECTOR
    if declared in (None, "model") and header.tensors and architecture != "imatrix":
        return GgufKind.MODEL
    return GgufKind.OTHER


def _quantization(header: GgufHeader) -> str | None:
    """The declared name, or the type that most bytes have."""
    declared = header.metadata.get("general.file_type")
    if isinstance(declared, int) and declared in FILE_TYPES:
        return FILE_TYPES[declared]
    by_type: dict[str, int] = {}
    for tensor in header.tensors:
        by_type[tensor.type.name] = by_type.get(tensor.type.name, 0) + tensor.bytes
    return max(by_type, key=lambda name: by_type[name], default=None)


def _tensor_sizes(tensors: Sequence[GgufTensor]) -> TensorSizes:
    sizes = dict.fromkeys(TensorSizes.__dataclass_fields__, 0)
    for tensor in tensors:
        sizes[_group(tensor.name)] += tensor.bytes
    return TensorSizes(**sizes)


def _weights(tensors: Sequence[GgufTensor]) -> tuple[WeightGroup, ...]:
    """All weights by part, type and whether they are matrices of linear layers."""
    sums: dict[tuple[str, str, bool], list[int]] = {}
    for tensor in tensors:
        linear = len(tensor.shape) > 1 and not tensor.name.startswith("token_embd")
        known = sums.setdefault((_group(tensor.name), tensor.type.name, linear), [0, 0])
        known[0] += tensor.elements
        known[1] += tensor.bytes
    return tuple(
        WeightGroup(part=ModelPart(part), dtype=dtype, elements=elements, bytes=size, linear=linear)
        for (part, dtype, linear), (elements, size) in sums.items()
    )


def _group(name: str) -> str:
    prefixes = {
        "token_embd": "embedding",
        "blk.": "layers",
        "output": "output",
        "v.": "vision",
        "mm.a.": "audio",
        "mm.": "projector",
        "a.": "audio",
    }
    return next((group for prefix, group in prefixes.items() if name.startswith(prefix)), "other")


def _vocabulary(header: GgufHeader, architecture: str) -> int | None:
    tokens = header.metadata.get("tokenizer.ggml.tokens")
    counted = tokens.count if isinstance(tokens, GgufArray) else None
    return _size(header, f"{architecture}.vocab_size") or counted or None


def _split(header: GgufHeader) -> Split | None:
    count = _size(header, "split.count")
    number = header.metadata.get("split.no")
    if count is None or count < 2 or not isinstance(number, int):
        return None
    return Split(number=number, count=count, tensors=_size(header, "split.tensors.count"))


def _projector(header: GgufHeader) -> ProjectorFacts:
    kind = _text(header, "clip.vision.projector_type") or _text(header, "clip.projector_type") or "mlp"
    merge_size = _merge_size(header, kind)
    side = (_size(header, "clip.vision.patch_size") or 0) * (merge_size or 1)
    return ProjectorFacts(
        type=kind,
        widths=_projector_widths(header),
        # Old files have a vision tower only and do not say so.
        sees=header.metadata.get("clip.has_vision_encoder", not header.metadata.get("clip.has_audio_encoder")) is True,
        hears=header.metadata.get("clip.has_audio_encoder") is True,
        image_size=_size(header, "clip.vision.image_size"),
        patch_size=_size(header, "clip.vision.patch_size"),
        merge_size=merge_size,
        width=_size(header, "clip.vision.embedding_length"),
        feed_forward=_size(header, "clip.vision.feed_forward_length"),
        heads=_size(header, "clip.vision.attention.head_count"),
        layers=_size(header, "clip.vision.block_count"),
        image_tokens_min=_image_tokens(header, "clip.vision.image_min_pixels", side),
        image_tokens_max=_image_tokens(header, "clip.vision.image_max_pixels", side),
        pixels_min=_size(header, "clip.vision.image_min_pixels"),
        pixels_max=_size(header, "clip.vision.image_max_pixels"),
        deepstack_levels=_deepstack_levels(header),
    )


def _deepstack_levels(header: GgufHeader) -> int:
    """How many layers of the tower are marked as kept beside the last one."""
    marks = header.metadata.get("clip.vision.is_deepstack_layers")
    return sum(value is True for value in marks.values or ()) if isinstance(marks, GgufArray) else 0


def _image_tokens(header: GgufHeader, key: str, side: int) -> int | None:
    """A bound in pixels as tokens of ``side`` by ``side`` pixels."""
    pixels = _size(header, key)
    return (pixels // side**2 or None) if pixels and side else None


def _merge_size(header: GgufHeader, kind: str) -> int | None:
    """Declared, or 2 for the Qwen family (llama.cpp: tools/mtmd/clip.cpp)."""
    declared = _size(header, "clip.vision.spatial_merge_size")
    return declared or (2 if re.match(r"qwen(2|2\.5|3)vl", kind) else None)


def _projector_widths(header: GgufHeader) -> tuple[int, ...]:
    """The declared width, then the output widths of the projector's own layers: the declared one is the tower's and
    not the projector's in older files (LLaVA)."""
    declared = _size(header, "clip.vision.projection_dim") or _size(header, "clip.audio.projection_dim")
    widths = [declared] if declared else []
    for tensor in reversed(header.tensors):
        if tensor.name.startswith("mm.") and tensor.name.endswith("weight"):
            widths.extend(tensor.shape[:2] if "input_projection" in tensor.name else tensor.shape[1:2])
    return tuple(dict.fromkeys(widths))
