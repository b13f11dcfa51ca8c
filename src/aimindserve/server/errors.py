"""Refusals as ``application/problem+json``, in the caller's language. One table says which status a reason has."""

from collections.abc import Mapping
from typing import NoReturn

from fastapi.responses import JSONResponse
from starlette.requests import HTTPConnection

from aimindserve.domain.reason_texts import explain
from aimindserve.domain.reasons import Language, ParameterValue, Reason, ReasonCode, reason
from aimindserve.domain.views import Problem, ReasonView

PROBLEM_MEDIA_TYPE = "application/problem+json"

_STATUS = {
    ReasonCode.NOT_FOUND: 404,
    ReasonCode.NAME_TAKEN: 409,
    ReasonCode.REVISION_CONFLICT: 409,
    ReasonCode.FILES_IN_USE: 409,
    ReasonCode.ENVIRONMENT_IN_USE: 409,
    ReasonCode.ACTION_NOT_ALLOWED: 409,
    ReasonCode.REMOTE_CODE_UNCONFIRMED: 409,
    ReasonCode.INVALID_REQUEST: 422,
    ReasonCode.UNAUTHENTICATED: 401,
    ReasonCode.FORBIDDEN: 403,
    ReasonCode.LOGIN_FAILED: 401,
    ReasonCode.TOO_MANY_ATTEMPTS: 429,
    ReasonCode.PASSWORD_CHANGE_REQUIRED: 403,
    ReasonCode.CSRF_FAILED: 403,
    ReasonCode.HOST_NOT_ALLOWED: 421,
    ReasonCode.BODY_TOO_LARGE: 413,
    ReasonCode.METHOD_NOT_ALLOWED: 405,
    ReasonCode.STORAGE_UNAVAILABLE: 503,
    ReasonCode.NOT_READY: 503,
    ReasonCode.INTERNAL_ERROR: 500,
}
# Whatever a person can correct in a spec or a password: the request was understood and cannot be carried out.
_CORRECTABLE = 422


class RefusedError(Exception):
    """Ends a request with a problem answer. ``also``: further reasons, shown beside the first."""

    def __init__(
        self,
        why: Reason,
        *,
        also: tuple[Reason, ...] = (),
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(why.code)
        self.why = why
        self.also = also
        self.status = status_of(why) if status is None else status
        self.headers = dict(headers or {})


def refuse(code: ReasonCode, **params: ParameterValue) -> NoReturn:
    """Ends the request with this reason.

    Raises:
        RefusedError: always.
    """
    raise RefusedError(reason(code, **params))


def status_of(why: Reason) -> int:
    """The HTTP status of an answer that gives this reason."""
    return _STATUS.get(why.code, _CORRECTABLE)


def language_of(accept_language: str | None) -> Language:
    """``zh`` when the header prefers any Chinese to English, else ``en`` (RFC 9110, 12.5.4)."""
    best: dict[str, float] = {}
    for part in (accept_language or "").split(","):
        tag, _, weight = part.partition(";")
        primary = tag.strip().lower().partition("-")[0]
        best[primary] = max(best.get(primary, 0.0), _weight(weight))
    return "zh" if best.get("zh", 0.0) > best.get("en", 0.0) else "en"


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def language(connection: HTTPConnection) -> Language:
    """The language in which ``connection`` wants its sentences."""
    return language_of(connection.headers.get("accept-language"))


def reason_view(why: Reason, in_language: Language) -> ReasonView:
    """``why`` in words."""
    words = explain(why, in_language)
    return ReasonView(code=why.code, params=why.params, message=words.message, remedy=words.remedy)


def problem(error: RefusedError, in_language: Language, request_id: str) -> Problem:
    """The body of the answer to a refused request."""
    words = explain(error.why, in_language)
    return Problem(
        title=error.why.code.replace("_", " "),
        status=error.status,
        code=error.why.code,
        message=words.message,
        params=error.why.params,
        remedy=words.remedy,
        request_id=request_id,
        reasons=tuple(reason_view(why, in_language) for why in error.also),
    )


def problem_response(error: RefusedError, in_language: Language, request_id: str) -> JSONResponse:
    """The whole answer to a refused request."""
    return JSONResponse(
        problem(error, in_language, request_id).model_dump(mode="json"),
        status_code=error.status,
        headers=error.headers,
        media_type=PROBLEM_MEDIA_TYPE,
    )
