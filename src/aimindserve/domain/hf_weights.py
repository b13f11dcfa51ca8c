"""What a checkpoint's safetensors files hold, from their headers alone.

Format: u64 length of the header | JSON header | tensor data (https://huggingface.co/docs/safetensors)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from aimindserve.domain.facts import ModelPart, WeightGroup
from aimindserve.domain.hf_json import ConfigError, Json, json_object
from aimindserve.domain.units import MIB

# The format allows 100 MB; the largest checkpoints have less than 3 MB in one file.
MAX_SAFETENSORS_HEADER = 16 * MIB
_DTYPE_BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I8", "U8", "BOOL"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}
_WHOLE = frozenset({"I64", "U64", "I32", "U32", "I16", "U16", "I8", "U8"})
# Tensors that describe how others were quantised: no weights of the model.
_SCALES = re.compile(
    r"(scales?|qzeros|g_idx|weight_scale(_inv|_2)?|input_scale|weight_zero_point|weight_shape|absmax|quant_map"
    r"|nested_absmax|nested_quant_map|[kvq]_scale|input_global_scale|weight_global_scale|.*bitsandbytes__.*)"
)
_PARTS: tuple[tuple[ModelPart, re.Pattern[str]], ...] = (
    (
        ModelPart.PROJECTOR,
        re.compile(
            r"multi_modal_projector|mm_projector|(^|\.)merger\.|img_projection|^mlp1\.|resampler\.|vision_language_adapter"
            r"|(^|\.)connector\.|embed_vision|patch_merger|deepstack_merger|image_newline|modality_projection"
        ),
    ),
    (
        ModelPart.AUDIO,
        re.compile(
            r"audio_tower|audio_encoder|(^|\.)apm\.|audio_projection|embed_audio|(^|\.)audio_embed|^encoder\.conv"
        ),
    ),
    (
        ModelPart.VISION,
        re.compile(
            r"(^|\.)visual\.|vision_tower|vision_model|vision_encoder|img_processor|(^|\.)vpm\.|vision_embed_tokens"
            r"|(^|\.)vision\."
        ),
    ),
    (ModelPart.OUTPUT, re.compile(r"lm_head|^output\.weight|output_layer|embed_out")),
    (ModelPart.EMBEDDING, re.compile(r"embed_tokens|tok_embeddings|(^|\.)wte\.|word_embeddings|(^|\.)embed_in")),
    (ModelPart.LAYERS, re.compile(r"(^|\.)(layers|h|blocks|layer)\.\d+\.")),
)
_NEVER_QUANTISED = re.compile(
    r"norm|(^|\.)(embed_tokens|tok_embeddings|wte|embeddings|word_embeddings|patch_embed\w*|position_embedding)\."
    r"|(^|\.)gate\.weight$|router|conv|rotary|inv_freq|A_log|lm_head|^output\.weight"
)


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of one file or of several together."""

    groups: tuple[WeightGroup, ...] = ()
    parameters: int = 0

    @property
    def bytes(self) -> int:
        """Bytes of tensor data."""
        return sum(group.bytes for group in self.groups)


def parse_safetensors_header(raw: bytes, data_size: int, bits: int | None = None) -> Weights:
    """The weights in a safetensors file, from its JSON header.

    ``data_size``: bytes after the header; ``bits``: of a weight in packed whole numbers (quantised checkpoints).
    Raises ConfigError unless the tensors lie one after the other and fill the data exactly.
    """
    spans: list[tuple[int, int]] = []
    sums: dict[tuple[ModelPart, str, bool], list[int]] = {}
    parameters = 0
    for name, value in json_object(raw).items():
        if name == "__metadata__":
            continue
        tensor = _tensor(name, value)
        spans.append((tensor.begin, tensor.end))
        known = sums.setdefault((part_of(name), tensor.dtype, tensor.linear), [0, 0])
        known[0] += tensor.elements
        known[1] += tensor.end - tensor.begin
        parameters += _parameters(name, tensor, bits)
    _check_spans(spans, data_size)
    groups = tuple(
        WeightGroup(part=part, dtype=dtype, elements=elements, bytes=size, linear=linear)
        for (part, dtype, linear), (elements, size) in sums.items()
    )
    return Weights(groups, parameters)


def join_weights(files: Iterable[Weights]) -> Weights:
    """The weights of several files together."""
    sums: dict[tuple[ModelPart, str, bool], list[int]] = {}
    parameters = 0
    for weights in files:
        parameters += weights.parameters
        for group in weights.groups:
            known = sums.setdefault((group.part, group.dtype, group.linear), [0, 0])
            known[0] += group.elements
            known[1] += group.bytes
    groups = (
        WeightGroup(part=part, dtype=dtype, elements=elements, bytes=size, linear=linear)
        for (part, dtype, linear), (elements, size) in sums.items()
    )
    return Weights(tuple(groups), parameters)


def part_of(name: str) -> ModelPart:
    """What a tensor is for, by its name."""
    return next((part for part, pattern in _PARTS if pattern.search(name)), ModelPart.OTHER)


@dataclass(frozen=True, slots=True)
class _Tensor:
    dtype: str
    begin: int
    end: int
    elements: int
    linear: bool


def _tensor(name: str, value: object) -> _Tensor:
    problem = ConfigError(f"the entry {name[:80]!r} is not a tensor")
    if not isinstance(value, dict):
        raise problem
    entry = cast("Json", value)
    shape, offsets, dtype = entry.get("shape"), entry.get("data_offsets"), entry.get("dtype")
    if not _whole_numbers(shape) or not _whole_numbers(offsets) or not isinstance(dtype, str):
        raise problem
    dimensions, ends = cast("list[int]", shape), cast("list[int]", offsets)
    if len(ends) != 2 or len(dimensions) > 16 or ends[1] < ends[0] or max(ends) >= 1 << 63:
        raise problem
    elements = 1
    for count in dimensions:
        elements *= count
        if elements >= 1 << 63:
            raise problem
    bits = _DTYPE_BITS.get(dtype)
    if bits is not None and elements * bits != 8 * (ends[1] - ends[0]):
        raise problem
    linear = len(dimensions) > 1 and not _NEVER_QUANTISED.search(name) and not _is_scale(name)
    return _Tensor(dtype[:32], ends[0], ends[1], elements, linear)


def _is_scale(name: str) -> bool:
    return bool(_SCALES.fullmatch(name.rpartition(".")[2])) or "bitsandbytes__" in name


def _parameters(name: str, tensor: _Tensor, bits: int | None) -> int:
    """How many of the model's weights a tensor holds: several in each whole number where they are packed."""
    if _is_scale(name):
        return 0
    stored = _DTYPE_BITS.get(tensor.dtype, 0)
    if bits and tensor.dtype in _WHOLE and stored > bits:
        return tensor.elements * stored // bits
    return tensor.elements


def _check_spans(spans: list[tuple[int, int]], data_size: int) -> None:
    position = 0
    for begin, end in sorted(spans):
        if begin != position:
            raise ConfigError(f"its tensors leave a gap or overlap at byte {position}")
        position = end
    if position != data_size:
        raise ConfigError(f"its tensors take {position} bytes and {data_size} are there")


def _whole_numbers(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, int) and not isinstance(item, bool) and item >= 0 for item in cast("list[object]", value)
    )
