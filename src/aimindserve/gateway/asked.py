"""How much one inference request may ask for: a small body can cost an engine very much.

Fields are looked at where they lie (``msgspec.Raw``); what is large is measured and never taken apart or copied.
"""

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from aimindserve.gateway.errors import Refusal


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The largest values that pass. That there are some is OWASP API Security Top 10 (2023), API4 "Unrestricted
    Resource Consumption". OpenAI's API has the same 20 logprobs (vLLM too, by default) and 128 tools; its 4 stop texts
    and 20 MB a picture are near. It allows far more choices, but 8 already fill an engine on one device."""

    depth: int = 32
    """Arrays and objects inside each other, the body itself being the first."""
    messages: int = 2048
    images: int = 8
    image_bytes: int = 20 * 1024**2
    """Of one picture, once decoded from base64."""
    choices: int = 8
    logprobs: int = 20
    stops: int = 8
    stop_characters: int = 256
    tools: int = 128
    schema_bytes: int = 64 * 1024
    """Of a schema or grammar as it was sent: engines compile it before the first token."""


BODY_LIMITS = BodyLimits()

Number = int | float | bool | None
_ABSENT = msgspec.Raw()
_LONGEST_SWITCH = 200  # characters


class Tool(msgspec.Struct, gc=False):
    """One of ``tools``, only counted."""


class Refused(msgspec.Struct, gc=False, kw_only=True):
    """Fields that no request may have: the one list. As null is all that their type allows, reading a body finds them,
    and a body without them costs nothing.

    The template, which is code that the engine runs; embeddings in place of pictures and texts (CVE-2025-62164); how
    pictures and sounds are decoded and for how many pixels; another request's cache, slot or number (CVE-2026-21869);
    more of the engine for oneself."""

    chat_template: None = None
    mm_processor_kwargs: None = None
    media_io_kwargs: None = None
    prompt_embeds: None = None
    multi_modal_data: None = None
    multi_modal_uuids: None = None
    mm_hashes: None = None
    multimodal_data: None = None
    image_data: None = None
    kv_transfer_params: None = None
    ec_transfer_params: None = None
    vllm_xargs: None = None
    extra_args: None = None
    logits_processors: None = None
    request_id: None = None
    priority: None = None
    data_parallel_rank: None = None
    lora: None = None
    lora_request: None = None
    id_slot: None = None
    slot_id: None = None
    n_keep: None = None
    n_discard: None = None
    n_cache_reuse: None = None


REFUSED_FIELDS = frozenset(Refused.__struct_fields__)


def refused_field(param: str) -> Refusal | None:
    """The refusal of a field that no request may have; None when ``param`` may be there."""
    if param not in REFUSED_FIELDS:
        return None
    message = f"'{param}' is not taken by this server: it would let a request change how the engine runs."
    return Refusal(400, "parameter_not_allowed", message, param)


class Asked(Refused, gc=False, kw_only=True):
    """The limited fields of a body, by OpenAI's names and llama.cpp's and vLLM's own ones for the same."""

    n: Number = None
    n_cmpl: Number = None
    best_of: Number = None
    logprobs: Number = None
    top_logprobs: Number = None
    n_probs: Number = None
    prompt_logprobs: Number = None
    stop: str | list[str] | None = None
    stop_sequences: list[str] | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    tools: list[Tool] | None = None
    response_format: msgspec.Raw = _ABSENT
    json_schema: msgspec.Raw = _ABSENT
    grammar: msgspec.Raw = _ABSENT
    structured_outputs: msgspec.Raw = _ABSENT


_CHOICES = ("n", "n_cmpl", "best_of")
_LOGPROBS = ("logprobs", "top_logprobs", "n_probs", "prompt_logprobs")
_SCHEMAS = ("response_format", "json_schema", "grammar", "structured_outputs")


def over(asked: Asked, limits: BodyLimits = BODY_LIMITS) -> Refusal | None:
    """A refusal when one of the fields is over its limit."""
    if asked.n or asked.best_of or asked.n_cmpl:
        for name in _CHOICES:
            sent: Number = getattr(asked, name)
            if sent and sent > limits.choices:
                return _number("too_many_choices", name, sent, limits.choices)
    if asked.logprobs or asked.top_logprobs or asked.n_probs or asked.prompt_logprobs:
        for name in _LOGPROBS:
            sent = getattr(asked, name)
            if sent and sent > limits.logprobs:
                return _number("too_many_logprobs", name, sent, limits.logprobs)
    if asked.tools is not None and len(asked.tools) > limits.tools:
        return too_many("tools", "tools", len(asked.tools), limits.tools)
    worded = asked.stop or asked.stop_sequences or asked.chat_template_kwargs
    refusal = _worded(asked, limits) if worded else None
    if refusal is not None or asked.response_format is asked.json_schema is asked.grammar is asked.structured_outputs:
        return refusal  # all absent: they share nothing else
    return _schemas(asked, limits)


