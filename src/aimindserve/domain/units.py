"""Bytes and counts as people read and write them."""

import re

KIB = 1024
MIB = 1024**2
GIB = 1024**3


_COUNTS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}


def parse_count(text: str) -> int:
    """A count as people write a model's parameters: ``7B``, ``500M``, ``1.5b``, ``2000``. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)\s*([kmbt]?)", text.strip().lower())
    if found is None:
        raise ValueError(f"{text!r} is no count: write it like 7B, 500M or 2000000")
    return round(float(found[1]) * _COUNTS[found[2]])


def format_bytes(count: int) -> str:
    """Bytes in the largest binary unit that keeps the number at or above one: ``1.5 GiB``."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size) < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
