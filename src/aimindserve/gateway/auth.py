"""Who a caller is: one place reads the credential, for every path that the gateway answers itself."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aimindserve.domain.access import CSRF_HEADER, SESSION_COOKIE, Scope, same_origin
from aimindserve.domain.routing import KeyGrant, SessionGrant
from aimindserve.gateway.errors import Refusal
from aimindserve.gateway.heads import RequestHead

_COOKIE_PREFIX = SESSION_COOKIE.encode() + b"="
_BLOCK = 64  # bytes that SHA-256 takes at a time
_CSRF = CSRF_HEADER.encode()
_ALL_SCOPES = frozenset({str(Scope.INFERENCE)})


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller whose credential is good now. ``key_id`` None: a browser session; ``models`` None: all."""

    user_id: str
    key_id: str | None
    scopes: frozenset[str]
    models: frozenset[str] | None = None
    expires_at: float | None = None
    must_change_password: bool = False


def caller_of_key(grant: KeyGrant) -> Caller:
    """The bearer of a key."""
    models = None if grant.models is None else frozenset(grant.models)
    return Caller(grant.user_id, grant.key_id, frozenset(grant.scopes), models, grant.expires_at)


def caller_of_session(grant: SessionGrant) -> Caller:
    """The owner of a browser session."""
    return Caller(grant.user_id, None, _ALL_SCOPES, None, grant.expires_at, grant.must_change_password)


class Pepper:
    """The secret that keys all digests. The server makes it at its first start, so it may come after us.

    HMAC is written out (RFC 2104) because ``hmac.digest`` sets up the key anew for each call, which takes most of its
    time; here both keyed states are made once and copied.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._inner = self._outer = hashlib.sha256()
        self._known = False

    def digest(self, token: bytes) -> bytes | None:
        """HMAC-SHA-256 of ``token``, None while there is no pepper."""
        if not self._known and not self._read():
            return None
        inner = self._inner.copy()
        inner.update(token)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    def _read(self) -> bool:
        try:
            secret = self._file.read_bytes()
        except OSError:
            return False
        if not secret:
            return False
        key = (secret if len(secret) <= _BLOCK else hashlib.sha256(secret).digest()).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key))
        self._known = True
        return True


_NO_KEY = Refusal(
    401,
    "missing_api_key",
    "No API key was sent. Put one into the Authorization header: 'Authorization: Bearer sk-…'.",
)
_BAD_KEY = Refusal(401, "invalid_api_key", "The API key is wrong, was withdrawn or has expired.")
_BAD_SESSION = Refusal(401, "invalid_session", "The browser session has ended. Log in again.")
_CHANGE_PASSWORD = Refusal(403, "password_change_required", "The initial password must be changed first.")
_CROSS_SITE = Refusal(403, "csrf_failed", "The request did not come from this server's own page.")


def token_of(head: RequestHead) -> bytes | None:
    """The API key in ``Authorization: Bearer`` or ``x-api-key``; empty for another kind of authorization."""
    authorization = head.get(b"authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(b" ")
        return token.strip() if scheme.lower() == b"bearer" else b""
    return head.get(b"x-api-key")


def authenticate(
    head: RequestHead,
    pepper: Pepper,
    keys: Mapping[bytes, Caller],
    sessions: Mapping[bytes, Caller],
    now: float,
) -> Caller | Refusal:
    """The caller, or why not. A key wins over a cookie and never falls back to it; ``now`` in Unix seconds."""
    token = token_of(head)
    if token is not None:
        digest = pepper.digest(token)
        caller = None if digest is None else keys.get(digest)
        return caller if caller is not None and is_current(caller, now) else _BAD_KEY
    cookie = _session_cookie(head)
    if cookie is None:
        return _NO_KEY
    digest = pepper.digest(cookie)
    caller = None if digest is None else sessions.get(digest)
    if caller is None or not is_current(caller, now):
        return _BAD_SESSION
    if caller.must_change_password:
        return _CHANGE_PASSWORD
    return caller if _from_own_page(head) else _CROSS_SITE


def is_current(caller: Caller, now: float) -> bool:
    """Whether the credential has not expired at ``now``, Unix seconds."""
    return caller.expires_at is None or caller.expires_at > now


def _session_cookie(head: RequestHead) -> bytes | None:
    for name, value in head.headers:
        if name == b"cookie":
            for part in value.split(b";"):
                pair = part.strip()
                if pair.startswith(_COOKIE_PREFIX):
                    return pair[len(_COOKIE_PREFIX) :].strip(b'"')
    return None


def _from_own_page(head: RequestHead) -> bool:
    return same_origin(
        head.method.decode("latin-1"),
        host=_text(head.get(b"host")) or "",
        origin=_text(head.get(b"origin")),
        fetch_site=_text(head.get(b"sec-fetch-site")),
        csrf_header=_text(head.get(_CSRF)),
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
