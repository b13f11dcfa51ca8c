"""Sessions of browsers: listed and ended."""

from sqlalchemy import Select, delete, select

from aimindserve.domain.access import Principal
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.views_access import BrowserSessionView
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import SessionRow, UserRow
from aimindserve.server.errors import refuse
from aimindserve.server.guards import actor_of
from aimindserve.server.identity import session_expires_at

# Enough of a digest to tell sessions apart. It is an HMAC: nothing of the cookie follows from it.
_ID_LENGTH = 16


async def sessions_of(
    context: ServerContext, caller: Principal, user_id: str | None, current: str | None
) -> tuple[BrowserSessionView, ...]:
    """Sessions that are open now of ``user_id`` (None: the caller). ``current``: the digest of the one that asks.

    Raises:
        RefusedError: somebody else's, and the caller is no administrator.
    """
    wanted = user_id or caller.user_id
    query = _visible(caller).where(SessionRow.user_id == wanted).order_by(SessionRow.seen_at.desc(), SessionRow.digest)
    async with context.database.read() as session:
        rows = list(await session.execute(query))
    if not rows and wanted != caller.user_id and not caller.is_admin:
        refuse(ReasonCode.FORBIDDEN)
    views = (_view(row, name, current) for row, name in rows)
    return tuple(view for view in views if view.expires_at > context.clock())


async def end(context: ServerContext, caller: Principal, session_id: str) -> None:
    """Ends a session; its browser must log in again.

    Raises:
        RefusedError: there is no such session among those that ``caller`` may see.
    """
    async with context.database.unit_of_work(actor_of(caller)) as work:
        query = _visible(caller).where(SessionRow.digest.startswith(session_id, autoescape=True))
        found = (await work.session.execute(query)).one_or_none() if len(session_id) == _ID_LENGTH else None
        if found is None:
            refuse(ReasonCode.NOT_FOUND, kind="session", name=session_id)
        row, username = found
        await work.session.execute(delete(SessionRow).where(SessionRow.digest == row.digest))
        work.record("session.revoked", subject=username, address=row.address)
    await context.in_force()


def _visible(caller: Principal) -> Select[SessionRow, str]:
    query = select(SessionRow, UserRow.username).join(UserRow)
    return query if caller.is_admin else query.where(SessionRow.user_id == caller.user_id)


def _view(row: SessionRow, username: str, current: str | None) -> BrowserSessionView:
    return BrowserSessionView(
        id=row.digest[:_ID_LENGTH],
        user_id=row.user_id,
        username=username,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=session_expires_at(row.created_at, row.seen_at),
        address=row.address,
        agent=row.agent,
        current=row.digest == current,
    )
