"""Facts of a Hugging Face folder: ``config.json`` and the headers of its safetensors files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from aimindserve.domain.facts import VisionFacts

# The safetensors format's own limit on its JSON header.
MAX_SAFETENSORS_HEADER = 100_000_000
MAX_CONFIG = 4 * 1024 * 1024
_LARGEST_SIZE = 1 << 31
_DTYPE_BITS = {
    **dict.fromkeys(("F64", "I64", "U64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "I8", "U8", "BOOL"), 8),
}

Json = Mapping[str, object]


class ConfigError(Exception):
    """A configuration or a header is not what it should be; the message says how."""


@dataclass(frozen=True, slots=True)
class HfConfig:
    """What ``config.json`` tells; None where it does not."""

    architecture: str
    context_length: int | None
    layers: int | None
    heads: int | None
    kv_heads: int | None
    head_size: int | None
    embedding_size: int | None
    feed_forward_size: int | None
    vocabulary_size: int | None
    quantization: str | None
    vision: VisionFacts | None


def parse_config(raw: bytes) -> HfConfig:
    """The facts in a ``config.json``. Raises ConfigError."""
    config = _object(raw)
    text = _section(config, "text_config", "llm_config", "language_config") or config
    names = config.get("architectures")
    architecture = cast("list[object]", names)[0] if isinstance(names, list) and names else config.get("model_type")
    if not isinstance(architecture, str) or not architecture:
        raise ConfigError("it names no architecture")
    embedding = _size(text, "hidden_size", "n_embd", "d_model", "dim")
    heads = _size(text, "num_attention_heads", "n_head", "n_heads")
    return HfConfig(
        architecture=architecture,
        context_length=_size(text, "max_position_embeddings", "n_positions", "max_seq_len"),
        layers=_size(text, "num_hidden_layers", "n_layer", "n_layers"),
        heads=heads,
        kv_heads=_size(text, "num_key_value_heads", "n_kv_heads") or heads,
        head_size=_size(text, "head_dim") or ((embedding // heads or None) if embedding and heads else None),
        embedding_size=embedding,
        feed_forward_size=_size(text, "intermediate_size", "n_inner", "hidden_dim"),
        vocabulary_size=_size(text, "vocab_size") or _size(config, "vocab_size"),
        quantization=_quantization(config),
        vision=_vision(config, architecture),
    )


def parse_image_pixels(raw: bytes) -> tuple[int | None, int | None]:
    """The smallest and the largest picture in pixels that a ``preprocessor_config.json`` allows. Raises ConfigError."""
    config = _object(raw)
    size = _section(config, "size") or {}
    smallest = _size(config, "min_pixels") or _size(size, "shortest_edge")
    largest = _size(config, "max_pixels") or _size(size, "longest_edge")
    return smallest, largest


def parse_safetensors_header(raw: bytes, data_size: int) -> int:
    """The number of parameters in a safetensors file, from its JSON header. ``data_size``: bytes after the header.

    Raises ConfigError unless the tensors lie one after the other and fill the data exactly
    (https://huggingface.co/docs/safetensors, "Format").
    """
    spans: list[tuple[int, int]] = []
    parameters = 0
    for name, value in _object(raw).items():
        if name == "__metadata__":
            continue
        begin, end, elements = _tensor(name, value)
        spans.append((begin, end))
        parameters += elements
    position = 0
    for begin, end in sorted(spans):
        if begin != position:
            raise ConfigError(f"its tensors leave a gap or overlap at byte {position}")
        position = end
    if position != data_size:
        raise ConfigError(f"its tensors take {position} bytes and {data_size} are there")
    return parameters


def _tensor(name: str, value: object) -> tuple[int, int, int]:
    problem = ConfigError(f"the entry {name[:80]!r} is not a tensor")
    if not isinstance(value, dict):
        raise problem
    entry = cast("Json", value)
    shape, offsets, dtype = entry.get("shape"), entry.get("data_offsets"), entry.get("dtype")
    if not _whole_numbers(shape) or not _whole_numbers(offsets) or not isinstance(dtype, str):
        raise problem
    dimensions, ends = cast("list[int]", shape), cast("list[int]", offsets)
    if len(ends) != 2 or len(dimensions) > 16 or ends[1] < ends[0]:
        raise problem
    elements = 1
    for size in dimensions:
        elements *= size
    bits = _DTYPE_BITS.get(dtype)
    if bits is not None and elements * bits != 8 * (ends[1] - ends[0]):
        raise problem
    return ends[0], ends[1], elements


def _whole_numbers(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, int) and not isinstance(item, bool) and item >= 0 for item in cast("list[object]", value)
    )


def _object(raw: bytes) -> Json:
    try:
        value: object = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ConfigError("it is not JSON") from error
    if not isinstance(value, dict):
        raise ConfigError("it is not a JSON object")
    return cast("Json", value)


def _section(config: Json, *names: str) -> Json | None:
    for name in names:
        value = config.get(name)
        if isinstance(value, dict):
            return cast("Json", value)
    return None


def _size(config: Json, *names: str) -> int | None:
    for name in names:
        value = config.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LARGEST_SIZE:
            return value
    return None


def _quantization(config: Json) -> str | None:
    """The quantization method, or the type of the weights."""
    section = _section(config, "quantization_config")
    method = section.get("quant_method") if section else None
    dtype = config.get("dtype") or config.get("torch_dtype")
    chosen = method or dtype
    return chosen if isinstance(chosen, str) else None


def _vision(config: Json, architecture: str) -> VisionFacts | None:
    tower = _section(config, "vision_config", "vision_encoder", "visual", "img_processor")
    if tower is None:
        return None
    kind = tower.get("model_type")
    return VisionFacts(
        kind=kind if isinstance(kind, str) else architecture,
        # Qwen2-VL calls the tower's own width embed_dim; its hidden_size is that of the language model.
        width=_size(tower, "embed_dim", "hidden_size"),
        feed_forward_size=_size(tower, "intermediate_size"),
        heads=_size(tower, "num_heads", "num_attention_heads", "attention_heads"),
        layers=_size(tower, "depth", "num_hidden_layers"),
        image_size=_size(tower, "image_size"),
        patch_size=_size(tower, "patch_size"),
        merge_size=_size(tower, "spatial_merge_size"),
    )
