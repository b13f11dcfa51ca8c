"""GGUF bytes for emulated hubs: headers, and the declared type of a file that exists. Pure."""

import struct

from aimindserve.domain.gguf_types import FILE_TYPES

_NUMBERS = {name: number for number, name in FILE_TYPES.items()}
# Names that llama.cpp does not know: the same type with other tensors kept finer, or packed for certain processors.
ALIASES = {
    "Q6_K_L": "Q6_K", "Q5_K_L": "Q5_K_M", "Q4_K_L": "Q4_K_M", "Q3_K_XL": "Q3_K_L", "Q2_K_L": "Q2_K",
    "Q4_0_4_4": "Q4_0", "Q4_0_4_8": "Q4_0", "Q4_0_8_8": "Q4_0",
}  # fmt: skip
_UINT32 = 4
_KEY = b"general.file_type"


def with_file_type(data: bytes, name: str) -> bytes:
    """A GGUF file that declares itself to be of the type ``name``; nothing else changes.

    Two names of one type get different bytes all the same (zeros at the end), so that no two files share a digest.
    """
    place = data.index(struct.pack("<Q", len(_KEY)) + _KEY) + 8 + len(_KEY)
    kind = _NUMBERS[ALIASES.get(name, name)]
    padding = 32 * (1 + sorted(ALIASES).index(name)) if name in ALIASES else 0
    return data[:place] + struct.pack("<II", _UINT32, kind) + data[place + 8 :] + bytes(padding)
