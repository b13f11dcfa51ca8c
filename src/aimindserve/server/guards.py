"""Route policies. A feature makes its router with ``feature_router`` and marks each handler with ``requires``;
a handler without a policy cannot be registered. The check runs before anything else of the request is read."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from aimindserve.domain.access import CSRF_HEADER, Policy, Principal, Refusal, refuse, same_origin
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.server.context import context_of
from aimindserve.server.errors import PROBLEM_MEDIA_TYPE, RefusedError
from aimindserve.server.identity import Identity, credential_of, identify

Handler = TypeVar("Handler", bound=Callable[..., Any])

_POLICY = "__route_policy__"
_REFUSALS = {
    Refusal.UNAUTHENTICATED: ReasonCode.UNAUTHENTICATED,
    Refusal.FORBIDDEN: ReasonCode.FORBIDDEN,
    Refusal.PASSWORD_CHANGE_REQUIRED: ReasonCode.PASSWORD_CHANGE_REQUIRED,
}


def requires(policy: Policy) -> Callable[[Handler], Handler]:
    """Declares what a route asks of its caller. Goes directly above the handler, below ``@router.get(…)``."""

    def mark(handler: Handler) -> Handler:
        setattr(handler, _POLICY, policy)
        return handler

    return mark


class GuardedRoute(APIRoute):
    """A route that authorises its caller before it reads anything."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        policy = getattr(endpoint, _POLICY, None)
        if policy is None:
            raise TypeError(f"the route {path} declares no policy: put @requires(Policy.…) on its handler")
        self.policy: Policy = policy
        options["openapi_extra"] = {**(options.get("openapi_extra") or {}), "x-policy": policy.value}
        super().__init__(path, endpoint, **options)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in (self.methods or ()):
            await authorise(Request(scope, receive), self.policy)
        await super().handle(scope, receive, send)


async def authorise(request: Request, policy: Policy) -> None:
    """Lets ``request`` pass or ends it. The caller is then in ``request.state.identity``.

    Raises:
        RefusedError: ``unauthenticated``, ``forbidden``, ``password_change_required`` or ``csrf_failed``.
    """
    request.state.identity = None
    credential = credential_of(request)
    if policy is Policy.PUBLIC:
        return
    identity = await identify(context_of(request), credential) if credential is not None else None
    refusal = refuse(identity.principal if identity else None, policy)
    if refusal is Refusal.UNAUTHENTICATED:
        raise RefusedError(reason(ReasonCode.UNAUTHENTICATED), headers={"www-authenticate": "Bearer"})
    if refusal is not None:
        raise RefusedError(reason(_REFUSALS[refusal]))
    if credential is not None and credential.by_cookie:
        require_same_origin(request)
    request.state.identity = identity


def require_same_origin(request: Request) -> None:
    """Ends a request that another site's page could have made a browser send.

    Raises:
        RefusedError: ``csrf_failed``.
    """
    headers = request.headers
    trusted = same_origin(
        request.method,
        host=headers.get("host", ""),
        origin=headers.get("origin"),
        fetch_site=headers.get("sec-fetch-site"),
        csrf_header=headers.get(CSRF_HEADER),
    )
    if not trusted:
        raise RefusedError(reason(ReasonCode.CSRF_FAILED))


async def still_known(request: Request) -> bool:
    """Whether the caller of a long answer would still be let in."""
    credential = credential_of(request)
    return credential is not None and await identify(context_of(request), credential) is not None


def identity_of(request: Request) -> Identity:
    """The caller of a route whose policy is not public."""
    identity = request.state.identity
    if identity is None:
        raise RefusedError(reason(ReasonCode.UNAUTHENTICATED))
    return identity


def _principal_of(request: Request) -> Principal:
    return identity_of(request).principal


Caller = Annotated[Principal, Depends(_principal_of)]
"""Parameter type of handlers that need to know who calls."""


def actor_of(principal: Principal) -> str:
    """How events name this caller: the user's name, or ``key:<id>``."""
    return principal.username if principal.key_id is None else f"key:{principal.key_id}"


def feature_router(tag: str) -> APIRouter:
    """The router of one feature. Paths are given without ``/api/v1``."""
    return APIRouter(
        tags=[tag],
        route_class=GuardedRoute,
        responses={
            "default": {
                "description": "A problem: its code, message and remedy",
                "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
        },
    )
