"""What a request begins with: the same for every turn of a conversation, and for every question about a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from zlib import crc32

import msgspec

if TYPE_CHECKING:
    from aimindserve.gateway.parts import Message

# A sample is enough: openings that agree in it only share a replica.
_LONGEST = 1024
_USER = msgspec.Raw(b'"user"')


def opening_of(messages: "Sequence[Message | str] | str | None") -> bytes:
    """The beginning of the instructions and of the first thing that a person says. Instructions alone would send all
    users of a program to one replica."""
    if isinstance(messages, str):
        return _bytes(messages)
    found = b""
    for place, message in enumerate(messages or ()):
        if isinstance(message, str):
            return found + _bytes(message)
        by_person = message.role == _USER
        if by_person or place == 0:
            found += _text(message)
        if by_person:
            break
    return found


def _text(message: "Message") -> bytes:
    content = message.content
    if isinstance(content, str):
        return _bytes(content)
    parts = (part for part in content or () if part is not None and not isinstance(part, str))
    return next(filter(None, (bytes(memoryview(part.text)[:_LONGEST]) for part in parts)), b"")


def _bytes(text: str) -> bytes:
    return text[:_LONGEST].encode("utf-8", "surrogatepass")


def sample(picture: memoryview) -> bytes:
    """A few pieces of a picture, and its size."""
    third, middle = _LONGEST // 3, len(picture) // 2
    return b"%d%b%b%b" % (len(picture), picture[:third], picture[middle : middle + third], picture[-third:])


def digest(opening: bytes) -> int | None:
    """32 bits of it; None when there is nothing to go by."""
    return crc32(opening) if opening else None
