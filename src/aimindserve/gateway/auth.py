"""Who a caller is: one place reads the credential, for every path that the gateway answers itself."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from aimindserve.domain.access import (
    CSRF_HEADER,
    SESSION_COOKIE,
    Network,
    Scope,
    is_within,
    parse_networks,
    same_origin,
)
from aimindserve.domain.limits import Limits, subject_of
from aimindserve.domain.routing import KeyGrant, SessionGrant
from aimindserve.domain.turns import Bounds
from aimindserve.gateway.errors import Refusal
from aimindserve.gateway.heads import RequestHead

_COOKIE_PREFIX = SESSION_COOKIE.encode() + b"="
_BLOCK = 64  # bytes that SHA-256 takes at a time
_CSRF = CSRF_HEADER.encode()
_ALL_SCOPES = frozenset({str(Scope.INFERENCE)})
_UNLIMITED = Limits()


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller whose credential is good now. ``key_id`` None: a browser session; ``models``, ``networks`` None: all.
    ``limits``: those of the key and of its owner, each with whose they are; ``line`` and ``bounds`` as in
    ``domain.turns``."""

    user_id: str
    key_id: str | None
    scopes: frozenset[str]
    models: frozenset[str] | None = None
    expires_at: float | None = None
    must_change_password: bool = False
    networks: tuple[Network, ...] | None = None
    limits: tuple[tuple[str, Limits], ...] = ()
    line: str = ""
    bounds: Bounds = ()


def caller_of_key(grant: KeyGrant, owner: Limits | None = None, most: int = 16) -> Caller:
    """The bearer of a key. ``owner``: the limits of its owner; ``most``: requests of a key that run at once.

    Raises:
        ValueError: a network cannot be read.
    """
    line, user = subject_of(key_id=grant.key_id), subject_of(user_id=grant.user_id)
    own = grant.limits
    return Caller(
        grant.user_id,
        grant.key_id,
        frozenset(grant.scopes),
        None if grant.models is None else frozenset(grant.models),
        grant.expires_at,
        networks=None if grant.networks is None else parse_networks(grant.networks),
        limits=_metered((line, own), (user, owner)),
        line=line,
        bounds=_bounds((line, most if own is None or own.concurrent is None else own.concurrent), (user, owner)),
    )


def caller_of_session(grant: SessionGrant, owner: Limits | None = None, most: int = 16) -> Caller:
    """The owner of a browser session."""
    line, user = f"page {grant.user_id}", subject_of(user_id=grant.user_id)
    return Caller(
        grant.user_id,
        None,
        _ALL_SCOPES,
        None,
        grant.expires_at,
        grant.must_change_password,
        limits=_metered((user, owner)),
        line=line,
        bounds=_bounds((line, most), (user, owner)),
    )


def _metered(*pairs: tuple[str, Limits | None]) -> tuple[tuple[str, Limits], ...]:
    """Whose use is counted: those with a limit of anything but what runs at once."""
    return tuple(
        (subject, limits)
        for subject, limits in pairs
        if limits is not None and replace(limits, concurrent=None) != _UNLIMITED
    )


def _bounds(own: tuple[str, int], owner: tuple[str, Limits | None]) -> Bounds:
    user, limits = owner
    return (own,) if limits is None or limits.concurrent is None else (own, (user, limits.concurrent))


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
_BAD_KEY = WITHDRAWN = Refusal(401, "invalid_api_key", "The API key is wrong, was withdrawn or has expired.")
_BAD_ADDRESS = Refusal(403, "address_not_allowed", "The API key may not be used from this address.")
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
    address: Callable[[], str],
) -> Caller | Refusal:
    """The caller, or why not. A key wins over a cookie and never falls back to it; ``now`` in Unix seconds;
    ``address``: where the request comes from, asked only for keys that are bound to networks."""
    token = token_of(head)
    if token is not None:
        digest = pepper.digest(token)
        caller = None if digest is None else keys.get(digest)
        if caller is None or not is_current(caller, now):
            return _BAD_KEY
        if caller.networks is not None and not is_within(address(), caller.networks):
            return _BAD_ADDRESS
        return caller
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
