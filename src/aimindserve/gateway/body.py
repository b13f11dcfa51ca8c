"""What the gateway looks at in a request's body, without taking it apart: model, streaming, where pictures come from.

Base64 stays where it is (``msgspec.Raw`` skips over it), and the body goes on to the engine byte for byte. The one
thing that is added is ``stream_options.include_usage`` at the end of a stream's body, because engines tell the usage
of a stream only then; the chunk with it is kept from a client that did not ask. The name comes last on purpose:
where a caller sent ``stream_options`` of his own, parsers keep the last of two equal names, and ours holds both.
"""

import re
from typing import Any

import msgspec

from aimindserve.gateway.affinity import opening_of
from aimindserve.gateway.asked import BODY_LIMITS, Asked, BodyLimits, nested, over, refused_field, too_deep, too_many
from aimindserve.gateway.endpoints import Body, Row
from aimindserve.gateway.errors import Refusal
from aimindserve.gateway.parts import Content, Message, refused_part

_CLOSING = re.compile(rb"\}[ \t\r\n]*\Z")

Texts = str | list[str | int | list[int]] | None


class _Body(Asked, gc=False, kw_only=True):
    model: str
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None


class _Chat(_Body, gc=False, kw_only=True):
    """Objects in place of texts could bring pictures past us."""

    messages: list[Message] | None = None
    prompt: Texts = None
    input: Texts = None
    query: str | Message | None = None
    documents: list[str | Message] | None = None


class _Responses(_Body, gc=False, kw_only=True):
    input: str | list[Message | str] | None = None


class _Anthropic(_Body, gc=False, kw_only=True):
    messages: list[Message] | None = None
    system: str | list[Message] | None = None


_decoders = {
    Body.CHAT: msgspec.json.Decoder(_Chat).decode,
    Body.RESPONSES: msgspec.json.Decoder(_Responses).decode,
    Body.ANTHROPIC: msgspec.json.Decoder(_Anthropic).decode,
}


class BodyView(msgspec.Struct, frozen=True, gc=False):
    """``suffix``: sent to the engine in place of the last ``cut`` bytes of the body (both empty: sent as it is).
    ``usage_hidden``: the stream's usage chunk was asked for by us only. ``images``: number of pictures; ``urls``: those
    that are to be fetched and put in their places first; ``opening``: see ``affinity``."""

    model: str
    stream: bool = False
    cut: int = 0
    suffix: bytes = b""
    usage_hidden: bool = False
    content_type: bytes = b"application/json"
    images: int = 0
    urls: tuple[str, ...] = ()
    opening: bytes = b""


def look(
    body: bytes | bytearray, row: Row, limits: BodyLimits = BODY_LIMITS, *, several: bool = False
) -> BodyView | Refusal:
    """What ``body`` asks for, or why it is refused. ``several``: there are models with several replicas, so that its
    opening matters."""
    try:
        seen = _decoders[row.body](body)
    except msgspec.ValidationError as error:
        return _invalid(error)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Refusal(400, "invalid_json", "The body is not JSON.")
    except RecursionError:
        return nested(limits.depth)
    content = None if _is_plain(seen, limits) else Content(limits)
    refusal = over(seen, limits) or (content and _look_at_content(seen, content, limits)) or too_deep(body, limits)
    if refusal is not None:
        return refusal
    cut, suffix, hidden = 0, b"", False
    stream = bool(row.streams and seen.stream)
    if stream and row.asks_usage:
        cut, suffix, hidden = _with_usage(seen, body)
    elif row.name == "tokenize" and isinstance(seen, _Chat):
        cut, suffix = _with_content(seen, body)
    if content is None or not content.images:
        opening = _opening(seen) if several else b""
        if stream or suffix or opening:
            return BodyView(seen.model, stream, cut, suffix, hidden, opening=opening)
        return BodyView(seen.model)
    urls = tuple(dict.fromkeys(content.urls))
    return BodyView(seen.model, stream, cut, suffix, hidden, images=content.images, urls=urls, opening=content.first)


def _opening(seen: "_Chat | _Responses | _Anthropic") -> bytes:
    if isinstance(seen, _Responses):
        return opening_of(seen.input)
    if isinstance(seen, _Chat) and isinstance(seen.prompt, str):
        return opening_of(seen.prompt)
    return opening_of(seen.messages)


def _is_plain(seen: "_Chat | _Responses | _Anthropic", limits: BodyLimits) -> bool:
    """Whether there are only texts, as in most requests, and not too many."""
    if type(seen) is not _Chat or seen.documents is not None or seen.query is not None:
        return False
    messages = seen.messages or ()
    for one in messages:
        if type(one.content) is list or one.output is not None or one.image_url is not None:
            return False
    return len(messages) <= limits.messages


def _look_at_content(seen: "_Chat | _Responses | _Anthropic", content: Content, limits: BodyLimits) -> Refusal | None:
    """A refusal when there are too many messages, or a part of one may not pass."""
    if isinstance(seen, _Responses):
        given = seen.input
        if not isinstance(given, list):
            return None
        name, messages = "input", [one for one in given if isinstance(one, Message)]
    else:
        name, messages = "messages", seen.messages or []
    if len(messages) > limits.messages:
        return too_many("messages", name, len(messages), limits.messages)
    refusal = content.look(messages, name)
    if refusal is None and isinstance(seen, _Chat) and (seen.documents or seen.query):
        several = [one for one in (seen.query, *(seen.documents or ())) if isinstance(one, Message)]
        return content.look(several, "documents")
    return refusal


def _invalid(error: msgspec.ValidationError) -> Refusal:
    """What msgspec says: ``Expected `str`, got `int` - at `$.model```. People and programs want the field."""
    text = str(error)
    if "missing required field `model`" in text:
        return Refusal(400, "missing_required_parameter", "The field 'model' is missing.", "model")
    what, _, where = text.partition(" - at `$.")
    param = where.rstrip("`") or None
    refusal = (refused_field(param) or refused_part(param)) if param else None
    return refusal or Refusal(400, "invalid_type", f"{what}{f' in {param}' if param else ''}.", param)


def _with_usage(seen: _Body, body: bytes | bytearray) -> tuple[int, bytes, bool]:
    """(bytes to leave out, what comes instead, whether the usage is only for us)."""
    options = seen.stream_options or {}
    if options.get("include_usage") is True:
        return 0, b"", False
    return *_added(body, b"stream_options", {**options, "include_usage": True}), True


def _with_content(seen: _Chat, body: bytes | bytearray) -> tuple[int, bytes]:
    """llama.cpp calls the text to tokenise ``content``; vLLM, whose ``prompt`` is the API here, looks past that."""
    return (0, b"") if seen.prompt is None else _added(body, b"content", seen.prompt)


def renamed(body: bytes | bytearray, view: BodyView, model: str) -> tuple[int, bytes]:
    """(bytes to leave out at the end, what comes instead) so that an engine sees ``model`` as the name."""
    if view.suffix:
        return view.cut, b',"model":%b%b' % (msgspec.json.encode(model), view.suffix)
    return _added(body, b"model", model)


def _added(body: bytes | bytearray, name: bytes, value: object) -> tuple[int, bytes]:
    end = _CLOSING.search(body, max(0, len(body) - 64)) or _CLOSING.search(body)
    if end is None:
        return 0, b""
    return len(body) - end.start(), b',"%b":%b}' % (name, msgspec.json.encode(value))
