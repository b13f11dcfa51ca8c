"""Small GGUF files written by the ``gguf`` package, an implementation that is not ours."""

from pathlib import Path

import gguf
import numpy as np

WIDTH = 64


def write_model(
    path: Path,
    *,
    architecture: str = "qwen2vl",
    name: str = "Tiny Test",
    width: int = WIDTH,
    kv_heads: int | list[int] = 1,
    layers: int = 2,
    file_type: int = gguf.LlamaFileType.MOSTLY_F16,
    split: tuple[int, int] | None = None,
    tokens: int = 50,
) -> Path:
    """A language model with random weights that no engine could use, but whose header is complete."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("model")
    writer.add_name(name)
    writer.add_file_type(file_type)
    writer.add_context_length(4096)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(2 * width)
    writer.add_block_count(layers)
    writer.add_head_count(2)
    writer.add_head_count_kv(kv_heads)
    writer.add_token_list([f"t{number}" for number in range(tokens)])
    writer.add_chat_template("{{ messages }}")
    if split is not None:
        writer.add_uint16("split.no", split[0])
        writer.add_uint16("split.count", split[1])
    writer.add_tensor("token_embd.weight", np.zeros((tokens, width), np.float16))
    for layer in range(layers):
        writer.add_tensor(f"blk.{layer}.attn_q.weight", np.zeros((width, width), np.float16))
    writer.add_tensor("output_norm.weight", np.zeros(width, np.float32))
    _finish(writer)
    return path


def write_projector(
    path: Path,
    *,
    name: str = "Tiny Test",
    kind: str = "qwen2vl_merger",
    width: int = WIDTH,
    precision: str = "F16",
) -> Path:
    """A vision projector for models that are ``width`` wide. ``precision`` is only declared."""
    dtype = np.float16
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_type("mmproj")
    writer.add_name(name)
    writer.add_file_type(next(int(kind) for kind in gguf.LlamaFileType if kind.name.endswith("_" + precision)))
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_string("clip.projector_type", kind)
    writer.add_uint32("clip.vision.projection_dim", width)
    writer.add_uint32("clip.vision.image_size", 560)
    writer.add_uint32("clip.vision.patch_size", 14)
    writer.add_uint32("clip.vision.embedding_length", 32)
    writer.add_uint32("clip.vision.feed_forward_length", 96)
    writer.add_uint32("clip.vision.block_count", 3)
    writer.add_uint32("clip.vision.attention.head_count", 4)
    writer.add_tensor("v.patch_embd.weight", np.zeros((32, 3, 14, 14), dtype))
    writer.add_tensor("mm.2.weight", np.zeros((width, 128), dtype))
    _finish(writer)
    return path


def _finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
