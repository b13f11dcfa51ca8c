"""Log in, log out, change the password. Each writes its event in the same transaction."""

from dataclasses import dataclass

import structlog
from sqlalchemy import delete, update

from aimindserve.domain.access import Principal, Role
from aimindserve.domain.reasons import ReasonCode
from aimindserve.server.accounts import (
    ADMIN,
    acceptable_hash,
    hash_password,
    password_matches,
    set_password,
    too_many_attempts,
    user_named,
)
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import SessionRow, UserRow
from aimindserve.server.errors import refuse
from aimindserve.server.identity import (
    SESSION_IDLE_SECONDS,
    SESSION_LIFE_SECONDS,
    Identity,
    session_expires_at,
)
from aimindserve.server.initial_password import forget_initial_password, written_at
from aimindserve.server.tokens import new_session_token

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, repr=False)
class NewSession:
    """A session just opened. ``token`` goes into the cookie and nowhere else."""

    token: str
    identity: Identity


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a session is opened from: a network address, and what the browser calls itself."""

    address: str
    agent: str


async def log_in(context: ServerContext, username: str, password: str, origin: Origin) -> NewSession:
    """Opens a session.

    Raises:
        RefusedError: ``login_failed`` or ``too_many_attempts``, the same for known and unknown names.
    """
    user = await _authenticated(context, username.lower(), password, origin.address)
    outdated = context.hasher.outdated(user.password_hash)
    rehashed = await hash_password(context, password) if outdated else user.password_hash
    async with context.database.unit_of_work(user.username) as work:
        await work.session.execute(
            update(UserRow).where(UserRow.id == user.id).values(last_login_at=work.now, password_hash=rehashed)
        )
        await _remove_expired(work)
        opened = _open_session(context, work, user, origin, must_change=user.must_change_password)
        work.record("session.created", subject=user.username, address=origin.address)
    await context.in_force()
    return opened


async def log_out(context: ServerContext, identity: Identity) -> None:
    """Ends the caller's session."""
    async with context.database.unit_of_work(identity.principal.username) as work:
        await work.session.execute(delete(SessionRow).where(SessionRow.digest == identity.session_digest))
        work.record("session.ended", subject=identity.principal.username)
    await context.in_force()


async def change_password(
    context: ServerContext, identity: Identity, current: str, new: str, origin: Origin
) -> NewSession:
    """Sets a new password, ends all sessions of the user and opens a fresh one. The initial password's file goes.

    Raises:
        RefusedError: the current password is wrong, or the new one is not good enough.
    """
    user = await _authenticated(context, identity.principal.username, current, origin.address)
    stored = await acceptable_hash(context, new, current)
    async with context.database.unit_of_work(user.username) as work:
        await set_password(work, user.id, stored, must_change=False)
        opened = _open_session(context, work, user, origin, must_change=False)
        work.record("user.password_changed", subject=user.username)
    if user.username == ADMIN:
        forget_initial_password(context.paths)
    await context.in_force()
    return opened


async def _authenticated(context: ServerContext, username: str, password: str, address: str) -> UserRow:
    """The user with this name and password; guesses are counted."""
    wait = _wait_seconds(context, username, address)
    if wait:
        raise too_many_attempts(wait)
    context.limiter.attempt(username, address)
    async with context.database.read() as session:
        user = await user_named(session, username)
    if not await password_matches(context, user, password) or user is None or user.disabled:
        log.warning("login refused", address=address)
        refuse(ReasonCode.LOGIN_FAILED)
    context.limiter.succeed(username, address)
    return user


def _wait_seconds(context: ServerContext, username: str, address: str) -> int:
    """Seconds until a login may be tried. A reset at the command line ends what guesses of others brought on."""
    wait = context.limiter.wait_seconds(username, address)
    written = written_at(context.paths) if wait and username == ADMIN else None
    # A time to come (the clock was set back) would forgive every guess.
    if written is None or written > context.clock():
        return wait
    context.limiter.forgive(username, written)
    return context.limiter.wait_seconds(username, address)


async def _remove_expired(work: UnitOfWork) -> None:
    idle = SessionRow.seen_at < work.now - SESSION_IDLE_SECONDS
    old = SessionRow.created_at < work.now - SESSION_LIFE_SECONDS
    await work.session.execute(delete(SessionRow).where(idle | old))


def _open_session(
    context: ServerContext, work: UnitOfWork, user: UserRow, origin: Origin, *, must_change: bool
) -> NewSession:
    token = new_session_token()
    digest = context.digester.digest(token)
    work.session.add(
        SessionRow(
            digest=digest,
            user_id=user.id,
            created_at=work.now,
            seen_at=work.now,
            address=origin.address[:64],
            agent=origin.agent[:200],
        )
    )
    principal = Principal(user.id, user.username, Role(user.role), must_change_password=must_change)
    return NewSession(token, Identity(principal, digest, session_expires_at(work.now, work.now)))
