"""Checkpoints whose headers are true and whose weights are zeros: safetensors files and their index. Pure."""

import json
import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from aimindserve.sim.hub_files import Content, Held, Virtual
from aimindserve.sim.hub_tensors import ARCHITECTURES, Tensor

_BYTES = {"BF16": 2, "F32": 4}


def _size(tensor: Tensor, dtype: str) -> int:
    return math.prod(tensor.shape) * _BYTES[dtype]


def header(tensors: Sequence[Tensor], dtype: str) -> bytes:
    """The beginning of a safetensors file; the weights follow in the order of their names, without gaps."""
    told: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for tensor in sorted(tensors):
        end = offset + _size(tensor, dtype)
        told[tensor.name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(told, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def shares(tensors: Iterable[Tensor], most: int, dtype: str) -> list[list[Tensor]]:
    """How tensors are shared out over files of at most ``most`` bytes of weights, as transformers saves them."""
    files: list[list[Tensor]] = [[]]
    filled = 0
    for tensor in tensors:
        size = _size(tensor, dtype)
        if filled and filled + size > most:
            files.append([])
            filled = 0
        files[-1].append(tensor)
        filled += size
    return files


def checkpoint(told: dict[str, Any], config: dict[str, Any]) -> Iterator[tuple[str, Content]]:
    """Files of a checkpoint by name. ``told``: ``architecture``, ``name`` (default ``model``), ``dtype`` and ``shard``,
    the most bytes of one file."""
    name, dtype = told.get("name", "model"), told.get("dtype", "BF16")
    files = shares(ARCHITECTURES[told["architecture"]](config), told.get("shard", 1 << 60), dtype)
    places: dict[str, str] = {}
    for number, tensors in enumerate(files, 1):
        path = f"{name}.safetensors" if len(files) == 1 else f"{name}-{number:05}-of-{len(files):05}.safetensors"
        places |= {tensor.name: path for tensor in tensors}
        weights = sum(_size(tensor, dtype) for tensor in tensors)
        yield path, Virtual(len(header(tensors, dtype)) + weights, partial(header, tensors, dtype))
    if len(files) > 1:
        total = sum(_size(tensor, dtype) for tensors in files for tensor in tensors)
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
        yield f"{name}.safetensors.index.json", Held(json.dumps(index, indent=2).encode())


def parameters(told: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """What a hub tells of the checkpoint: parameters by dtype, and all of them."""
    total = sum(math.prod(tensor.shape) for tensor in ARCHITECTURES[told["architecture"]](config))
    return {"parameters": {told.get("dtype", "BF16"): total}, "total": total}
