"""What a picture's header says: kind, width, height. Found by walking over the file's own structure; nothing is
decompressed, so that a bomb costs no more than any other file.

PNG (ISO/IEC 15948), JPEG (ITU-T T.81, Annex B), GIF (GIF89a), WebP (RFC 9649). Other kinds are refused: each decoder
that an engine needs not have is one that nobody can break.
"""

from collections.abc import Callable
from dataclasses import dataclass

Read = Callable[[int, int], bytes]
"""(offset, count) → the bytes there, fewer at the end of the file."""


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """``pixels``: width times height. ``side_max``, ``side_min`` in pixels: below 4, libraries take a side for the
    colour channels. ``aspect``: the longer side by the shorter one."""

    pixels: int = 40_000_000
    side_max: int = 16_384
    side_min: int = 4
    aspect: int = 200


PICTURE_LIMITS = PictureLimits()


@dataclass(frozen=True, slots=True)
class Picture:
    """``kind``: png, jpeg, gif or webp. Sides in pixels."""

    kind: str
    width: int
    height: int


class PictureError(ValueError):
    """The picture is refused: ``code`` for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Steps:
    """Reads that are left for one request, whatever its pictures are made of."""

    __slots__ = ("left",)

    def __init__(self, left: int = 20_000) -> None:
        self.left = left


def inspect_picture(
    read: Read, size: int, steps: Steps | None = None, limits: PictureLimits = PICTURE_LIMITS
) -> Picture:
    """The picture of ``size`` bytes that ``read`` gives.

    Raises:
        PictureError: it is of no known kind, damaged, cut off, animated, or outside of the limits.
    """
    walk = _Walk(read, size, steps or Steps())
    begin = read(0, 16)
    for magic, kind, sides in _KINDS:
        if begin.startswith(magic) and (kind != "webp" or begin[8:12] == b"WEBP"):
            width, height = sides(walk)
            _check(width, height, limits)
            return Picture(kind, width, height)
    raise PictureError("image_type_not_supported", "Pictures may be PNG, JPEG, WebP or GIF; this is none of them.")


def _check(width: int, height: int, limits: PictureLimits) -> None:
    shorter, longer = sorted((width, height))
    said = f"this one has {width} x {height}"
    if shorter < limits.side_min:
        raise PictureError(
            "image_too_small", f"A picture must have {limits.side_min} pixels or more on each side; {said}."
        )
    if longer > limits.side_max:
        raise PictureError("image_too_large", f"A picture's side may have {limits.side_max} pixels at most; {said}.")
    if width * height > limits.pixels:
        raise PictureError(
            "image_too_large", f"A picture may have {limits.pixels // 1_000_000} million pixels at most; {said}."
        )
    if longer > shorter * limits.aspect:
        raise PictureError("image_too_long", f"A picture may be {limits.aspect} times as long as wide at most; {said}.")


def _damaged(what: str) -> PictureError:
    return PictureError("image_damaged", f"The picture is damaged: {what}.")


def _animated() -> PictureError:
    return PictureError("image_animated", "Animated pictures are not taken; send one frame of it.")


class _Walk:
    """Reads of one picture, each of which must be there, and counts."""

    def __init__(self, read: Read, size: int, steps: Steps) -> None:
        self._read = read
        self._steps = steps
        self.size = size

    def at(self, place: int, count: int) -> bytes:
        data = self.some(place, count)
        if len(data) < count:
            raise _damaged("it is cut off")
        return data

    def some(self, place: int, count: int) -> bytes:
        self._steps.left -= 1 + count // 4096
        if self._steps.left < 0:
            raise _damaged("it is in too many pieces")
        return self._read(place, count)


# ---- PNG


def _png(walk: _Walk) -> tuple[int, int]:
    place, width, height, pixels = 8, 0, 0, False
    while True:
        head = walk.at(place, 8)
        length, name = int.from_bytes(head[:4], "big"), head[4:]
        if (name == b"IHDR") is not (place == 8) or not name.isalpha() or place + 12 + length > walk.size:
            raise _damaged("its parts are not in order")
        if name == b"IHDR":
            if length != 13:
                raise _damaged("its header has a wrong length")
            sides = walk.at(place + 8, 8)
            width, height = int.from_bytes(sides[:4], "big"), int.from_bytes(sides[4:], "big")
        elif name == b"IDAT":
            pixels = True
        elif name == b"acTL" and walk.at(place + 8, 4) != b"\0\0\0\1":
            raise _animated()
        elif name == b"IEND":
            if not pixels:
                raise _damaged("it has no pixels")
            return width, height
        place += 12 + length


# ---- JPEG

_SOS, _EOI = 0xDA, 0xD9
_USUAL = {0xC0, 0xC1, 0xC2}  # baseline, extended and progressive, Huffman coding: what every decoder knows
_UNUSUAL = {0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_ALONE = {0x01, *range(0xD0, 0xDA)}  # markers without a length, none of which belongs in front of the pixels
_WINDOW = 65_536


def _jpeg(walk: _Walk) -> tuple[int, int]:
    place = 2
    sides: tuple[int, int] | None = None
    while True:
        head = walk.at(place, 4)
        marker = head[1]
        if head[0] != 0xFF or marker in _ALONE or marker == 0:
            raise _damaged("its segments are not in order")
        if marker == 0xFF:  # fill bytes
            place += 1
            continue
        length = int.from_bytes(head[2:], "big")
        if length < 2 or marker in _UNUSUAL:
            raise _damaged("it is coded in a way that is not taken")
        if marker in _USUAL:
            if sides is not None:
                raise _damaged("it has two headers")
            frame = walk.at(place + 4, 6)
            sides = int.from_bytes(frame[3:5], "big"), int.from_bytes(frame[1:3], "big")
        elif marker == _SOS:
            if sides is None:
                raise _damaged("it has no header")
            if not _ends(walk, place + 2 + length):
                raise _damaged("it is cut off")
            return sides
        place += 2 + length


def _ends(walk: _Walk, start: int) -> bool:
    """Whether the end marker comes after ``start``. It is near the end, but for phones that put more behind it."""
    end = b"\xff\xd9"
    near = max(start, walk.size - 4096)
    if end in walk.some(near, 4096):
        return True
    place = start
    while place < near:
        if end in walk.some(place, _WINDOW):
            return True
        place += _WINDOW - 1
    return False


# ---- GIF


def _gif(walk: _Walk) -> tuple[int, int]:
    screen = walk.at(6, 7)
    width, height = int.from_bytes(screen[:2], "little"), int.from_bytes(screen[2:4], "little")
    place, frames = 13 + _colours(screen[4]), 0
    while True:
        kind = walk.at(place, 1)
        if kind == b"\x3b":
            if not frames:
                raise _damaged("it has no pixels")
            return width, height
        if kind == b"\x21":
            place = _blocks(walk, place + 2)
        elif kind == b"\x2c":
            if frames:
                raise _animated()
            frame = walk.at(place + 1, 9)
            left, top, wide, high = (int.from_bytes(frame[at : at + 2], "little") for at in (0, 2, 4, 6))
            if left + wide > width or top + high > height:
                raise _damaged("its frame is larger than itself")
            frames += 1
            place = _blocks(walk, place + 11 + _colours(frame[8]))
        else:
            raise _damaged("its blocks are not in order")


def _colours(flags: int) -> int:
    """Bytes of the table of colours that ``flags`` announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks(walk: _Walk, place: int) -> int:
    """Where the blocks of data from ``place`` on end."""
    window, start = b"", place
    while True:
        at = place - start
        if at >= len(window):
            window, start, at = walk.some(place, 4096), place, 0
            if not window:
                raise _damaged("it is cut off")
        length = window[at]
        place += 1 + length
        if not length:
            return place


