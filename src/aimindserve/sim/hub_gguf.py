"""GGUF bytes for emulated hubs: true headers over zeros, and the declared type of a file that exists. Pure.

Which tensor gets which type follows ``llama_tensor_get_type`` of llama.cpp (src/llama-quant.cpp) closely enough that
sizes agree with published ones within a few per cent; names and shapes are those of convert_hf_to_gguf.py.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from aimindserve.domain.gguf_types import FILE_TYPES, TENSOR_TYPES
from aimindserve.sim.hub_files import Virtual

_FILE_NUMBERS = {name: number for number, name in FILE_TYPES.items()}
_TENSOR_NUMBERS = {kind.name: number for number, kind in TENSOR_TYPES.items()}
# Names that llama.cpp does not know: the same type with other tensors kept finer, or packed for certain processors.
ALIASES = {
    "Q6_K_L": "Q6_K", "Q5_K_L": "Q5_K_M", "Q4_K_L": "Q4_K_M", "Q3_K_XL": "Q3_K_L", "Q2_K_L": "Q2_K",
    "Q4_0_4_4": "Q4_0", "Q4_0_4_8": "Q4_0", "Q4_0_8_8": "Q4_0",
}  # fmt: skip
# Most tensors; attn_v; attn_output; ffn_down. "a/b": a in the layers that get more bits, else b.
_MIXES: Mapping[str, tuple[str, str, str, str]] = {
    "Q2_K": ("Q2_K", "Q4_K", "Q3_K", "Q3_K"),
    "IQ2_M": ("IQ2_S", "Q4_K", "IQ3_S", "IQ3_S/IQ2_S"),
    "IQ3_XS": ("IQ3_S", "Q4_K", "IQ3_S", "IQ3_S"),
    "IQ3_M": ("IQ3_S", "Q4_K", "Q4_K", "Q4_K/IQ3_S"),
    "Q3_K_M": ("Q3_K", "Q4_K", "Q4_K", "Q4_K"),
    "Q3_K_L": ("Q3_K", "Q5_K", "Q5_K", "Q5_K"),
    "Q3_K_S": ("Q3_K", "Q3_K", "Q3_K", "Q3_K"),
    "IQ4_XS": ("IQ4_XS", "Q5_K", "IQ4_XS", "Q5_K/IQ4_XS"),
    "IQ4_NL": ("IQ4_NL", "Q5_K", "IQ4_NL", "Q5_K/IQ4_NL"),
    "Q4_K_S": ("Q4_K", "Q5_K/Q4_K", "Q4_K", "Q5_K/Q4_K"),
    "Q4_K_M": ("Q4_K", "Q6_K/Q4_K", "Q4_K", "Q6_K/Q4_K"),
    "Q5_K_S": ("Q5_K", "Q5_K", "Q5_K", "Q5_K"),
    "Q5_K_M": ("Q5_K", "Q6_K/Q5_K", "Q5_K", "Q6_K/Q5_K"),
}
_UINT32 = 4
_KEY = b"general.file_type"
_ALIGNMENT = 32


class Weight(NamedTuple):
    """A tensor of a GGUF file; ``dims``: the fastest running first."""

    name: str
    dims: tuple[int, ...]
    type: str

    @property
    def size(self) -> int:
        """Bytes."""
        kind = TENSOR_TYPES[_TENSOR_NUMBERS[self.type]]
        return math.prod(self.dims) // kind.block * kind.bytes


class Numbers(NamedTuple):
    """A metadata value of a type that Python's own do not tell: ``code`` is the GGUF type's number."""

    code: int
    value: int


def with_file_type(data: bytes, name: str) -> bytes:
    """A GGUF file that declares itself to be of the type ``name``; nothing else changes.

    Two names of one type get different bytes all the same (zeros at the end), so that no two files share a digest.
    """
    place = data.index(struct.pack("<Q", len(_KEY)) + _KEY) + 8 + len(_KEY)
    kind = _FILE_NUMBERS[ALIASES.get(name, name)]
    padding = 32 * (1 + sorted(ALIASES).index(name)) if name in ALIASES else 0
    return data[:place] + struct.pack("<II", _UINT32, kind) + data[place + 8 :] + bytes(padding)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Any) -> bytes:
    if isinstance(value, Numbers):
        return struct.pack("<I", value.code) + struct.pack({2: "<H", 5: "<i"}[value.code], value.value)
    if isinstance(value, bool):
        return struct.pack("<IB", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", _UINT32, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value[0], str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(_text(item) for item in value)
    kind, letter = (6, "f") if isinstance(value[0], float) else (5, "i")
    return struct.pack("<IIQ", 9, kind, len(value)) + struct.pack(f"<{len(value)}{letter}", *value)


@cache
def _vocabulary(size: int) -> tuple[int, bytes]:
    """Keys of a vocabulary of that size, as long as a real one's: how many, and their bytes."""
    keys = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": [f"{number:06x}" for number in range(size)],
        "tokenizer.ggml.token_type": [1] * size,
        "tokenizer.ggml.merges": [f"{number:05x} {number:05x}" for number in range(size)],
        "tokenizer.ggml.eos_token_id": size - 1,
    }
    return len(keys), b"".join(_text(key) + _value(value) for key, value in keys.items())


