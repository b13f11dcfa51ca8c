"""Drawn pictures with a known colour, count and text, and the questions that go with them.

Standard library alone: the emulated engine, which starts in a tenth of a second, knows them too."""

import re
import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum

SIDE = 224
"""Pixels of each side: what vision towers commonly see, 64 tokens in Qwen2-VL."""

_Colour = tuple[int, int, int]
_WHITE: _Colour = (255, 255, 255)
_INK: _Colour = (20, 20, 20)
_COLOURS: dict[str, _Colour] = {"red": (220, 30, 30), "blue": (30, 60, 220), "green": (20, 160, 50)}
_COUNTS = {2: "two", 3: "three"}
# Digits of five by seven dots, one row a number of five bits: the one kind of writing that small models read too.
_DIGITS = {
    "7": (0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000),
    "3": (0b11110, 0b00001, 0b00001, 0b01110, 0b00001, 0b00001, 0b11110),
    "5": (0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110),
}
_DOT = 18


class SightKind(StrEnum):
    """What a picture asks for."""

    COLOUR = "colour"
    COUNT = "count"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Trial:
    """A question about a picture. ``shown``: the right answer; ``accepted``: a pattern of right answers, ``wrong`` of
    what a right one does not hold (an answer that names every colour is no look)."""

    kind: SightKind
    question: str
    shown: str
    accepted: str
    png: bytes
    wrong: str = r"$^"

    def is_right(self, answer: str) -> bool:
        """Whether an answer says what is shown."""
        found, denied = (re.search(pattern, answer, re.IGNORECASE) for pattern in (self.accepted, self.wrong))
        return found is not None and denied is None


def trials(number: int) -> tuple[Trial, ...]:
    """The questions of a start, the most telling first. What is shown changes with ``number``, so that a model which
    always says the same does not pass each time."""
    colour = list(_COLOURS)[number % len(_COLOURS)]
    count = list(_COUNTS)[number % len(_COUNTS)]
    text = list(_DIGITS)[number % len(_DIGITS)]
    others = "|".join(name for name in _COLOURS if name != colour)
    return (
        Trial(
            kind=SightKind.COLOUR,
            question="What colour is the square?",
            shown=colour,
            accepted=rf"\b{colour}\b",
            wrong=rf"\b({others})\b",
            png=_squares(1, _COLOURS[colour]),
        ),
        Trial(
            kind=SightKind.COUNT,
            question="How many shapes are there?",
            shown=str(count),
            accepted=rf"\b({count}|{_COUNTS[count]})\b",
            png=_squares(count, _COLOURS[colour]),
        ),
        Trial(
            kind=SightKind.TEXT,
            question="What number is this?",
            shown=text,
            accepted=rf"(?<!\d){text}(?!\d)",
            png=_digit(text),
        ),
    )


class _Canvas:
    """A white picture on which rectangles are filled."""

    def __init__(self) -> None:
        self._rows = [bytearray(bytes(_WHITE) * SIDE) for _ in range(SIDE)]

    def fill(self, left: int, top: int, side: int, colour: _Colour) -> None:
        for row in self._rows[top : top + side]:
            row[left * 3 : (left + side) * 3] = bytes(colour) * side

    def png(self) -> bytes:
        """As an 8-bit RGB PNG (ISO/IEC 15948): signature, header, one block of data, end."""
        data = b"".join(b"\0" + bytes(row) for row in self._rows)
        header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(data, 9)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _squares(count: int, colour: _Colour) -> bytes:
    """One large square, or smaller ones in two rows, well apart."""
    canvas = _Canvas()
    if count == 1:
        canvas.fill(62, 62, 100, colour)
    else:
        for index in range(count):
            canvas.fill(34 + index % 2 * 96, 34 + index // 2 * 96, 60, colour)
    return canvas.png()


def _digit(text: str) -> bytes:
    canvas = _Canvas()
    left, top = (SIDE - 5 * _DOT) // 2, (SIDE - 7 * _DOT) // 2
    for y, bits in enumerate(_DIGITS[text]):
        for x in range(5):
            if bits >> (4 - x) & 1:
                canvas.fill(left + x * _DOT, top + y * _DOT, _DOT, _INK)
    return canvas.png()
