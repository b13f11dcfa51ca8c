"""Users, their passwords and their sessions, as more than one feature needs them."""

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import SessionRow, UserRow
from aimindserve.server.errors import RefusedError
from aimindserve.server.passwords import BusyError, password_problem

ADMIN = "admin"
LOCAL_CLI = "local-cli"
"""The user behind the key of the command line on this machine. Has no password and is in no list."""
NO_PASSWORD = "!"

_BUSY_RETRY_SECONDS = 2


async def user_named(session: AsyncSession, username: str) -> UserRow | None:
    """The user of this name (any case)."""
    return await session.scalar(select(UserRow).where(UserRow.username == username.lower()))


async def end_sessions(session: AsyncSession, user_id: str) -> None:
    """Ends all sessions of a user."""
    await session.execute(delete(SessionRow).where(SessionRow.user_id == user_id))


async def set_password(work: UnitOfWork, user_id: str, stored: str, *, must_change: bool) -> None:
    """Stores a password's hash and ends the user's sessions."""
    await work.session.execute(
        update(UserRow).where(UserRow.id == user_id).values(password_hash=stored, must_change_password=must_change)
    )
    await end_sessions(work.session, user_id)


async def acceptable_hash(context: ServerContext, new: str, old: str | None = None) -> str:
    """The hash of a new password. ``old`` is the one that it replaces, where it is known.

    Raises:
        RefusedError: it is not good enough, or too many others wait.
    """
    problem = password_problem(new, old)
    if problem is not None:
        raise RefusedError(problem)
    return await hash_password(context, new)


async def hash_password(context: ServerContext, password: str) -> str:
    """The hash of a password.

    Raises:
        RefusedError: too many others wait.
    """
    try:
        return await context.hasher.hash(password)
    except BusyError:
        raise too_many_attempts(_BUSY_RETRY_SECONDS) from None


async def password_matches(context: ServerContext, user: UserRow | None, password: str) -> bool:
    """Whether this is the user's password; takes as long for a user that does not exist or has none.

    Raises:
        RefusedError: too many others wait.
    """
    stored = None if user is None or user.password_hash == NO_PASSWORD else user.password_hash
    try:
        return await context.hasher.verify(stored, password)
    except BusyError:
        raise too_many_attempts(_BUSY_RETRY_SECONDS) from None


def too_many_attempts(seconds: int) -> RefusedError:
    """The refusal of a login that must wait."""
    return RefusedError(reason(ReasonCode.TOO_MANY_ATTEMPTS, seconds=seconds), headers={"retry-after": str(seconds)})
