"""The first requests of a start, which prove that an engine answers: what is asked, and how the answers are read."""

import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from aimindserve.domain.sight_pictures import Trial

AGENT = "aimindserve-start"
"""The ``User-Agent`` of these requests."""

CHAT_PATH = "/v1/chat/completions"
# Enough for a sentence; a model that never ends its answer is cut there.
_ANSWER_TOKENS = 32
_MOST_COMPLAINT = 200


@dataclass(frozen=True, slots=True)
class Question:
    """A request: path and JSON body."""

    path: str
    body: Mapping[str, object]


def first_questions(alias: str, capabilities: Collection[str]) -> tuple[Question, ...]:
    """The smallest requests that a model with these capabilities answers; where it refuses one (a model without a chat
    template), the next counts."""
    if "embedding" in capabilities:
        return (Question("/v1/embeddings", {"model": alias, "input": "Hello"}),)
    if "rerank" in capabilities:
        return (Question("/v1/rerank", {"model": alias, "query": "Hello", "documents": ["Hello"]}),)
    short = {"model": alias, "max_tokens": 1, "temperature": 0}
    return (
        Question(CHAT_PATH, {**short, "messages": [{"role": "user", "content": "Hello"}]}),
        Question("/v1/completions", {**short, "prompt": "Hello"}),
    )


def picture_question(alias: str, trial: Trial) -> Question:
    """A question about a drawn picture."""
    picture = f"data:image/png;base64,{base64.b64encode(trial.png).decode()}"
    content = [{"type": "image_url", "image_url": {"url": picture}}, {"type": "text", "text": trial.question}]
    messages = [{"role": "user", "content": content}]
    return Question(CHAT_PATH, {"model": alias, "max_tokens": _ANSWER_TOKENS, "temperature": 0, "messages": messages})


def said(body: bytes) -> str | None:
    """The text of a chat answer, or of its reasoning where it came no further; None when it is no such answer."""
    choices = _field(_parsed(body), "choices")
    message = _field(choices[0] if isinstance(choices, list) and choices else None, "message")
    if not isinstance(message, Mapping):
        return None
    told = (_field(message, name) for name in ("content", "reasoning_content", "reasoning"))
    return next((text for text in told if isinstance(text, str) and text), "")


def complaint(status: int, body: bytes) -> str:
    """What an engine says with an answer that is none."""
    document = _parsed(body)
    error = _field(document, "error")
    message = _field(error, "message") if isinstance(error, Mapping) else error or _field(document, "message")
    words = message if isinstance(message, str) else body[:_MOST_COMPLAINT].decode("utf-8", "replace")
    return f"{status} {' '.join(words.split())}".strip().rstrip(".")[:_MOST_COMPLAINT]


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _field(document: Any, name: str) -> Any:
    return cast("Mapping[str, Any]", document).get(name) if isinstance(document, Mapping) else None
