"""Logging: one line per event to standard error, with secrets and control characters taken out.

Every record passes ``redact``, those of libraries too."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from structlog.typing import EventDict

_HIDDEN = "[hidden]"
_SECRET_NAMES = re.compile(
    r"password|passwd|authorization|cookie|secret|pepper|(?:^|[_-])(?:token|api[_-]?key|engine[_-]?key)$", re.IGNORECASE
)
_SECRET_TEXTS = re.compile(
    r"""
      sk-[A-Za-z0-9_-]{8,}                                     # our API keys, and OpenAI's
    | hf_[A-Za-z0-9]{8,}                                       # Hugging Face tokens
    | (?<=data:)image/[a-z0-9.+-]+;base64,[A-Za-z0-9+/=_-]*    # pictures of users
    | (?<=bearer\s)\S+
    | (?<=basic\s)\S+
    | (?<=aimindserve_session=)[^;\s"']+
    | (?<=://)[^/\s:@]*:[^/\s@]+(?=@)                          # user:password@ in an address
    | (?:(?<=password=)|(?<=password":\s")|(?<=password':\s')|(?<=token=))[^&\s"']+
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_DEEPEST = 6


def redact_text(text: str) -> str:
    """``text`` without anything that looks like a secret, control characters written out."""
    hidden = _SECRET_TEXTS.sub(_HIDDEN, text)
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", hidden)


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> EventDict:
    """Processor of structlog: cleans names and values, however deep."""
    return {str(name): _clean(str(name), value, 0) for name, value in event.items()}


def _clean(name: str, value: Any, depth: int) -> Any:
    if _SECRET_NAMES.search(name):
        return _HIDDEN
    if isinstance(value, bool | int | float | None):
        return value
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {str(inner): _clean(str(inner), item, depth + 1) for inner, item in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [_clean("", item, depth + 1) for item in value]
    return redact_text(value if isinstance(value, str) else str(value))


class _ToStructlog(logging.Handler):
    """Hands records of libraries to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger(record.name)
        exc_info = record.exc_info if record.exc_info and record.exc_info[0] else None
        logger.log(record.levelno, record.getMessage(), logger=record.name, exc_info=exc_info)


def set_up_logging(level: str) -> None:
    """Sends everything from ``level`` on to standard error, one line each (logfmt)."""
    least = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.LogfmtRenderer(key_order=("timestamp", "level", "event"), drop_missing=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_ToStructlog()]
    root.setLevel(max(least, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
