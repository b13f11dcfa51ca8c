"""What an OpenAI-compatible engine answers, as values. Pure: the same request gets the same tokens."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aimindserve.sim.engine_knobs import Knobs

PICTURE_TOKENS, MESSAGE_TOKENS, NATURAL_TOKENS = 16, 4, 16
CREATED = 1_700_000_000
_WORD = re.compile(r"\w+|[^\w\s]")
_OPENING = ["An", "emulated", "engine", "answers", "this"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request holds, as far as the answer depends on it."""

    text: str
    pictures: int
    prompt_tokens: int
    limit: int | None
    stream: bool
    wants_usage: bool
    chat: bool
    shape: str = ""


def count_tokens(text: str) -> int:
    """Words and punctuation marks: this engine's tokens."""
    return len(_WORD.findall(text))


_PICTURES = {"image_url", "input_image", "image"}


def read_request(body: dict[str, Any], *, chat: bool, shape: str = "") -> Asked:
    """The request of ``/v1/chat/completions`` (``chat``) or ``/v1/completions``. Unfit parts count as nothing.
    ``shape``: that of the answer, where it is another one."""
    texts, pictures, messages = [], 0, 0
    if chat:
        for message in body.get("messages") or ():
            messages += 1
            content = message.get("content")
            for part in [{"type": "text", "text": content}] if isinstance(content, str) else content or ():
                texts.append(str(part.get("text") or ""))
                pictures += part.get("type") in _PICTURES
    else:
        prompt = body.get("prompt")
        texts += [prompt] if isinstance(prompt, str) else [str(one) for one in prompt or ()]
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    options = body.get("stream_options") or {}
    text = "\n".join(texts)
    tokens = count_tokens(text) + pictures * PICTURE_TOKENS + messages * MESSAGE_TOKENS
    return Asked(
        text=text,
        pictures=pictures,
        prompt_tokens=tokens,
        limit=limit if isinstance(limit, int) else None,
        stream=body.get("stream") is True,
        wants_usage=bool(options.get("include_usage")),
        chat=chat,
        shape=shape,
    )


def answer_tokens(asked: Asked, knobs: Knobs) -> Iterator[str]:
    """The answer, token by token, each but the first with its space before it.

    Its length: knob ``tokens``, else the request's limit, else 16. Knob ``text`` is said as it is, within that limit.
    """
    if knobs.text:
        words = knobs.text.split()
    else:
        length = knobs.tokens if knobs.tokens is not None else asked.limit or NATURAL_TOKENS
        numbers = range(1, max(0, length - len(_OPENING)) + 1)
        words = [*_OPENING, *map(str, numbers)][:length]
    if knobs.answer_bytes:
        size = max(1, knobs.answer_bytes // max(1, len(words)))
        words = [word.ljust(size, "x") for word in words]
    if knobs.split_utf8:
        words = [f"{word}图片" for word in words]
    limit = len(words) if asked.limit is None else asked.limit
    for position, word in enumerate(words[:limit]):
        yield word if position == 0 else f" {word}"


def finish_reason(asked: Asked, count: int) -> str:
    """``length`` when the request's limit ended the answer, else ``stop``."""
    return "length" if asked.limit is not None and count >= asked.limit else "stop"


def usage(asked: Asked, count: int, how: str) -> dict[str, Any] | None:
    """The usage object. ``how``: right, wrong (not what was sent), missing (None), null, text."""
    if how in {"missing", "null"}:
        return None
    if how == "text":
        return {"prompt_tokens": "many", "completion_tokens": "some", "total_tokens": "lots"}
    if how == "wrong":
        return {"prompt_tokens": -1, "completion_tokens": 10**12, "total_tokens": 7}
    total = asked.prompt_tokens + count
    return {"prompt_tokens": asked.prompt_tokens, "completion_tokens": count, "total_tokens": total}


def whole_answer(asked: Asked, model: str, identity: str, knobs: Knobs) -> dict[str, Any]:
    """The JSON of a request without streaming."""
    tokens = list(answer_tokens(asked, knobs))
    text = "".join(tokens)
    said: dict[str, Any] = {"message": {"role": "assistant", "content": text}} if asked.chat else {"text": text}
    answer: dict[str, Any] = {
        "id": identity,
        "object": "chat.completion" if asked.chat else "text_completion",
        "created": CREATED,
        "model": model,
        "choices": [{"index": 0, **said, "finish_reason": finish_reason(asked, len(tokens))}],
    }
    counted = usage(asked, len(tokens), knobs.usage)
    if counted is not None or knobs.usage == "null":
        answer["usage"] = counted
    return answer


class Chunks:
    """Server-sent events of one streamed answer, each as bytes."""

    def __init__(self, asked: Asked, model: str, identity: str, knobs: Knobs) -> None:
        self._asked, self._knobs = asked, knobs
        kind = "chat.completion.chunk" if asked.chat else "text_completion"
        self._base: dict[str, Any] = {"id": identity, "object": kind, "created": CREATED, "model": model}

    def _event(self, choices: list[dict[str, Any]], **more: object) -> bytes:
        body = json.dumps({**self._base, "choices": choices, **more}, ensure_ascii=False, separators=(",", ":"))
        return f"data: {body}\n\n".encode()

    def _choice(self, text: str | None, finish: str | None) -> list[dict[str, Any]]:
        if not self._asked.chat:
            return [{"index": 0, "text": text or "", "finish_reason": finish}]
        return [{"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": finish}]

    def first(self) -> bytes:
        """The event that opens a chat answer; nothing for a completion."""
        if not self._asked.chat:
            return b""
        return self._event([{"index": 0, "delta": {"role": "assistant", "content": None}, "finish_reason": None}])

    def token(self, text: str) -> bytes:
        """One token."""
        return self._event(self._choice(text, None))

    def last(self, count: int) -> bytes:
        """The finish reason, the usage when it was asked for, and ``[DONE]``."""
        events = self._event(self._choice(None, finish_reason(self._asked, count)))
        counted = usage(self._asked, count, self._knobs.usage)
        if self._asked.wants_usage and self._knobs.usage != "missing":
            events += self._event([], usage=counted)
        return events + (b"data: [DONE]\n\n" if self._knobs.done else b"")
