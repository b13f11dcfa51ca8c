"""The OpenAI paths served here, one row each."""

from dataclasses import dataclass
from enum import Enum


class Action(Enum):
    """Who answers."""

    FORWARD = "forward"
    """An engine, chosen by the body's ``model``."""
    LIST_MODELS = "list_models"
    SHOW_MODEL = "show_model"


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint. ``name`` is its label in metrics and usage; ``large_body``: pictures travel in it; ``methods``
    as in an Allow header."""

    name: str
    action: Action
    methods: tuple[bytes, ...]
    large_body: bool = False
    streams: bool = False

    @property
    def allow(self) -> bytes:
        """The value of an Allow header."""
        return b", ".join((*self.methods, b"OPTIONS"))


_POST = (b"POST",)
_READ = (b"GET", b"HEAD")

ROWS: dict[str, Row] = {
    "/v1/chat/completions": Row("chat.completions", Action.FORWARD, _POST, large_body=True, streams=True),
    "/v1/completions": Row("completions", Action.FORWARD, _POST, streams=True),
    "/v1/embeddings": Row("embeddings", Action.FORWARD, _POST),
    "/v1/models": Row("models", Action.LIST_MODELS, _READ),
}
_ONE_MODEL = Row("models", Action.SHOW_MODEL, _READ)
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
