"""``python -m aimindserve.gateway.picture_child``: decodes pictures of strangers and writes them anew, one by one.

Decoders are where hostile pictures strike, so they run here: a process with little memory, little time, no files to
write and nothing to steal. What leaves it is a fresh PNG or JPEG without a byte of the original, metadata included.

In: length (4 bytes, big endian), picture. Out: ``P``, ``J`` or ``E``, length, the new picture in base64 (none for E).
"""

import base64
import io
import resource
import struct
import sys
import time

from PIL import Image, ImageOps

MEMORY = 512 * 1024**2
CPU_SECONDS = 5
MOST_PIXELS = 40_000_000
LARGEST = 20 * 1024**2
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_EXPECTED = (
    OSError,
    ValueError,
    SyntaxError,
    ArithmeticError,
    EOFError,
    LookupError,
    TypeError,
    MemoryError,
    struct.error,
    Image.DecompressionBombError,
)


def limit_process() -> None:
    """Memory, open files, file sizes, processes and core dumps of this process, for good."""
    for what, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_NOFILE, 16),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (value, value))


def limit_time() -> None:
    """So many more seconds of CPU; the kernel ends the process after them."""
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + CPU_SECONDS, hard))


def reencode(data: bytes) -> tuple[bytes, bytes]:
    """(``P`` or ``J``, the new picture).

    Raises:
        Exception: one of ``_EXPECTED`` for what cannot be decoded.
    """
    with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise ValueError("too many pixels")
        opened.load()
        lossy = opened.format == "JPEG"
        turned = ImageOps.exif_transpose(opened)
    picture = _in_plain_mode(turned, lossy=lossy)
    picture.info = {}
    out = io.BytesIO()
    if lossy:
        picture.save(out, "JPEG", quality=92)
    else:
        picture.save(out, "PNG", compress_level=3)
    if out.tell() > LARGEST:
        raise ValueError("too large")
    return b"J" if lossy else b"P", out.getvalue()


def _in_plain_mode(picture: Image.Image, *, lossy: bool) -> Image.Image:
    """In a mode that every engine's decoder knows."""
    if picture.has_transparency_data:
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    plain = ("L", "RGB") if lossy else ("L", "RGB", "I;16")
    return picture if picture.mode in plain else picture.convert("RGB")


def answer(data: bytes) -> bytes:
    """What is written for one picture."""
    try:
        kind, made = reencode(data)
    except _EXPECTED:
        return b"E\0\0\0\0"
    text = base64.b64encode(made)
    return kind + struct.pack(">I", len(text)) + text


def main() -> int:
    """Until the other side closes."""
    limit_process()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while True:
        head = source.read(4)
        if len(head) < 4:
            return 0
        data = source.read(struct.unpack(">I", head)[0])
        limit_time()
        sink.write(answer(data))
        sink.flush()


if __name__ == "__main__":
    sys.exit(main())
