"""What surrounds every request, as plain ASGI: request id, Host allowlist, body limit, safe headers.

The server's socket is reached through the gateway, which sets ``x-request-id`` and ``x-forwarded-for`` itself and
drops what clients send under these names."""

import ipaddress
import re
import secrets
import socket
from collections.abc import Iterable
from html import escape
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aimindserve.domain.reason_texts import explain
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.units import MIB, format_bytes
from aimindserve.server.errors import RefusedError, language, problem_response
from aimindserve.server.settings import Settings

BODY_LIMIT = 1 * MIB
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    )
)
_HEADERS = {
    "content-security-policy": _CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}


def request_id_of(scope: Scope) -> str:
    """The id of this request, as ``Envelope`` set it."""
    return scope["state"]["request_id"]


class Envelope:
    """Outermost: gives the request its id, binds it to the log, and adds the headers that every answer has."""

    def __init__(self, app: ASGIApp, *, https: bool = False) -> None:
        self.app = app
        self.headers = _HEADERS | ({"strict-transport-security": "max-age=31536000"} if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        without_body = scope["method"] == "HEAD"
        if without_body:
            # What can be got can be asked about (RFC 9110, 9.3.2).
            scope = {**scope, "method": "GET"}

        async def send_with_headers(message: Message) -> None:
            if without_body and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                headers["x-request-id"] = request_id
                if scope["path"].startswith("/api/"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self.app(scope, receive, send_with_headers)


class HostGuard:
    """Answers only for names that are ours, so that no foreign name can be pointed at this server from a browser
    (DNS rebinding). Addresses are always ours: a page that was loaded from an address cannot be rebound."""

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self.app = app
        self.names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = Headers(scope=scope).get("host", "")
            if not self.allows(host):
                shown = re.sub(r"[^\x21-\x7e]", "?", host)[:80]
                refused = RefusedError(reason(ReasonCode.HOST_NOT_ALLOWED, host=shown))
                answer = _page if "text/html" in Headers(scope=scope).get("accept", "") else _answer
                await answer(scope, receive, send, refused)
                return
        await self.app(scope, receive, send)

    def allows(self, host: str) -> bool:
        """Whether a request with this ``Host`` is meant for us."""
        name = host_name(host)
        return name is not None and (name in self.names or name.endswith(".localhost") or _is_address(name))


class BodyLimit:
    """Takes a request's body in, up to a limit, before anything else looks at it."""

    def __init__(self, app: ASGIApp, limit: int = BODY_LIMIT) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        messages = await self._take_in(scope, receive)
        if messages is None:
            refused = RefusedError(
                reason(ReasonCode.BODY_TOO_LARGE, limit=format_bytes(self.limit)), headers={"connection": "close"}
            )
            await _answer(scope, receive, send, refused)
            return

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await self.app(scope, replay, send)

    async def _take_in(self, scope: Scope, receive: Receive) -> list[Message] | None:
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or int(declared) > self.limit:
            return None
        messages: list[Message] = []
        size = 0
        while True:
            message = await receive()
            messages.append(message)
            size += len(message.get("body", b""))
            if size > self.limit:
                return None
            if not message.get("more_body", False):
                return messages


def own_names(settings: Settings) -> frozenset[str]:
    """The host names under which this server is reached, in lower case."""
    machine = socket.gethostname().lower()
    given: Iterable[str] = settings.allowed_hosts
    public = urlsplit(settings.public_url).hostname if settings.public_url else None
    names = {"localhost", machine, machine.partition(".")[0], f"{machine.partition('.')[0]}.local"}
    names |= {name.lower() for name in given} | ({public.lower()} if public else set())
    return frozenset(name for name in names if name)


def host_name(host: str) -> str | None:
    """The name in a ``Host`` header, in lower case and without port and brackets; None when it is malformed."""
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::\d{1,5})?", host)
    return None if match is None else (match[1] or match[2]).lower().removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def _answer(scope: Scope, receive: Receive, send: Send, error: RefusedError) -> None:
    response = problem_response(error, language(HTTPConnection(scope)), request_id_of(scope))
    await response(scope, receive, send)


async def _page(scope: Scope, receive: Receive, send: Send, error: RefusedError) -> None:
    """The refusal for a person in front of a browser."""
    words = explain(error.why, language(HTTPConnection(scope)))
    text = f"<!doctype html><meta charset=utf-8><title>aiMindServe</title><h1>{escape(words.message)}</h1>"
    response = HTMLResponse(f"{text}<p>{escape(words.remedy)}</p>", status_code=error.status)
    await response(scope, receive, send)
