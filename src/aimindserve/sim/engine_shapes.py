"""The same answers in the shapes of OpenAI's Responses and Anthropic's Messages, and of the smaller endpoints. Pure."""

import json
import zlib
from collections.abc import Mapping
from typing import Any

from aimindserve.sim.engine_answers import CREATED, Asked, answer_tokens, count_tokens, finish_reason, usage
from aimindserve.sim.engine_knobs import Knobs

RESPONSES, MESSAGES = "responses", "messages"


def in_chat_form(body: dict[str, Any], shape: str) -> dict[str, Any]:
    """A request of another shape as the chat request that says the same, for ``read_request``."""
    if shape == RESPONSES:
        given = body.get("input")
        messages = [{"role": "user", "content": given}] if isinstance(given, str) else given or []
        messages = [{"role": "system", "content": body.get("instructions") or ""}, *messages]
    else:
        system = body.get("system")
        messages = [{"role": "system", "content": system}] if system else []
        messages += body.get("messages") or []
    limit = body.get("max_output_tokens", body.get("max_tokens"))
    return {"messages": messages, "max_tokens": limit, "stream": body.get("stream") is True}


def counted_tokens(asked: Asked, count: int, how: str) -> dict[str, Any] | None:
    """The usage object by the names of both shapes."""
    known = usage(asked, count, how)
    if known is None:
        return None
    return {"input_tokens": known["prompt_tokens"], "output_tokens": known["completion_tokens"]}


def whole_response(asked: Asked, model: str, identity: str, knobs: Knobs) -> dict[str, Any]:
    """The JSON of ``/v1/responses``."""
    tokens = list(answer_tokens(asked, knobs))
    return _response(model, identity, "".join(tokens), counted_tokens(asked, len(tokens), knobs.usage))


def _item(identity: str, text: str, status: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}] if status == "completed" else []
    return {"type": "message", "id": f"msg-{identity}", "role": "assistant", "status": status, "content": content}


def _response(model: str, identity: str, text: str | None, counted: dict[str, Any] | None) -> dict[str, Any]:
    done = text is not None
    answer: dict[str, Any] = {
        "id": f"resp-{identity}",
        "object": "response",
        "created_at": CREATED,
        "status": "completed" if done else "in_progress",
        "model": model,
        "output": [_item(identity, text, "completed")] if text is not None else [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": None,
    }
    if counted is not None:
        total = {"total_tokens": counted["input_tokens"] + counted["output_tokens"]}
        details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
        answer["usage"] = {**counted, **total, **details}
    return answer


def whole_message(asked: Asked, model: str, identity: str, knobs: Knobs) -> dict[str, Any]:
    """The JSON of ``/v1/messages``."""
    tokens = list(answer_tokens(asked, knobs))
    text = [{"type": "text", "text": "".join(tokens)}]
    return _message(model, identity, text, _stop(asked, len(tokens)), counted_tokens(asked, len(tokens), knobs.usage))


def _message(
    model: str, identity: str, content: list[dict[str, Any]], stop: str | None, counted: dict[str, Any] | None
) -> dict[str, Any]:
    base = {"id": f"msg-{identity}", "type": "message", "role": "assistant", "model": model, "content": content}
    return {**base, "stop_reason": stop, "stop_sequence": None, "usage": counted}


def _stop(asked: Asked, count: int) -> str:
    return "max_tokens" if finish_reason(asked, count) == "length" else "end_turn"


def _event(kind: str, **values: object) -> bytes:
    body = json.dumps({"type": kind, **values}, ensure_ascii=False, separators=(",", ":"))
    return f"event: {kind}\ndata: {body}\n\n".encode()


class ResponseEvents:
    """Events of one streamed response; see ``engine_answers.Chunks``."""

    def __init__(self, asked: Asked, model: str, identity: str, knobs: Knobs) -> None:
        self._asked, self._model, self._identity, self._knobs = asked, model, identity, knobs
        self._number = -1
        self._text = ""

    def _next(self, kind: str, **values: object) -> bytes:
        self._number += 1
        return _event(kind, sequence_number=self._number, **values)

    def first(self) -> bytes:
        """What opens the response."""
        begun = _response(self._model, self._identity, None, None)
        part = {"type": "output_text", "text": "", "annotations": []}
        return (
            self._next("response.created", response=begun)
            + self._next("response.output_item.added", output_index=0, item=_item(self._identity, "", "in_progress"))
            + self._next("response.content_part.added", **self._place(), part=part)
        )

    def _place(self) -> dict[str, Any]:
        return {"item_id": f"msg-{self._identity}", "output_index": 0, "content_index": 0}

    def token(self, text: str) -> bytes:
        """One token."""
        self._text += text
        return self._next("response.output_text.delta", **self._place(), delta=text, logprobs=[])

    def last(self, count: int) -> bytes:
        """What closes it, with the usage."""
        counted = counted_tokens(self._asked, count, self._knobs.usage)
        whole = _response(self._model, self._identity, self._text, counted)
        part = {"type": "output_text", "text": self._text, "annotations": []}
        return (
            self._next("response.output_text.done", **self._place(), text=self._text, logprobs=[])
            + self._next("response.content_part.done", **self._place(), part=part)
            + self._next("response.output_item.done", output_index=0, item=whole["output"][0])
            + self._next("response.completed", response=whole)
        )


class MessageEvents:
    """Events of one streamed message: what went in is told at the beginning, what came out at the end."""

    def __init__(self, asked: Asked, model: str, identity: str, knobs: Knobs) -> None:
        self._asked, self._model, self._identity, self._knobs = asked, model, identity, knobs

    def first(self) -> bytes:
        """What opens the message."""
        begun = _message(self._model, self._identity, [], None, counted_tokens(self._asked, 0, self._knobs.usage))
        return _event("message_start", message=begun) + _event(
            "content_block_start", index=0, content_block={"type": "text", "text": ""}
        )

    def token(self, text: str) -> bytes:
        """One token."""
        return _event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})

    def last(self, count: int) -> bytes:
        """What closes it."""
        stopped = {"stop_reason": _stop(self._asked, count), "stop_sequence": None}
        counted = counted_tokens(self._asked, count, self._knobs.usage)
        out = None if counted is None else {"output_tokens": counted["output_tokens"]}
        end = _event("message_delta", delta=stopped, usage=out) if out else _event("message_delta", delta=stopped)
        return _event("content_block_stop", index=0) + end + _event("message_stop")


def token_ids(text: str, context: int, *, vllm: bool) -> dict[str, Any]:
    """What ``/tokenize`` answers; each word has one number."""
    ids = [zlib.crc32(word.encode()) % 32_000 for word in text.split()]
    return {"count": len(ids), "max_model_len": context, "tokens": ids} if vllm else {"tokens": ids}


def transcript(form: bytes, headers: Mapping[str, str], *, translated: bool) -> dict[str, Any] | None:
    """What was heard in a form's file; None when it is no form with a file."""
    boundary = headers.get("content-type", "").partition("boundary=")[2].strip('"').encode()
    parts = form.split(b"--" + boundary) if boundary else []
    files = [part for part in parts if b'name="file"' in part]
    if len(files) != 1:
        return None
    heard = len(files[0].partition(b"\r\n\r\n")[2]) - 2
    text = f"{'Translated' if translated else 'Heard'} {heard} bytes."
    words = count_tokens(text)
    counted = {"type": "tokens", "input_tokens": heard, "output_tokens": words, "total_tokens": heard + words}
    return {"text": text, "usage": counted}
