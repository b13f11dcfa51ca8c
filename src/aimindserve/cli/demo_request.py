"""The picture and the question of the ready ``curl`` of ``aimindserve start --demo``."""

from __future__ import annotations

import json
import struct
import zlib
from base64 import b64encode
from pathlib import Path

SIDE = 112  # the demo model was trained on pictures of 112 x 112 pixels
PAPER, INK = (252, 238, 120), (30, 75, 215)  # yellow, blue


def blue_circle() -> bytes:
    """A PNG of a blue circle on yellow, 112 x 112 pixels, 8-bit RGB (PNG specification, ISO/IEC 15948)."""
    middle, radius = (SIDE - 1) / 2, SIDE * 0.3
    rows = bytearray()
    for y in range(SIDE):
        rows.append(0)  # filter type None
        for x in range(SIDE):
            inside = (x - middle) ** 2 + (y - middle) ** 2 <= radius**2
            rows += bytes(INK if inside else PAPER)
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Length, kind, data and the check sum over kind and data."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_demo_request(path: Path, model: str) -> None:
    """Write the body of a chat completion request that shows the picture to ``model``."""
    picture = "data:image/png;base64," + b64encode(blue_circle()).decode()
    content = [
        {"type": "image_url", "image_url": {"url": picture}},
        {"type": "text", "text": "Describe this image."},
    ]
    body = {"model": model, "messages": [{"role": "user", "content": content}], "temperature": 0}
    path.write_text(json.dumps(body, indent=1) + "\n")
    path.chmod(0o600)  # like everything in the data folder, whatever the umask