# ---- WebP


def _webp(walk: _Walk) -> tuple[int, int]:
    head = walk.at(4, 4)
    end = int.from_bytes(head, "little") + 8
    if end > walk.size:
        raise _damaged("it is cut off")
    place = 12
    canvas: tuple[int, int] | None = None
    while place < end:
        chunk = walk.at(place, 8)
        name, length = chunk[:4], int.from_bytes(chunk[4:], "little")
        if place + 8 + length > end:
            raise _damaged("it is cut off")
        if name == b"VP8X":
            if place != 12 or length < 10:
                raise _damaged("its chunks are not in order")
            more = walk.at(place + 8, 10)
            if more[0] & 2:
                raise _animated()
            canvas = int.from_bytes(more[4:7], "little") + 1, int.from_bytes(more[7:10], "little") + 1
        elif name in (b"ANIM", b"ANMF"):
            raise _animated()
        elif name in (b"VP8 ", b"VP8L"):
            sides = _webp_lossy(walk, place + 8) if name == b"VP8 " else _webp_lossless(walk, place + 8)
            if canvas not in (None, sides):
                raise _damaged("its headers contradict each other")
            return sides
        place += 8 + length + (length & 1)
    raise _damaged("it has no pixels")


def _webp_lossy(walk: _Walk, place: int) -> tuple[int, int]:
    frame = walk.at(place, 10)
    if frame[0] & 1 or frame[3:6] != b"\x9d\x01\x2a":
        raise _damaged("it has no header")
    return int.from_bytes(frame[6:8], "little") & 0x3FFF, int.from_bytes(frame[8:10], "little") & 0x3FFF


def _webp_lossless(walk: _Walk, place: int) -> tuple[int, int]:
    frame = walk.at(place, 5)
    if frame[0] != 0x2F:
        raise _damaged("it has no header")
    bits = int.from_bytes(frame[1:], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


_KINDS: tuple[tuple[bytes, str, Callable[[_Walk], tuple[int, int]]], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png", _png),
    (b"\xff\xd8\xff", "jpeg", _jpeg),
    (b"GIF87a", "gif", _gif),
    (b"GIF89a", "gif", _gif),
    (b"RIFF", "webp", _webp),
)