def _number(code: str, param: str, sent: float, limit: int) -> Refusal:
    # An integer of 4,300 digits is no text that Python would write (nor one to send back).
    said = f"{sent:g}" if isinstance(sent, float) or sent < 10**15 else "more than 10^15"
    return Refusal(400, code, f"'{param}' may be {limit} at most; this request has {said}.", param)


def too_many(what: str, param: str, sent: int, limit: int) -> Refusal:
    """A refusal because there are ``sent`` of ``what``."""
    return Refusal(400, f"too_many_{what}", f"A request may have {limit} {what} at most; this one has {sent}.", param)


def _worded(asked: Asked, limits: BodyLimits) -> Refusal | None:
    refusal = _stops("stop", asked.stop or (), limits)
    refusal = refusal or _stops("stop_sequences", asked.stop_sequences or (), limits)
    return refusal or _template(asked.chat_template_kwargs or {})


# Names that engines give their template functions themselves, or that change what these return (CVE-2025-62426).
_TEMPLATE_NAMES = frozenset(
    {
        "chat_template", "tokenize", "return_dict", "return_tensors", "padding", "truncation", "max_length",
        "tokenizer_kwargs", "conversation", "messages", "tools", "documents", "continue_final_message",
        "return_assistant_tokens_mask",
    }
)  # fmt: skip


def _template(values: dict[str, Any]) -> Refusal | None:
    """Switches of a template, as ``enable_thinking``, are plain values under names of its own."""
    for name, value in values.items():
        if name in _TEMPLATE_NAMES or isinstance(value, dict | list) or len(str(value)) > _LONGEST_SWITCH:
            message = f"'chat_template_kwargs' may have switches of the model's template only; '{name[:100]}' is none."
            return Refusal(400, "parameter_not_allowed", message, "chat_template_kwargs")
    return None


def _stops(param: str, stop: "str | list[str] | tuple[()]", limits: BodyLimits) -> Refusal | None:
    texts = (stop,) if isinstance(stop, str) else stop
    if len(texts) > limits.stops:
        message = f"'{param}' may have {limits.stops} entries at most; this request has {len(texts)}."
        return Refusal(400, "too_many_stop_sequences", message, param)
    for place, text in enumerate(texts):
        if len(text) > limits.stop_characters:
            message = f"A stop text may have {limits.stop_characters} characters at most; this one has {len(text)}."
            return Refusal(
                400, "stop_sequence_too_long", message, param if isinstance(stop, str) else f"{param}[{place}]"
            )
    return None


def _schemas(asked: Asked, limits: BodyLimits) -> Refusal | None:
    for name in _SCHEMAS:
        raw: msgspec.Raw = getattr(asked, name)
        if raw is not _ABSENT and (size := memoryview(raw).nbytes) > limits.schema_bytes:
            message = f"'{name}' may have {limits.schema_bytes} bytes at most; this one has {size}."
            return Refusal(400, "schema_too_large", message, name)
    return None


# ---- depth

# A text without a backslash before its end, which is found fast, or any text; then what is neither text nor bracket.
# Possessive repeats: each byte is looked at once or twice, whatever the body.
_TEXT = rb'"[^"]*+(?<!\\)"|"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_FLAT = rb'[^"\[\]{}]++|' + _TEXT
_LONG = 8192  # bytes from which on looking for each bracket is cheaper than to count them
_shapes: dict[int, re.Pattern[bytes]] = {}


def _shape(depth: int) -> re.Pattern[bytes]:
    """What valid JSON of at most ``depth`` levels looks like: the pattern contains itself that often."""
    shape = _shapes.get(depth)
    if shape is None:
        pattern = rb"[\[{](?:%b)*+[\]}]" % _FLAT
        for _ in range(depth - 1):
            pattern = rb"[\[{](?:%b|%b)*+[\]}]" % (_FLAT, pattern)
        shape = _shapes[depth] = re.compile(rb"\s*+%b\s*+" % pattern, re.DOTALL)
    return shape


def too_deep(body: bytes | bytearray, limits: BodyLimits = BODY_LIMITS) -> Refusal | None:
    """A refusal when ``body``, which is valid JSON, has too many levels. Most bodies have fewer brackets than that."""
    limit = limits.depth
    few = _few_brackets(body, limit) if len(body) > _LONG else body.count(b"{") + body.count(b"[") <= limit
    return None if few or _shape(limit).fullmatch(body) else nested(limit)


def _few_brackets(body: bytes | bytearray, most: int) -> bool:
    """Whether ``body`` has ``most`` opening brackets at most. In base64, ``find`` is ten times as fast as ``count``."""
    for bracket in (b"{", b"["):
        place = body.find(bracket)
        while place >= 0:
            most -= 1
            if most < 0:
                return False
            place = body.find(bracket, place + 1)
    return True


def nested(limit: int = BODY_LIMITS.depth) -> Refusal:
    """The refusal of a body with more levels than ``limit``; how many they are is not counted to the end."""
    message = f"The body may be nested {limit} levels deep at most; this one has {limit + 1} or more."
    return Refusal(400, "nested_too_deeply", message)
