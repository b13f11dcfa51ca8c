"""The ASGI application: routes, errors, page, and what surrounds them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from aimindserve import __version__
from aimindserve.domain.access import Policy
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.server.context import ServerContext
from aimindserve.server.errors import RefusedError, language, problem_response
from aimindserve.server.features.system.api import health
from aimindserve.server.guards import feature_router, requires
from aimindserve.server.openapi import describe
from aimindserve.server.pages import Pages
from aimindserve.server.registry import FEATURES
from aimindserve.server.security import BodyLimit, Envelope, HostGuard, own_names, request_id_of

log = structlog.get_logger()

API_PREFIX = "/api/v1"

Life = Callable[[ServerContext], AbstractAsyncContextManager[None]]
"""What runs beside the API from start to stop: reconcilers, node reports, the gateways' channel."""


@asynccontextmanager
async def no_life(_context: ServerContext) -> AsyncIterator[None]:
    """The API alone."""
    yield


def create_app(context: ServerContext, life: Life = no_life) -> ASGIApp:
    """The whole server as one ASGI application."""
    app = create_routes()
    app.state.context = context

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with life(context):
            yield

    app.router.lifespan_context = lifespan
    return Envelope(HostGuard(BodyLimit(app), own_names(context.settings)))


def create_routes() -> FastAPI:
    """Routes and error answers. Enough for the API's description, without a database."""
    app = FastAPI(
        title="aiMindServe",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.include_router(health)
    app.include_router(description)
    for router in FEATURES:
        app.include_router(router, prefix=API_PREFIX)
    app.router.default = Pages()
    _add_error_answers(app)
    return app


description = feature_router("description")


@description.get("/openapi.json", include_in_schema=False)
@requires(Policy.USER)
async def openapi_json(request: Request) -> JSONResponse:
    """The API's description (OpenAPI 3.1)."""
    return JSONResponse(describe(request.app))


def _add_error_answers(app: FastAPI) -> None:
    def answer(request: Request, error: RefusedError) -> Response:
        return problem_response(error, language(request), request_id_of(request.scope))

    @app.exception_handler(RefusedError)
    async def on_refused(request: Request, error: RefusedError) -> Response:
        return answer(request, error)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        return answer(request, RefusedError(reason(ReasonCode.INVALID_REQUEST, detail=_first_problem(error))))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        return answer(request, _from_http(request, error))

    async def on_storage(request: Request, error: Exception) -> Response:
        log.error("storage failed", error=type(error).__name__, path=request.scope["path"], exc_info=error)
        return answer(request, RefusedError(reason(ReasonCode.STORAGE_UNAVAILABLE, detail=_storage_detail(error))))

    for kind in (OperationalError, InterfaceError, PoolTimeoutError, OSError):
        app.add_exception_handler(kind, on_storage)

    @app.exception_handler(Exception)
    async def on_defect(request: Request, error: Exception) -> Response:
        # The framework raises it again afterwards, and the HTTP server logs it with its traceback.
        log.error("request failed", error=type(error).__name__, path=request.scope["path"])
        return answer(request, RefusedError(reason(ReasonCode.INTERNAL_ERROR)))


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