def virtual(metadata: Mapping[str, Any], weights: Sequence[Weight], vocabulary: int = 0) -> Virtual:
    """A GGUF file of true size: header with these keys and tensors, then zeros."""
    count, words = _vocabulary(vocabulary) if vocabulary else (0, b"")
    start = struct.pack("<4sIQQ", b"GGUF", 3, len(weights), len(metadata) + count)
    keys = b"".join(_text(key) + _value(value) for key, value in metadata.items())
    infos: list[bytes] = []
    offset = 0
    for weight in weights:
        dims = struct.pack(f"<I{len(weight.dims)}Q", len(weight.dims), *weight.dims)
        infos.append(_text(weight.name) + dims + struct.pack("<IQ", _TENSOR_NUMBERS[weight.type], offset))
        offset += weight.size + -weight.size % _ALIGNMENT
    parts = [start, keys, words, *infos]
    parts.append(bytes(-sum(map(len, parts)) % _ALIGNMENT))
    return Virtual(sum(map(len, parts)) + offset, lambda: b"".join(parts))


def _type(mix: str, layer: int, layers: int) -> str:
    more, _, less = mix.partition("/")
    eighth = layers // 8
    finer = layer < eighth or layer >= 7 * eighth or (layer - eighth) % 3 == 2
    return more if finer or not less else less


