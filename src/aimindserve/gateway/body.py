"""What the gateway looks at in a request's body, without taking it apart: model, streaming, where pictures come from.

Base64 stays where it is (``msgspec.Raw`` skips over it), and the body goes on to the engine byte for byte. The one
thing that is added is ``stream_options.include_usage`` at the end of a stream's body, because engines tell the usage
of a stream only then; the chunk with it is kept from a client that did not ask. The name comes last on purpose:
where a caller sent ``stream_options`` of his own, parsers keep the last of two equal names, and ours holds both.
"""

import re
from typing import Any

import msgspec

from aimindserve.gateway.errors import Refusal
from aimindserve.gateway.limits import (
    LIMITS,
    Asked,
    Limits,
    data_uri_bytes,
    image_bytes,
    nested,
    over,
    too_deep,
    too_many,
)

_DATA_URI = b'"data:'
_CLOSING = re.compile(rb"\}[ \t\r\n]*\Z")


class _Reference(msgspec.Struct, gc=False):
    url: msgspec.Raw = msgspec.Raw(b"")


class _Part(msgspec.Struct, gc=False):
    # Engines go by these names even where ``type`` says something else, so ``type`` is not asked.
    image_url: _Reference | str | None = None
    video_url: _Reference | str | None = None
    audio_url: _Reference | str | None = None


class _Message(msgspec.Struct, gc=False):
    content: str | list[_Part | str | None] | None = None


class _Body(Asked, gc=False, kw_only=True):
    model: str
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    messages: list[_Message] | None = None


_decode = msgspec.json.Decoder(_Body).decode


class BodyView(msgspec.Struct, frozen=True, gc=False):
    """``suffix``: sent to the engine in place of the last ``cut`` bytes of the body (both empty: sent as it is).
    ``usage_hidden``: the stream's usage chunk was asked for by us only."""

    model: str
    stream: bool = False
    cut: int = 0
    suffix: bytes = b""
    usage_hidden: bool = False


def look(body: bytes | bytearray, *, streams: bool, limits: Limits = LIMITS) -> BodyView | Refusal:
    """What ``body`` asks for, or why it is refused. ``streams``: the endpoint can stream."""
    try:
        seen = _decode(body)
    except msgspec.ValidationError as error:
        return _invalid(error)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Refusal(400, "invalid_json", "The body is not JSON.")
    except RecursionError:
        return nested(limits.depth)
    refusal = over(seen, limits) or _check_messages(seen.messages or (), limits) or too_deep(body, limits)
    if refusal is not None:
        return refusal
    if not (streams and seen.stream):
        return BodyView(seen.model)
    return _with_usage(seen, body)


def _invalid(error: msgspec.ValidationError) -> Refusal:
    """What msgspec says: ``Expected `str`, got `int` - at `$.model```. People and programs want the field."""
    text = str(error)
    if "missing required field `model`" in text:
        return Refusal(400, "missing_required_parameter", "The field 'model' is missing.", "model")
    what, _, where = text.partition(" - at `$.")
    param = where.rstrip("`") or None
    return Refusal(400, "invalid_type", f"{what}{f' in {param}' if param else ''}.", param)


def _with_usage(seen: _Body, body: bytes | bytearray) -> BodyView:
    options = seen.stream_options or {}
    if options.get("include_usage") is True:
        return BodyView(seen.model, stream=True)
    end = _CLOSING.search(body, max(0, len(body) - 64)) or _CLOSING.search(body)
    if end is None:
        return BodyView(seen.model, stream=True)
    wanted = msgspec.json.encode({**options, "include_usage": True})
    suffix = b',"stream_options":%b}' % wanted
    return BodyView(seen.model, stream=True, cut=len(body) - end.start(), suffix=suffix, usage_hidden=True)


def _check_messages(messages: "list[_Message] | tuple[()]", limits: Limits) -> Refusal | None:
    """A refusal when there are too many, or a part is too large or one that the engine would have to fetch."""
    if len(messages) > limits.messages:
        return too_many("messages", "messages", len(messages), limits.messages)
    images = 0
    for number, message in enumerate(messages):
        if not isinstance(message.content, list):
            continue
        for place, part in enumerate(message.content):
            if not isinstance(part, _Part):
                continue
            where = f"messages[{number}].content[{place}]"
            for name in ("image_url", "video_url", "audio_url"):
                reference: _Reference | str | None = getattr(part, name)
                if reference is not None and not _is_inline(reference):
                    return _not_fetched(name, f"{where}.{name}")
            if part.image_url is not None:
                images += 1
                if (size := _image_bytes(part.image_url, limits)) > limits.image_bytes:
                    return _image_too_large(size, limits.image_bytes, f"{where}.image_url")
    return too_many("images", "messages", images, limits.images) if images > limits.images else None


def _image_bytes(reference: _Reference | str, limits: Limits) -> int:
    """Bytes of a picture; 0 when it cannot be too large, as its base64 is not even that long."""
    if isinstance(reference, str):
        return data_uri_bytes(reference)
    view = memoryview(reference.url)
    return image_bytes(view) if view.nbytes > limits.image_bytes else 0


def _image_too_large(size: int, limit: int, param: str) -> Refusal:
    message = f"A picture may have {limit} bytes ({limit / 1024**2:g} MiB) at most; this one has {size}."
    return Refusal(400, "image_too_large", message, param)


def _is_inline(reference: _Reference | str) -> bool:
    if isinstance(reference, str):
        return reference[:5] == "data:"
    raw = reference.url
    if bytes(memoryview(raw)[:6]) == _DATA_URI:
        return True
    try:  # a JSON escape may hide the scheme; anything that is no text is not for the engine to guess
        return msgspec.json.decode(raw, type=str)[:5] == "data:"
    except msgspec.DecodeError:
        return False


_PLURAL = {"image": "Pictures", "video": "Videos", "audio": "Sounds"}


def _not_fetched(name: str, param: str) -> Refusal:
    kind = name.removesuffix("_url")
    message = (
        f"{_PLURAL[kind]} must be sent inside the request, as data: URIs (data:{kind}/…;base64,…). "
        "Addresses of web pages and files are not fetched by this server for now."
    )
    return Refusal(400, f"{kind}_url_not_supported", message, param)
