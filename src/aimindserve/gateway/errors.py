"""What a caller is told when a request cannot be served: OpenAI's envelope for inference, problem+json for the rest."""

import re
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any

import msgspec

_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}
_KEPT = 2000
# Engines put their own addresses, paths and even pointers into messages; none of that is a caller's business.
_SCRUBBED = (
    (re.compile(r"\b(?:https?://)?(?:localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]):\d+\S*"), "[engine]"),
    (re.compile(r"\b0x[0-9a-fA-F]{6,}\b"), "[address]"),
    (re.compile(r"(?<![\w/.:])/(?:[\w.@+-]+/)+[\w.@+-]+"), "[path]"),
)


class Form(Enum):
    """Whose clients read an error."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an inference request is not served. ``retry_after`` in seconds; ``extra`` adds fields to the error,
    ``headers`` whole lines to the answer."""

    status: int
    code: str
    message: str
    param: str | None = None
    source: str = "gateway"
    retry_after: int | None = None
    extra: dict[str, Any] = field(default_factory=dict[str, Any])
    headers: bytes = b""


def reason_phrase(status: int) -> bytes:
    """The words after the status."""
    return _REASONS.get(status, b"Unknown")


def _type_of(status: int) -> str:
    if status == 401:
        return "authentication_error"
    if status == 403:
        return "permission_error"
    if status == 429:
        return "rate_limit_error"
    return "invalid_request_error" if status < 500 else "server_error"


# https://docs.anthropic.com/en/api/errors
_ANTHROPIC_TYPES = {404: "not_found_error", 413: "request_too_large", 529: "overloaded_error"}


def envelope(refusal: Refusal, form: Form = Form.OPENAI) -> bytes:
    """``{"error": {"message", "type", "code", "param", "source", …}}``; for Anthropic's clients with their types, and
    ``{"type": "error"}`` around it."""
    error = {
        "message": refusal.message,
        "type": _type_of(refusal.status),
        "code": refusal.code,
        "param": refusal.param,
        "source": refusal.source,
        **refusal.extra,
    }
    if form is Form.OPENAI:
        return msgspec.json.encode({"error": error})
    otherwise = "api_error" if refusal.status >= 500 else error["type"]
    error["type"] = _ANTHROPIC_TYPES.get(refusal.status, otherwise)
    return msgspec.json.encode({"type": "error", "error": error})


def error_event(refusal: Refusal, form: Form = Form.OPENAI) -> bytes:
    """The same as the last event of a stream that broke off."""
    name = b"event: error\n" if form is Form.ANTHROPIC else b""
    return b"%bdata: %b\n\n" % (name, envelope(refusal, form))


def scrub(message: str) -> str:
    """An engine's message without addresses, paths and pointers, and of bearable length."""
    for pattern, instead in _SCRUBBED:
        message = pattern.sub(instead, message)
    return message[:_KEPT]


class _EngineError(msgspec.Struct):
    message: Any = None
    code: Any = None
    param: Any = None


class _EngineAnswer(msgspec.Struct):
    error: _EngineError | str | None = None
    message: Any = None
    detail: Any = None
    code: Any = None
    param: Any = None


def engine_refusal(status: int, body: bytes) -> Refusal:
    """An engine's error answer (llama.cpp, vLLM and FastAPI shapes) in our words."""
    try:
        answer = msgspec.json.decode(body, type=_EngineAnswer)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        answer = _EngineAnswer()
    inner = answer.error if isinstance(answer.error, _EngineError) else answer
    said = answer.error if isinstance(answer.error, str) else inner.message or answer.detail
    message = scrub(said) if isinstance(said, str) and said else "The engine refused the request."
    code = inner.code if isinstance(inner.code, str) else "engine_error"
    param = inner.param if isinstance(inner.param, str) else None
    if status in (401, 403):  # our credential at the engine, not the caller's
        return Refusal(502, "engine_unreachable", "The engine did not accept the gateway.", source="engine")
    if status in (404, 405) and message in _NO_SUCH_PATH:
        return not_supported("The model's engine, in the version that runs, has nothing at this endpoint.")
    code = "not_supported_by_engine" if status == 501 else code
    return Refusal(status, code, message, param, source="engine")


# What llama.cpp (cpp-httplib) and vLLM (FastAPI) say of a path that they do not have.
_NO_SUCH_PATH = frozenset({"File Not Found", "Not Found", "Method Not Allowed"})


def not_supported(message: str) -> Refusal:
    """An endpoint that exists, but not on the engine of the model that was asked for."""
    return Refusal(501, "not_supported_by_engine", message)


def http_answer(
    status: int, content_type: bytes, body: bytes, headers: bytes = b"", *, with_body: bool = True
) -> bytes:
    """A whole answer. ``headers``: further header lines, each with its CRLF; ``with_body`` False: answer to HEAD."""
    if status == 204:  # has no body, not even one of length 0 (RFC 9110, 8.6)
        return b"HTTP/1.1 204 No Content\r\n%b\r\n" % headers
    return b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n%b\r\n%b" % (
        status,
        reason_phrase(status),
        content_type,
        len(body),
        headers,
        body if with_body else b"",
    )


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem+json answer of the gateway itself, in both languages."""

    status: int
    code: str
    message: dict[str, str]
    remedy: dict[str, str]


SERVER_DOWN = Problem(
    503,
    "not_ready",
    {"en": "The management server is not running just now.", "zh": "管理服务当前未运行。"},
    {"en": "It is started again by itself; try again in a moment.", "zh": "它会自动重新启动，请稍后重试。"},
)
METRICS_KEY_NEEDED = Problem(
    401,
    "unauthenticated",
    {"en": "Metrics need a key.", "zh": "读取指标需要密钥。"},
    {"en": "Send an API key with scope metrics or management.", "zh": "请使用具有 metrics 或 management 权限的密钥。"},
)
METRICS_SCOPE_NEEDED = Problem(
    403,
    "forbidden",
    {"en": "This key may not read metrics.", "zh": "此密钥无权读取指标。"},
    {"en": "Send an API key with scope metrics or management.", "zh": "请使用具有 metrics 或 management 权限的密钥。"},
)


def prefers_chinese(accept_language: bytes | None) -> bool:
    """Whether Chinese comes before English in an Accept-Language header (browsers list by preference)."""
    wanted = (accept_language or b"").lower()
    chinese, english = wanted.find(b"zh"), wanted.find(b"en")
    return chinese >= 0 and (english < 0 or chinese < english)


def problem_body(problem: Problem, request_id: str, *, chinese: bool) -> bytes:
    """The body of ``problem``."""
    language = "zh" if chinese else "en"
    return msgspec.json.encode(
        {
            "type": "about:blank",
            "title": problem.code.replace("_", " "),
            "status": problem.status,
            "code": problem.code,
            "message": problem.message[language],
            "params": {},
            "remedy": problem.remedy[language],
            "request_id": request_id,
        }
    )
