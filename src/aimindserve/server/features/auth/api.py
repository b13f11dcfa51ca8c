"""``/session``: log in, look, log out, change the password."""

from fastapi import Request, Response

from aimindserve import __version__
from aimindserve.domain.access import SESSION_COOKIE, Policy
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.views import LoginHint, LoginRequest, PasswordRequest, SessionView
from aimindserve.server.context import Context, ServerContext
from aimindserve.server.errors import refuse
from aimindserve.server.features.auth import service
from aimindserve.server.guards import feature_router, identity_of, requires
from aimindserve.server.identity import SESSION_LIFE_SECONDS, Identity
from aimindserve.server.initial_password import initial_password_file

router = feature_router("session")


@router.get("/session/hint")
@requires(Policy.PUBLIC)
async def login_hint(context: Context) -> LoginHint:
    """Where the initial password lies, as long as nobody has changed it."""
    file = initial_password_file(context.paths)
    return LoginHint(initial_password_file=str(file) if file else None, version=__version__)


@router.post("/session")
@requires(Policy.PUBLIC)
async def login(body: LoginRequest, request: Request, response: Response, context: Context) -> SessionView:
    """Logs in and sets the session cookie."""
    _refuse_other_sites(request)
    opened = await service.log_in(context, body.username, body.password, _origin(request))
    _set_cookie(response, context, opened.token)
    return _view(opened.identity)


@router.get("/session")
@requires(Policy.SESSION)
async def read_session(request: Request) -> SessionView:
    """Who is logged in."""
    return _view(identity_of(request))


@router.delete("/session", status_code=204)
@requires(Policy.SESSION)
async def logout(request: Request, response: Response, context: Context) -> None:
    """Logs out."""
    await service.log_out(context, identity_of(request))
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict", secure=context.settings.is_https)


@router.post("/session/password")
@requires(Policy.SESSION)
async def change_password(body: PasswordRequest, request: Request, response: Response, context: Context) -> SessionView:
    """Changes the password. All other sessions of the user end; this one goes on with a new cookie."""
    opened = await service.change_password(context, identity_of(request), body.current, body.new, _origin(request))
    _set_cookie(response, context, opened.token)
    return _view(opened.identity)


def client_address(request: Request) -> str:
    """The address that connected to the gateway, which is the only one that can reach this socket."""
    forwarded = request.headers.get("x-forwarded-for", "")
    return forwarded.rpartition(",")[2].strip() or "local"


def _origin(request: Request) -> service.Origin:
    return service.Origin(client_address(request), request.headers.get("user-agent", ""))


def _refuse_other_sites(request: Request) -> None:
    """A foreign page must not log its visitor in as somebody else. Programs send no such header."""
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        refuse(ReasonCode.CSRF_FAILED)


def _set_cookie(response: Response, context: ServerContext, token: str) -> None:
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(SESSION_LIFE_SECONDS),
        path="/",
        httponly=True,
        samesite="strict",
        secure=context.settings.is_https,
    )


def _view(identity: Identity) -> SessionView:
    return SessionView(
        username=identity.principal.username,
        role=identity.principal.role,
        must_change_password=identity.principal.must_change_password,
        expires_at=identity.expires_at or 0.0,
    )
