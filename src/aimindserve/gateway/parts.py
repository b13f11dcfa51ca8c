"""The content of messages: texts, pictures, sounds, and what is not taken. Parts are known by the names of their
fields, because engines go by these even where ``type`` says something else.

What would make an engine read a file, fetch an address, or decode a video is refused here, whoever asks and however
the part is nested (Anthropic's tool results hold content of their own). A picture's address is noted; it is fetched
later, if the policy allows it, and by the gateway alone.
"""

import msgspec

from aimindserve.domain.pictures import PictureError, Steps
from aimindserve.gateway.affinity import sample
from aimindserve.gateway.asked import BodyLimits
from aimindserve.gateway.errors import Refusal
from aimindserve.gateway.pictures import check_base64, check_data_uri, is_text, without_escapes

ABSENT = msgspec.Raw()
# Pictures of one request that are looked at before it is known how many its model takes.
_MOST_LOOKED_AT = 64


class Reference(msgspec.Struct, gc=False):
    """``{"url": …}``."""

    url: msgspec.Raw = ABSENT


class Source(msgspec.Struct, gc=False):
    """Anthropic's way: ``{"type": "base64", "media_type": …, "data": …}`` or ``{"type": "url", "url": …}``."""

    media_type: str | None = None
    data: msgspec.Raw = ABSENT
    url: msgspec.Raw = ABSENT
    content: "str | list[Part | str | None] | None" = None


class Part(msgspec.Struct, gc=False):
    """One part. The fields of type None are not taken at all: any value but null is refused by ``refused_part``."""

    image_url: Reference | str | None = None
    audio_url: Reference | str | None = None
    source: Source | str | None = None
    content: "str | list[Part | str | None] | None" = None
    text: msgspec.Raw = ABSENT
    video_url: None = None
    video: None = None
    input_video: None = None
    file: None = None
    file_id: None = None
    file_url: None = None
    file_data: None = None
    image: None = None
    image_pil: None = None
    image_embeds: None = None
    audio_embeds: None = None


class Message(msgspec.Struct, gc=False):
    """A message, an item of a response's input (``output``: what a tool gave), or a document to rank."""

    role: msgspec.Raw = ABSENT
    content: str | list[Part | str | None] | None = None
    output: msgspec.Raw | None = None
    # Responses also take a part in the place of a message.
    image_url: Reference | str | None = None


_VIDEO = ("video_not_supported", "Videos are not taken by this server yet. Send single frames of it as pictures.")
_FILE = (
    "file_not_supported",
    "Files and PDF documents are not taken by this server yet. Send their pages as pictures, or their text.",
)
_OTHER = ("content_not_supported", "Content of this kind is not taken by this server; send pictures as image_url.")
# The one place that says what becomes of documents and videos: whoever turns them into pictures starts here.
NOT_TAKEN: dict[str, tuple[str, str]] = {
    "video_url": _VIDEO,
    "video": _VIDEO,
    "input_video": _VIDEO,
    "file": _FILE,
    "file_id": _FILE,
    "file_url": _FILE,
    "file_data": _FILE,
    "image": _OTHER,
    "image_pil": _OTHER,
    "image_embeds": _OTHER,
    "audio_embeds": _OTHER,
}


def refused_part(param: str) -> Refusal | None:
    """Why the part at ``param`` (``messages[0].content[1].video``) is not taken; None when it is none of those."""
    code, message = NOT_TAKEN.get(param.rpartition(".")[2], ("", ""))
    return Refusal(400, code, message, param) if code and "content" in param else None


