"""Forms with a file (``multipart/form-data``, RFC 7578): the fields in front of and behind the file are read where they
lie; the file itself is passed over by looking for the boundary, and never copied."""

import re

from aimindserve.gateway.asked import refused_field
from aimindserve.gateway.body import BodyView
from aimindserve.gateway.errors import Refusal

_BOUNDARY = re.compile(rb'multipart/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME = re.compile(rb'content-disposition:\s*form-data\s*;\s*name="([^"]{1,256})"', re.IGNORECASE)
_MODEL_FIELD = rb'content-disposition:\s*form-data\s*;\s*name="model"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n'
_MOST_PARTS = 64
_LONGEST_PART_HEAD = 2048
_LONGEST_FIELD = 65_536  # bytes of a field that is no file
_SHORT = 256  # bytes of a model's name


def look_form(body: bytes | bytearray, content_type: bytes | None) -> BodyView | Refusal:
    """What a form asks for, or why it is refused. ``content_type``: the header as it came, which goes on to the engine
    with the form."""
    match = _BOUNDARY.match(content_type or b"")
    if match is None or content_type is None:
        message = "This endpoint takes a form: multipart/form-data with a boundary."
        return Refusal(415, "unsupported_media_type", message)
    fields = _fields(body, b"--" + (match[1] or match[2]))
    if isinstance(fields, Refusal):
        return fields
    model = fields.get("model")
    if model is None:
        return Refusal(400, "missing_required_parameter", "The field 'model' is missing.", "model")
    streams = fields.get("stream", "").lower() in ("true", "1")
    return BodyView(model, stream=streams, content_type=content_type)


def renamed_form(body: bytes | bytearray, view: BodyView, model: str) -> bytes:
    """The form with ``model`` in the place of the name that it has."""
    match = re.search(_MODEL_FIELD + re.escape(view.model.encode()) + rb"(?=\r\n--)", body, re.IGNORECASE)
    if match is None:
        return bytes(body)
    end = match.end()
    return bytes(body[: end - len(view.model.encode())]) + model.encode() + bytes(body[end:])


def _fields(body: bytes | bytearray, delimiter: bytes) -> dict[str, str] | Refusal:
    """The short fields by name; of the others only that they are there, as an empty text."""
    found: dict[str, str] = {}
    place = 0 if body.startswith(delimiter) else body.find(b"\r\n" + delimiter)
    for _ in range(_MOST_PARTS):
        if place < 0:
            break
        start = place + len(delimiter) + (0 if place == 0 else 2)
        if body[start : start + 2] == b"--":
            return found
        head = body.find(b"\r\n\r\n", start, start + _LONGEST_PART_HEAD)
        place = body.find(b"\r\n" + delimiter, start)
        if head < 0 or place < head:
            break
        refusal = _note(found, bytes(body[start:head]), body, head + 4, place)
        if refusal is not None:
            return refusal
    return Refusal(400, "invalid_form", "The form cannot be read.")


def _note(found: dict[str, str], head: bytes, body: bytes | bytearray, start: int, end: int) -> Refusal | None:
    names = _NAME.findall(head)
    if len(names) != 1:
        return Refusal(400, "invalid_form", "A part of the form has no name.")
    name = names[0].decode("utf-8", "replace")
    if name in found and not name.endswith("[]"):
        return Refusal(400, "invalid_form", f"The field '{name[:100]}' comes twice.", name[:100])
    if (refusal := refused_field(name)) is not None:
        return refusal
    if b"filename" not in head.lower() and end - start > _LONGEST_FIELD:
        return Refusal(400, "invalid_form", f"The field '{name[:100]}' is too long.", name[:100])
    short = end - start <= _SHORT
    found[name] = bytes(body[start:end]).decode("utf-8", "replace") if short else ""
    return None
