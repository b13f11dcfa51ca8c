"""Who sends a request: one extractor of credentials, one look-up."""

from dataclasses import dataclass

from sqlalchemy import select, update
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from aimindserve.domain.access import KEY_PREFIX, SESSION_COOKIE, Principal, Role, is_within, parse_networks
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import ApiKeyRow, SessionRow, UserRow

SESSION_IDLE_SECONDS = 12 * 3600.0
SESSION_LIFE_SECONDS = 7 * 24 * 3600.0
# "Last seen" is written at most this often per session or key.
_TOUCH_SECONDS = 60.0


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """What a request shows for itself: a token from a header, or a cookie's value; and where it comes from."""

    token: str
    by_cookie: bool
    address: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """A known caller. ``session_digest`` is set for a browser session."""

    principal: Principal
    session_digest: str | None = None
    expires_at: float | None = None


def session_expires_at(created_at: float, seen_at: float) -> float:
    """When a session ends: 12 h after it was last used, and 7 days after the login in any case. Unix seconds."""
    return min(seen_at + SESSION_IDLE_SECONDS, created_at + SESSION_LIFE_SECONDS)


def credential_of(connection: HTTPConnection) -> Credential | None:
    """The one credential of a request. A header is taken before the cookie, and a request with a header never falls
    back to its cookie."""
    token = _header_token(connection.headers)
    if token is not None:
        # Set by the gateway, which drops what clients send under this name.
        return Credential(token, by_cookie=False, address=connection.headers.get("x-forwarded-for", ""))
    cookie = connection.cookies.get(SESSION_COOKIE)
    return Credential(cookie, by_cookie=True) if cookie else None


def _header_token(headers: Headers) -> str | None:
    authorization = headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    return headers.get("x-api-key")


async def identify(context: ServerContext, credential: Credential) -> Identity | None:
    """The caller with this credential, or None when it is unknown, expired, disabled or its owner is, or it may not
    be used from where the request comes from."""
    if credential.by_cookie:
        return await _identify_session(context, context.digester.digest(credential.token))
    if credential.token.startswith(KEY_PREFIX):
        return await _identify_key(context, context.digester.digest(credential.token), credential.address)
    return None


async def _identify_session(context: ServerContext, digest: str) -> Identity | None:
    query = select(SessionRow, UserRow).join(UserRow).where(SessionRow.digest == digest)
    async with context.database.read() as session:
        found = (await session.execute(query)).one_or_none()
    if found is None:
        return None
    row, user = found
    now = context.clock()
    if user.disabled or now >= session_expires_at(row.created_at, row.seen_at):
        return None
    if now - row.seen_at > _TOUCH_SECONDS:
        await _touch_session(context, digest, now)
    principal = Principal(user.id, user.username, Role(user.role), must_change_password=user.must_change_password)
    return Identity(principal, digest, session_expires_at(row.created_at, now))


async def _identify_key(context: ServerContext, digest: str, address: str) -> Identity | None:
    query = select(ApiKeyRow, UserRow).join(UserRow).where(ApiKeyRow.digest == digest)
    async with context.database.read() as session:
        found = (await session.execute(query)).one_or_none()
    if found is None:
        return None
    key, user = found
    now = context.clock()
    if key.disabled or user.disabled or (key.expires_at is not None and now >= key.expires_at):
        return None
    if key.networks is not None and not is_within(address, parse_networks(key.networks)):
        return None
    if key.last_used_at is None or now - key.last_used_at > _TOUCH_SECONDS:
        await _touch_key(context, key.id, now)
    return Identity(
        Principal(
            user.id,
            user.username,
            Role(user.role),
            key_id=key.id,
            scopes=frozenset(key.scopes),
            models=None if key.models is None else frozenset(key.models),
            must_change_password=user.must_change_password and not key.system,
        ),
        expires_at=key.expires_at,
    )


async def _touch_session(context: ServerContext, digest: str, now: float) -> None:
    async with context.database.unit_of_work(quiet=True) as work:
        await work.session.execute(update(SessionRow).where(SessionRow.digest == digest).values(seen_at=now))


async def _touch_key(context: ServerContext, key_id: str, now: float) -> None:
    async with context.database.unit_of_work(quiet=True) as work:
        await work.session.execute(update(ApiKeyRow).where(ApiKeyRow.id == key_id).values(last_used_at=now))
