"""Damages headers at random and reads them, in a process of its own: ``python header_fuzz.py COUNT SEED``.

Prints JSON: how many were read and refused, the slowest read in seconds, and by how many bytes the process grew. Any
exception but the readers' own ends it."""

import json
import random
import resource
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.gguf_files import write_model, write_projector

from aimindserve.domain.gguf import GgufError, read_header
from aimindserve.domain.gguf_facts import summarize
from aimindserve.domain.hf_config import chat_template, parse_config, parse_image_pixels, parse_params
from aimindserve.domain.hf_json import ConfigError
from aimindserve.domain.hf_vision import image_tokens
from aimindserve.domain.hf_weights import parse_safetensors_header

EDGES = (0, 1, 2, 3, 127, 128, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1)
SNIPPETS = (
    *(b"null", b"true", b"-1", b"1e999", b"NaN", b'""', b"[]", b"{}", b"[[[[[[", b'{"a":', b"9" * 400, b"0.5"),
    *(b'"\\ud800"', b"\xff\xfe", b"\x00" * 8, b'"text_config":{},', b'"layer_types":["x",3],', b"18446744073709551616"),
)
CONFIG = json.dumps(
    {
        "architectures": ["Qwen2VLForConditionalGeneration"], "model_type": "qwen2_vl", "hidden_size": 3584,
        "num_attention_heads": 28, "num_hidden_layers": 28, "num_key_value_heads": 4, "sliding_window": 4096,
        "layer_types": ["full_attention", "sliding_attention"], "torch_dtype": "bfloat16", "vocab_size": 152064,
        "quantization_config": {"quant_method": "awq", "bits": 4, "config_groups": {"g": {"weights": {"num_bits": 4}}}},
        "auto_map": {"AutoModel": "modeling.X"}, "image_grid_pinpoints": [[336, 672], [672, 336]],
        "vision_config": {"depth": 32, "embed_dim": 1280, "patch_size": 14, "spatial_merge_size": 2, "mlp_ratio": 4},
    }
).encode()  # fmt: skip
PARAMS = json.dumps(
    {"dim": 5120, "n_layers": 40, "head_dim": 128, "hidden_dim": 14336, "n_heads": 32, "n_kv_heads": 8,
     "vision_encoder": {"hidden_size": 1024, "image_size": 1024, "patch_size": 16}, "quantization": {}}
).encode()  # fmt: skip
PROCESSOR = b'{"min_pixels": 3136, "max_pixels": 12845056, "size": {"shortest_edge": 448}, "num_crops": 4}'
SAFETENSORS = json.dumps(
    {"model.layers.0.q.weight": {"dtype": "BF16", "shape": [64, 64], "data_offsets": [0, 8192]},
     "model.layers.0.q.qweight": {"dtype": "I32", "shape": [16], "data_offsets": [8192, 8256]}}
).encode()  # fmt: skip
FAMILIES = (
    b"phi3_v",
    b"mllama",
    b"llava",
    b"internvl_chat",
    b"gemma3",
    b"idefics3",
    b"minicpmv",
    b"glm4v",
    b"mistral3",
)


def seeds() -> list[tuple[Callable[[bytes], object], bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        model = write_model(Path(folder) / "m.gguf", kv_heads=[1, 2]).read_bytes()
        projector = write_projector(Path(folder) / "p.gguf").read_bytes()
    return [
        (lambda raw: summarize(read_header(raw)), model),
        (lambda raw: summarize(read_header(raw)), projector),
        (lambda raw: parse_safetensors_header(raw, 8256, 4), SAFETENSORS),
        (_config, CONFIG),
        (parse_params, PARAMS),
        (lambda raw: (parse_image_pixels(raw), chat_template(raw), parse_config(CONFIG, raw)), PROCESSOR),
    ]


def _config(raw: bytes) -> object:
    found = parse_config(raw, PROCESSOR)
    return image_tokens(found.vision) if found.vision else None


def damage(source: random.Random, raw: bytes) -> bytes:
    data = bytearray(raw)
    for _ in range(source.randint(1, 6)):
        at = source.randrange(len(data) + 1)
        what = source.randrange(8)
        if what == 0 and at < len(data):
            data[at] ^= 1 << source.randrange(8)
        elif what == 1:
            data[at : at + 8] = struct.pack("<Q", source.choice(EDGES))
        elif what == 2:
            data[at : at + 4] = struct.pack("<I", source.choice(EDGES) & 0xFFFFFFFF)
        elif what == 3:
            data[at:at] = source.choice(SNIPPETS)
        elif what == 4:
            del data[at : at + source.randrange(1, 64)]
        elif what == 5:
            data[at:at] = data[at : at + source.randrange(1, 256)]
        elif what == 6:
            data = data.replace(b"qwen2_vl", source.choice(FAMILIES))
        else:
            del data[at:]
        if not data:
            return b""
    return bytes(data)


def main(count: int, seed: int) -> dict[str, float]:
    source, cases = random.Random(seed), seeds()
    for parse, raw in cases:
        parse(raw)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read = refused = 0
    slowest = 0.0
    for number in range(count):
        parse, raw = cases[number % len(cases)]
        data = damage(source, raw)
        started = time.perf_counter()
        try:
            parse(data)
            read += 1
        except (GgufError, ConfigError):
            refused += 1
        slowest = max(slowest, time.perf_counter() - started)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    return {"read": read, "refused": refused, "slowest": slowest, "grown": grown}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