class Content:
    """What was found in the content of a request. ``images``: number of pictures; ``urls``: those of them that must be
    fetched, in order; ``first``: a sample of the first one (``affinity``)."""

    __slots__ = ("_limits", "_steps", "first", "images", "urls")

    def __init__(self, limits: BodyLimits) -> None:
        self._limits = limits
        self._steps = Steps()
        self.images = 0
        self.urls: list[str] = []
        self.first = b""

    def look(self, messages: "list[Message]", name: str) -> Refusal | None:
        """Look at all of ``messages``, which are called ``name``; a refusal at the first part that may not pass."""
        for number, message in enumerate(messages):
            content = message.content
            if type(content) is list:
                refusal = self._parts(content, f"{name}[{number}].content")
                if refusal is not None:
                    return refusal
            if message.output is not None or message.image_url is not None:
                refusal = self._item(message, f"{name}[{number}]")
                if refusal is not None:
                    return refusal
        return None

    def _item(self, message: Message, where: str) -> Refusal | None:
        if message.image_url is not None:
            return self._picture(message.image_url, f"{where}.image_url")
        output = message.output
        if output is None or is_text(memoryview(output)):
            return None
        if bytes(memoryview(output)[:1]) == b"{":  # one part, not in a list
            output = msgspec.Raw(b"[%b]" % bytes(memoryview(output)))
        try:
            parts = _read_output(output)
        except msgspec.ValidationError as error:
            path = str(error).partition(" - at `$")[2].rstrip("`")
            return refused_part(f"{where}.output.content{path}") or _unreadable(f"{where}.output")
        return self._parts(parts, f"{where}.output")

    def _parts(self, parts: "list[Part | str | None]", where: str) -> Refusal | None:
        for place, part in enumerate(parts):
            if isinstance(part, Part):
                refusal = self._part(part, f"{where}[{place}]")
                if refusal is not None:
                    return refusal
        return None

    def _part(self, part: Part, where: str) -> Refusal | None:
        refusal: Refusal | None = None
        if part.image_url is not None:
            refusal = self._picture(part.image_url, f"{where}.image_url")
        if refusal is None and part.audio_url is not None and not _is_inline(part.audio_url):
            refusal = _not_fetched("Sounds", "audio", f"{where}.audio_url")
        if refusal is None and isinstance(part.source, Source):
            refusal = self._source(part.source, f"{where}.source")
        if refusal is None and type(part.content) is list:
            refusal = self._parts(part.content, f"{where}.content")
        return refusal

    def _source(self, source: Source, where: str) -> Refusal | None:
        if type(source.content) is list:
            return self._parts(source.content, f"{where}.content")
        kind = source.media_type or ""
        if source.url is not ABSENT:
            return self._count(where, memoryview(source.url)) or self._address(_text(source.url), where)
        if source.data is ABSENT or kind.startswith("text/"):
            return None
        if not kind.startswith("image/"):
            return Refusal(400, *_FILE, where)
        view = memoryview(source.data)
        if not is_text(view):
            return _unreadable(f"{where}.data")
        try:
            check_base64(without_escapes(view), self._steps, self._limits.image_bytes)
        except (PictureError, msgspec.DecodeError) as error:
            return _refused(error, where)
        return self._count(where, view)

    def _picture(self, reference: Reference | str, where: str) -> Refusal | None:
        view = memoryview(reference.encode()) if isinstance(reference, str) else memoryview(reference.url)
        refusal = self._count(where, view)
        if refusal is not None:
            return refusal
        if not _starts_inline(view):
            text = reference if isinstance(reference, str) else _text(reference.url)
            if not text.startswith("data:"):
                return self._address(text, where)
            view = memoryview(text.encode())
        try:
            check_data_uri(view, self._steps, self._limits.image_bytes)
        except (PictureError, msgspec.DecodeError) as error:
            return _refused(error, where)
        return None

    def _count(self, where: str, view: memoryview) -> Refusal | None:
        self.images += 1
        if self.images == 1:
            self.first = sample(view)
        if self.images > _MOST_LOOKED_AT:
            message = f"A request may have {_MOST_LOOKED_AT} pictures at most."
            return Refusal(400, "too_many_images", message, where.partition("[")[0])
        return None

    def _address(self, text: str, where: str) -> Refusal | None:
        if text[:8].lower().startswith(("http://", "https://")):
            self.urls.append(text)
            return None
        return _not_fetched("Pictures", "image", where)


_read_output = msgspec.json.Decoder(list[Part | str | None]).decode


def _refused(error: Exception, where: str) -> Refusal:
    if isinstance(error, PictureError):
        return Refusal(400, error.code, str(error), where)
    return _unreadable(where)


def _unreadable(where: str) -> Refusal:
    return Refusal(400, "invalid_type", f"{where} cannot be read.", where)


def _text(raw: msgspec.Raw) -> str:
    """The text of a JSON string; empty for anything else."""
    try:
        return msgspec.json.decode(raw, type=str)
    except msgspec.DecodeError:
        return ""


def _starts_inline(view: memoryview) -> bool:
    return bytes(view[:6]).lstrip(b'"').startswith(b"data:")


def _is_inline(reference: Reference | str) -> bool:
    text = reference if isinstance(reference, str) else _text(reference.url)
    return text.startswith("data:")


def _not_fetched(what: str, kind: str, param: str) -> Refusal:
    message = (
        f"{what} must be sent inside the request, as data: URIs (data:{kind}/…;base64,…). "
        "This address is of a kind that is not fetched by this server."
    )
    return Refusal(400, f"{kind}_url_not_supported", message, param)
