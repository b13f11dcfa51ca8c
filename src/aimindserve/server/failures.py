"""How every failed request is answered: refusals, invalid bodies, failed storage, defects."""

from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.server.errors import RefusedError, language, problem_response
from aimindserve.server.security import request_id_of

log = structlog.get_logger()


def add_error_answers(app: FastAPI) -> None:
    """Registers an answer for every kind of failure."""
    app.exception_handler(RefusedError)(_refused)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_http)
    for kind in (OperationalError, InterfaceError, PoolTimeoutError, OSError):
        app.add_exception_handler(kind, _storage)
    for kind in (DBAPIError, UnicodeEncodeError):
        app.add_exception_handler(kind, _database)
    app.add_exception_handler(Exception, _defect)


def _answer(request: Request, error: RefusedError) -> Response:
    return problem_response(error, language(request), request_id_of(request.scope))


async def _refused(request: Request, error: RefusedError) -> Response:
    return _answer(request, error)


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    return _answer(request, RefusedError(_why_invalid(error)))


async def _http(request: Request, error: HTTPException) -> Response:
    return _answer(request, _from_http(request, error))


async def _storage(request: Request, error: Exception) -> Response:
    log.error("storage failed", error=type(error).__name__, path=request.scope["path"], exc_info=error)
    return _answer(request, RefusedError(reason(ReasonCode.STORAGE_UNAVAILABLE, detail=_storage_detail(error))))


async def _database(request: Request, error: Exception) -> Response:
    if not _value_cannot_be_stored(error):
        return await _defect(request, error)
    why = reason(ReasonCode.INVALID_REQUEST, detail="a text holds a character that cannot be stored")
    return _answer(request, RefusedError(why))


async def _defect(request: Request, error: Exception) -> Response:
    log.error("request failed", error=type(error).__name__, path=request.scope["path"], exc_info=error)
    return _answer(request, RefusedError(reason(ReasonCode.INTERNAL_ERROR)))


def _value_cannot_be_stored(error: Exception) -> bool:
    """Whether the database refuses a value as such: half a surrogate pair, or SQLSTATE class 22, as PostgreSQL has it
    for a NUL character."""
    if isinstance(error, UnicodeEncodeError):
        return True
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return isinstance(state, str) and state.startswith("22")


def _why_invalid(error: RequestValidationError) -> Reason:
    first: dict[str, Any] = dict(error.errors()[0])
    if first["type"] == ReasonCode.SOURCE_INVALID:
        return reason(ReasonCode.SOURCE_INVALID, source=str(first["ctx"]["source"]))
    return reason(ReasonCode.INVALID_REQUEST, detail=_first_problem(error))


def _first_problem(error: RequestValidationError) -> str:
    """The first field that is wrong, without its value: it may be a secret."""
    problem: dict[str, Any] = dict(error.errors()[0])
    where = ".".join(str(part) for part in problem["loc"] if part not in ("body", "query", "path", "header"))
    what = str(problem["msg"]).removeprefix("Value error, ")
    return f"{where}: {what}" if where else what


def _from_http(request: Request, error: HTTPException) -> RefusedError:
    """What the framework itself refuses, in our words."""
    headers = dict(error.headers or {})
    if error.status_code == 405:
        why = reason(ReasonCode.METHOD_NOT_ALLOWED, method=request.method[:20])
    elif error.status_code == 404:
        why = reason(ReasonCode.NOT_FOUND, kind="address", name=request.scope["path"][:200])
    else:
        why = reason(ReasonCode.INVALID_REQUEST, detail=str(error.detail))
    return RefusedError(why, status=error.status_code, headers=headers)


def _storage_detail(error: Exception) -> str:
    if isinstance(error, DBAPIError):
        return type(error.orig).__name__ if error.orig else "the database failed"
    return "the disk or the database does not answer"
