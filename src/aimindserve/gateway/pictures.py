"""Pictures that came inside a request (``data:`` URIs): looked at where they lie, never decoded as a whole.

Base64 keeps places: three bytes stand in four characters, so single bytes of a picture can be read out of its middle.
What is read must be clean base64; that the rest is, the engine's decoder finds.
"""

import binascii
import re

import msgspec

from aimindserve.domain.pictures import PictureError, Steps, inspect_picture

_HEADER = re.compile(rb'data:([^;,"\\]{1,127}+)((?:;[^;,"\\]{1,127}+){0,3}?)(;base64)?,', re.IGNORECASE)
_SLICE = 262_144
_WINDOW = 1536  # bytes of a picture that are decoded at once, a multiple of three


class InlinePicture:
    """A ``data:`` URI in base64. ``size``: bytes of the picture."""

    __slots__ = ("_begin", "_characters", "_from", "_view", "_window", "size")

    def __init__(self, view: memoryview) -> None:
        """``view``: the base64 alone."""
        padding = bytes(view[-2:]).count(b"=")
        self._view = view
        self._characters = view.nbytes - padding
        self._begin = 0
        self._window = b""
        self.size = self._characters * 3 // 4

    def read(self, place: int, count: int) -> bytes:
        """See ``domain.pictures.Read``.

        Raises:
            PictureError: this part is no base64.
        """
        if not self._begin <= place <= place + count <= self._begin + len(self._window):
            self._load(place, count)
        at = place - self._begin
        return self._window[at : at + count]

    def _load(self, place: int, count: int) -> None:
        first = place // 3
        last = -(-(place + max(count, _WINDOW)) // 3)
        text = self._view[first * 4 : min(last * 4, self._characters)]
        try:
            self._window = binascii.a2b_base64(bytes(text) + b"=" * (-len(text) % 4), strict_mode=True)
        except binascii.Error as error:
            raise PictureError("image_damaged", "The picture is not clean base64.") from error
        self._begin = first * 3


def check_data_uri(view: memoryview, steps: Steps, largest: int) -> None:
    """Whether the ``data:`` URI in ``view``, a JSON string in its quotes or a text without any, is a picture that may
    pass. ``largest`` in bytes.

    Raises:
        PictureError: it may not.
    """
    if is_text(view):
        view = without_escapes(view)
    header = _HEADER.match(view[:1024])
    if header is None or header[3] is None:
        raise PictureError("image_damaged", "A picture inside a request must be written as data:image/…;base64,….")
    if not header[1].lower().startswith(b"image/"):
        kind = header[1].decode("latin-1")
        raise PictureError("image_type_not_supported", f"This should be a picture; it says that it is {kind[:60]}.")
    check_base64(view[header.end() :], steps, largest)


def check_base64(view: memoryview, steps: Steps, largest: int) -> None:
    """The same for the base64 alone, which must have no escapes."""
    picture = InlinePicture(view)
    if picture.size > largest:
        message = (
            f"A picture may have {largest} bytes ({largest / 1024**2:g} MiB) at most; this one has {picture.size}."
        )
        raise PictureError("image_too_large", message)
    inspect_picture(picture.read, picture.size, steps)


def without_escapes(view: memoryview) -> memoryview:
    """The text of a JSON string in its quotes. PHP puts a backslash in front of each slash."""
    return memoryview(msgspec.json.decode(view, type=str).encode()) if _has_escape(view) else view[1:-1]


def is_text(view: memoryview) -> bool:
    """Whether a piece of JSON is a string."""
    return bytes(view[:1]) == b'"'


def _has_escape(view: memoryview) -> bool:
    """A slice at a time: a copy that stays in the processor's cache, then ``memchr``."""
    return any(b"\\" in bytes(view[at : at + _SLICE]) for at in range(0, view.nbytes, _SLICE))
