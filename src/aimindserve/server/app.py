"""The ASGI application: routes, errors, page, and what surrounds them."""

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp

from aimindserve import __version__
from aimindserve.domain.access import Policy
from aimindserve.server.api_page import api_page
from aimindserve.server.context import ServerContext
from aimindserve.server.failures import add_error_answers
from aimindserve.server.features.system.api import health
from aimindserve.server.guards import feature_router, requires
from aimindserve.server.openapi import describe
from aimindserve.server.pages import Pages
from aimindserve.server.registry import FEATURES
from aimindserve.server.security import BodyLimit, Envelope, HostGuard, own_names

API_PREFIX = "/api/v1"


def create_app(context: ServerContext) -> ASGIApp:
    """The whole server as one ASGI application."""
    app = create_routes()
    app.state.context = context
    inner = HostGuard(BodyLimit(app), own_names(context.settings))
    return Envelope(inner, https=context.settings.is_https)


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
    add_error_answers(app)
    return app


description = feature_router("description")


@description.get("/openapi.json", include_in_schema=False)
@requires(Policy.USER)
async def openapi_json(request: Request) -> JSONResponse:
    """The API's description (OpenAPI 3.1)."""
    return JSONResponse(describe(request.app))


@description.get("/docs", include_in_schema=False)
@requires(Policy.USER)
async def docs(request: Request) -> HTMLResponse:
    """The API's description as a page."""
    return HTMLResponse(api_page(describe(request.app)))
