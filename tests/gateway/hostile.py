"""Hostile pictures, made here: bombs, lies in headers, cut files, animations, other formats under a picture's name."""

from __future__ import annotations

import functools
import io
import struct
import zlib

from PIL import Image
from tests.gateway.pictures import PNG_MAGIC, png_chunk, png_header, real, shell


def _png(*chunks: bytes) -> bytes:
    return PNG_MAGIC + b"".join(chunks)


_PIXELS = png_chunk(b"IDAT", zlib.compress(bytes(100)))
_END = png_chunk(b"IEND")
_FINE = png_header(64, 48)


def _jpeg(width: int, height: int) -> bytes:
    """A real picture whose header tells other sides."""
    data = bytearray(real("JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def _gif(width: int, height: int) -> bytes:
    data = bytearray(real("GIF"))
    data[6:10] = struct.pack("<HH", width & 0xFFFF, height & 0xFFFF)
    return bytes(data)


def _webp(width: int, height: int) -> bytes:
    canvas = b"\x10\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    inner = real("WEBP")[12:]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas + inner
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _lossless(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    body = b"WEBPVP8L" + struct.pack("<I", 6) + b"\x2f" + struct.pack("<I", bits) + b"\0"
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _animated(kind: str, frames: int) -> bytes:
    pictures = [Image.new("RGB", (32, 32), (place * 60, 0, 0)) for place in range(frames)]
    into = io.BytesIO()
    pictures[0].save(into, kind, save_all=True, append_images=pictures[1:])
    return into.getvalue()


_SIDES = {
    "1x1": (1, 1), "1xlong": (1, 16_000), "longx1": (16_000, 1), "3x3": (3, 3), "3x64": (3, 64),
    "square": (16_000, 16_000), "over-pixels": (6400, 6400), "over-wide": (16_385, 64), "thin": (4, 1000),
}  # fmt: skip


def _by_sides() -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, (width, height) in _SIDES.items():
        found[f"png-{name}"] = _png(png_header(width, height), _PIXELS, _END)
        found[f"jpeg-{name}"] = _jpeg(width, height)
        found[f"lossless-{name}"] = _lossless(min(width, 16_384), height)
    found["lossless-over-wide"] = _lossless(16_384, 64)
    for name in ("1x1", "1xlong", "longx1", "3x3", "thin", "square"):
        found[f"gif-{name}"] = _gif(*_SIDES[name])
        found[f"webp-{name}"] = _webp(*_SIDES[name])
    for sides in ((0, 0), (0, 64), (64, 0), (2**31 - 1, 2**31 - 1), (2**32 - 1, 1), (65_535, 65_535)):
        found[f"png-{sides[0]}x{sides[1]}"] = _png(png_header(*sides), _PIXELS, _END)
    for sides in ((0, 0), (0, 64), (64, 0), (65_535, 65_535), (65_535, 4)):
        found[f"jpeg-{sides[0]}x{sides[1]}"] = _jpeg(*sides)
    return found


def _by_structure() -> dict[str, bytes]:
    jpeg, frame = real("JPEG"), b"\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x22\0\x02\x11\x01\x03\x11\x01"
    sof, sos = jpeg.index(b"\xff\xc0"), jpeg.index(b"\xff\xda")
    many = b"".join(png_chunk(b"IDAT") for _ in range(21_000))
    return {
        "png-two-headers": _png(_FINE, png_header(60_000, 60_000), _PIXELS, _END),
        "png-second-header-late": _png(_FINE, _PIXELS, png_header(60_000, 60_000), _END),
        "png-header-late": _png(png_chunk(b"tEXt", b"a\0b"), _FINE, _PIXELS, _END),
        "png-no-header": _png(_PIXELS, _END),
        "png-no-pixels": _png(_FINE, _END),
        "png-no-end": _png(_FINE, _PIXELS),
        "png-only-magic": PNG_MAGIC,
        "png-short-header": _png(png_chunk(b"IHDR", b"\0\0\0\x40"), _PIXELS, _END),
        "png-long-chunk": _png(_FINE, struct.pack(">I", 2**31) + b"IDAT"),
        "png-wrapping-chunk": _png(_FINE, struct.pack(">I", 2**32 - 1) + b"IDAT", _END),
        "png-bad-name": _png(_FINE, png_chunk(b"\0\0\0\0"), _PIXELS, _END),
        "png-tiny-chunks": _png(_FINE, many, _END),
        "apng": _png(_FINE, png_chunk(b"acTL", struct.pack(">II", 1000, 0)), _PIXELS, _END),
        "apng-huge": _png(_FINE, png_chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)), _PIXELS, _END),
        "apng-real": _animated("PNG", 3),
        "gif-animated": _animated("GIF", 3),
        "webp-animated": _animated("WEBP", 3),
        "gif-no-end": real("GIF")[:-1],
        "gif-empty": b"GIF89a\x40\0\x40\0\0\0\0;",
        "gif-only-magic": b"GIF89a",
        "gif-endless-blocks": b"GIF89a\x40\0\x40\0\0\0\0!\xfe" + b"\x01a" * 50_000,
        "gif-frame-outside": b"GIF89a\x40\0\x40\0\0\0\0,\x30\0\0\0\x40\0\x40\0\0\x02\x01\0\0;",
        "gif-bad-block": b"GIF89a\x40\0\x40\0\0\0\0\x99;",
        "jpeg-two-frames": jpeg[:sos] + frame + jpeg[sos:],
        "jpeg-frame-first": jpeg[:sof] + frame + jpeg[sof:],
        "jpeg-no-frame": jpeg[:sof] + jpeg[sos:],
        "jpeg-no-end": jpeg[:-2],
        "jpeg-half": jpeg[: len(jpeg) * 2 // 3],
        "jpeg-only-magic": b"\xff\xd8\xff",
        "jpeg-only-fill": b"\xff\xd8" + b"\xff" * 100_000,
        "jpeg-zero-length": b"\xff\xd8\xff\xe0\0\0" + jpeg[20:],
        "jpeg-arithmetic": jpeg.replace(b"\xff\xc0", b"\xff\xc9", 1),
        "jpeg-lossless": jpeg.replace(b"\xff\xc0", b"\xff\xc3", 1),
        "jpeg-end-at-once": b"\xff\xd8\xff\xd9" + jpeg[2:],
        "webp-no-pixels": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x3f\0\0\x3f\0\0",
        "webp-contradiction": _webp(65, 48),
        "webp-cut": real("WEBP")[:-10],
        "webp-chunk-outside": b"RIFF\x10\0\0\0WEBPVP8 \xff\xff\xff\xff",
        "webp-only-magic": b"RIFF\0\0\0\0WEBP",
        "webp-no-keyframe": real("WEBP").replace(b"\x9d\x01\x2a", b"\x9d\x01\x2b"),
    }


_OTHERS = {
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://169.254.169.254/"/></svg>',
    "svg-xml": b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>',
    "html": b"<html><script>alert(1)</script></html>",
    "pdf": b"%PDF-1.7\n1 0 obj <<>> endobj",
    "jpeg2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(64),
    "j2k": b"\xff\x4f\xff\x51" + bytes(64),
    "tiff-little": b"II*\0\x08\0\0\0" + bytes(64),
    "tiff-big": b"MM\0*\0\0\0\x08" + bytes(64),
    "bmp": b"BM" + bytes(64),
    "ico": b"\0\0\x01\0\x01\0" + bytes(64),
    "psd": b"8BPS\0\x01" + bytes(64),
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n/x (/etc/passwd) (r) file",
    "heic": b"\0\0\0\x18ftypheic" + bytes(64),
    "avif": b"\0\0\0\x18ftypavif" + bytes(64),
    "mp4": b"\0\0\0\x18ftypisom" + bytes(64),
    "mpo-like-video": b"RIFF\x40\0\0\0AVI LIST" + bytes(64),
    "wav": b"RIFF\x40\0\0\0WAVEfmt " + bytes(64),
    "zip": b"PK\x03\x04" + bytes(64),
    "gzip": b"\x1f\x8b\x08" + bytes(64),
    "elf": b"\x7fELF\x02\x01\x01" + bytes(64),
    "pickle": b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix\x94.",
    "numpy": b"\x93NUMPY\x01\0v\0" + bytes(64),
    "torch": b"PK\x03\x04archive/data.pkl" + bytes(64),
    "text": b"hello",
    "qoi": b"qoif\0\0\0\x40\0\0\0\x40\4\0" + bytes(64),
    "empty": b"",
    "zeros": bytes(4096),
    "magic-with-blank": b" " + shell(),
    "magic-in-lower-case": shell().replace(b"PNG", b"png"),
    "gif-of-no-version": b"GIF88a" + real("GIF")[6:],
}


@functools.cache
def corpus() -> dict[str, bytes]:
    """By name."""
    return {**_by_sides(), **_by_structure(), **_OTHERS}


HOSTILE = corpus()
