"""Pictures for the gateway's tests: made to measure out of headers alone, or real ones."""

from __future__ import annotations

import base64
import io
import struct
import zlib

from PIL import Image

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def png_chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_header(width: int, height: int) -> bytes:
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def shell(size: int = 100, width: int = 64, height: int = 48) -> bytes:
    """A PNG of ``size`` bytes (69 at least) whose structure is right and whose pixels are not."""
    filler = b"\0" * (size - 57)
    return PNG_MAGIC + png_header(width, height) + png_chunk(b"IDAT", filler) + png_chunk(b"IEND")


def uri(picture: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def real(kind: str = "PNG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object) -> bytes:
    """A picture that decoders take, half red and half blue."""
    picture = Image.new(mode, size, "red" if mode not in ("1", "L", "I;16") else 0)
    if mode == "RGB":
        picture.paste("blue", (size[0] // 2, 0, *size))
    into = io.BytesIO()
    picture.save(into, kind, **options)
    return into.getvalue()