def _layer(told: Mapping[str, Any], layer: int, mix: tuple[str, str, str, str]) -> list[Weight]:
    width, inner, block = told["width"], told["inner"], f"blk.{layer}"
    keys = told["kv_heads"] * (width // told["heads"])
    base, value, output, down = (_type(part, layer, told["layers"]) for part in mix)
    weights = [Weight(f"{block}.attn_norm.weight", (width,), "F32")]
    for name, out, kind in (("attn_q", width, base), ("attn_k", keys, base), ("attn_v", keys, value)):
        weights += [Weight(f"{block}.{name}.weight", (width, out), kind), Weight(f"{block}.{name}.bias", (out,), "F32")]
    return [
        *weights,
        Weight(f"{block}.attn_output.weight", (width, width), output),
        Weight(f"{block}.ffn_norm.weight", (width,), "F32"),
        Weight(f"{block}.ffn_gate.weight", (width, inner), base),
        Weight(f"{block}.ffn_up.weight", (width, inner), base),
        Weight(f"{block}.ffn_down.weight", (inner, width), down),
    ]


def language_model(told: Mapping[str, Any], name: str) -> list[Weight]:
    """The tensors of a Qwen2 text model with the quantization ``name``."""
    known = ALIASES.get(name, name)
    mix = _MIXES.get(known, (known, known, known, known))
    plain = known in {"F32", "F16", "BF16", "Q8_0"}
    finest = "Q8_0" if name in ALIASES and name.endswith("L") else known if plain else "Q6_K"
    width, words = told["width"], told["vocabulary"]
    weights = [Weight("token_embd.weight", (width, words), finest if told["tied"] or finest == "Q8_0" else mix[0])]
    for layer in range(told["layers"]):
        weights += _layer(told, layer, mix)
    weights.append(Weight("output_norm.weight", (width,), "F32"))
    if not told["tied"]:
        weights.append(Weight("output.weight", (width, words), finest))
    return weights


def projector(told: Mapping[str, Any], name: str) -> list[Weight]:
    """The tensors of a Qwen2-VL vision tower for text models that are ``told["width"]`` wide."""
    inside, merged = 1280, 5120

    def linear(title: str, width_in: int, width_out: int) -> list[Weight]:
        return [Weight(f"{title}.weight", (width_in, width_out), name), Weight(f"{title}.bias", (width_out,), "F32")]

    def norm(title: str) -> list[Weight]:
        return [Weight(f"{title}.{part}", (inside,), "F32") for part in ("weight", "bias")]

    weights = [Weight(f"v.patch_embd.weight{part}", (14, 14, 3, inside), name) for part in ("", ".1")]
    for layer in range(32):
        block = f"v.blk.{layer}"
        weights += norm(f"{block}.ln1") + norm(f"{block}.ln2")
        for part in ("attn_q", "attn_k", "attn_v", "attn_out"):
            weights += linear(f"{block}.{part}", inside, inside)
        weights += linear(f"{block}.ffn_down", inside, merged) + linear(f"{block}.ffn_up", merged, inside)
    return weights + norm("v.post_ln") + linear("mm.0", merged, merged) + linear("mm.2", merged, told["width"])


def model_file(told: Mapping[str, Any], name: str, part: tuple[int, int] = (0, 1)) -> Virtual:
    """A text model's file with the quantization ``name``; ``part``: which (from 0) of how many it is split into."""
    number, count = part
    weights = language_model(told, name)
    split = {
        "split.no": Numbers(2, number),
        "split.count": Numbers(2, count),
        "split.tensors.count": Numbers(5, len(weights)),
    }
    own = weights[number * len(weights) // count : (number + 1) * len(weights) // count]
    if number:
        return virtual(split, own)
    kind = told["architecture"]
    metadata: dict[str, Any] = {
        "general.architecture": kind,
        "general.type": "model",
        "general.name": told["name"],
        "general.file_type": _FILE_NUMBERS[ALIASES.get(name, name)],
        "general.quantization_version": 2,
        f"{kind}.block_count": told["layers"],
        f"{kind}.context_length": told["context"],
        f"{kind}.embedding_length": told["width"],
        f"{kind}.feed_forward_length": told["inner"],
        f"{kind}.attention.head_count": told["heads"],
        f"{kind}.attention.head_count_kv": told["kv_heads"],
        f"{kind}.attention.layer_norm_rms_epsilon": 1e-6,
        f"{kind}.rope.freq_base": 1e6,
        "tokenizer.chat_template": told["template"],
    }
    if kind == "qwen2vl":
        metadata[f"{kind}.rope.dimension_sections"] = [16, 24, 24, 0]
    return virtual(metadata | (split if count > 1 else {}), own, told["vocabulary"])


def projector_file(told: Mapping[str, Any], name: str) -> Virtual:
    """The projector's file with the precision ``name``."""
    metadata = {
        "general.architecture": "clip",
        "general.description": "image encoder for Qwen2VL",
        "general.file_type": _FILE_NUMBERS[name],
        "clip.has_text_encoder": False,
        "clip.has_vision_encoder": True,
        "clip.has_qwen2vl_merger": True,
        "clip.projector_type": "qwen2vl_merger",
        "clip.use_silu": False,
        "clip.use_gelu": False,
        "clip.vision.patch_size": 14,
        "clip.vision.image_size": 560,
        "clip.vision.embedding_length": 1280,
        "clip.vision.projection_dim": told["width"],
        "clip.vision.attention.head_count": 16,
        "clip.vision.attention.layer_norm_epsilon": 1e-6,
        "clip.vision.block_count": 32,
        "clip.vision.feed_forward_length": 0,
        "clip.vision.image_mean": [0.48145466, 0.4578275, 0.40821073],
        "clip.vision.image_std": [0.26862954, 0.26130258, 0.27577711],
    }
    return virtual(metadata, projector(told, name))
