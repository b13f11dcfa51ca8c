"""The inference paths served here, one row each: where the model is named, what is looked at in the body, which engines
have it and under which path, in whose form its errors are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from aimindserve.gateway.errors import Form


class Action(Enum):
    """Who answers."""

    FORWARD = "forward"
    """An engine, chosen by the body's ``model``."""
    LIST_MODELS = "list_models"
    SHOW_MODEL = "show_model"


class Body(Enum):
    """What a body is, so where its ``model`` is and where pictures may be."""

    CHAT = "chat"
    """JSON with ``messages`` of OpenAI's kind, or texts in ``prompt``, ``input``, ``query``, ``documents``."""
    RESPONSES = "responses"
    """JSON with ``input``: a text, or items with content."""
    ANTHROPIC = "anthropic"
    """JSON with ``messages`` of Anthropic's kind."""
    FORM = "form"
    """``multipart/form-data``: a file and fields."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint. ``name`` is its label in metrics and usage; ``methods`` as in an Allow header; ``large_body``:
    pictures or sounds travel in it; ``streams``: it knows ``stream``; ``asks_usage``: a stream tells its usage only
    when ``stream_options`` say so; ``last_event``: what the last event of a stream has in its first line.

    ``paths``: by engine, the path there; None: every engine has it, under this path. An old version of an engine may
    lack what its name promises; its 404 is then told as what it is (see ``errors``).
    """

    name: str
    action: Action
    methods: tuple[bytes, ...]
    body: Body = Body.CHAT
    large_body: bool = False
    streams: bool = False
    asks_usage: bool = False
    last_event: bytes = b"[DONE]"
    paths: Mapping[str, str] | None = None
    errors: Form = Form.OPENAI

    @property
    def allow(self) -> bytes:
        """The value of an Allow header."""
        return b", ".join((*self.methods, b"OPTIONS"))

    def path_on(self, engine: str, path: str) -> str | None:
        """Where ``engine`` has what the caller asks for at ``path``; None when it has not."""
        if self.paths is None or not engine:
            return path
        return self.paths.get(engine)


_POST = (b"POST",)
_READ = (b"GET", b"HEAD")
LLAMA, VLLM = "llama.cpp", "vllm"
_NOWHERE: dict[str, str] = {}


def _chat(name: str, *, large_body: bool = False) -> Row:
    return Row(name, Action.FORWARD, _POST, streams=True, asks_usage=True, large_body=large_body)


def _texts(name: str, **paths: str) -> Row:
    return Row(name, Action.FORWARD, _POST, paths={LLAMA: paths["llama"], VLLM: paths["vllm"]} if paths else None)


def _messages(name: str, *, streams: bool = False) -> Row:
    return Row(
        name,
        Action.FORWARD,
        _POST,
        Body.ANTHROPIC,
        large_body=True,
        streams=streams,
        last_event=b"message_stop",
        errors=Form.ANTHROPIC,
    )


def _form(name: str, *engines: str, path: str) -> Row:
    paths = dict.fromkeys(engines, path) if engines else _NOWHERE
    return Row(name, Action.FORWARD, _POST, Body.FORM, large_body=True, streams=True, paths=paths)


def _made(name: str) -> Row:
    """Sounds and pictures out of text: no engine here makes them yet."""
    return Row(name, Action.FORWARD, _POST, paths=_NOWHERE)


ROWS: dict[str, Row] = {
    "/v1/chat/completions": _chat("chat.completions", large_body=True),
    "/v1/completions": _chat("completions"),
    "/v1/responses": Row(
        "responses",
        Action.FORWARD,
        _POST,
        Body.RESPONSES,
        large_body=True,
        streams=True,
        last_event=b"response.completed",
    ),
    "/v1/messages": _messages("messages", streams=True),
    "/v1/messages/count_tokens": _messages("messages.count_tokens"),
    "/v1/embeddings": _texts("embeddings"),
    "/v1/rerank": _texts("rerank"),
    "/v1/tokenize": _texts("tokenize", llama="/tokenize", vllm="/tokenize"),
    "/v1/audio/transcriptions": _form("audio.transcriptions", LLAMA, VLLM, path="/v1/audio/transcriptions"),
    "/v1/audio/translations": _form("audio.translations", VLLM, path="/v1/audio/translations"),
    "/v1/audio/speech": _made("audio.speech"),
    "/v1/images/generations": _made("images.generations"),
    "/v1/images/edits": _form("images.edits", path=""),
    "/v1/images/variations": _form("images.variations", path=""),
    "/v1/models": Row("models", Action.LIST_MODELS, _READ, Body.NONE),
}
_ONE_MODEL = Row("models", Action.SHOW_MODEL, _READ, Body.NONE)
_MODEL_PREFIX = "/v1/models/"


def find_row(path: str) -> Row | None:
    """The endpoint at ``path`` (without its query), or None."""
    row = ROWS.get(path)
    if row is None and path.startswith(_MODEL_PREFIX) and len(path) > len(_MODEL_PREFIX):
        return _ONE_MODEL
    return row


def model_in(path: str) -> str:
    """The model's id in ``/v1/models/{id}``, still percent-encoded."""
    return path[len(_MODEL_PREFIX) :]


def is_inference(path: str) -> bool:
    """Whether the gateway answers this path in OpenAI's shape."""
    return path.startswith("/v1/") or path == "/v1"
