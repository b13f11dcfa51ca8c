"""What nobody needs any more: expired sessions, old events and old measurements. Usage is kept."""

from sqlalchemy import delete, func, select

from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import EstimateRow, EventRow, SessionRow
from aimindserve.server.identity import SESSION_IDLE_SECONDS, SESSION_LIFE_SECONDS

EVENTS_KEPT_SECONDS = 90 * 24 * 3600.0
MEASUREMENTS_KEPT_SECONDS = 365 * 24 * 3600.0
# Deleting is done in portions, so that nobody waits long for the database.
_PORTION = 5000


async def reconcile_cleanup(context: ServerContext) -> int:
    """Removes sessions that have expired, events older than 90 days and measurements older than a year. Returns the
    number of rows removed."""
    now = context.clock()
    idle = SessionRow.seen_at < now - SESSION_IDLE_SECONDS
    old = SessionRow.created_at < now - SESSION_LIFE_SECONDS
    sessions = select(SessionRow.digest).where(idle | old).limit(_PORTION)
    events = select(EventRow.id).where(EventRow.at < now - EVENTS_KEPT_SECONDS).order_by(EventRow.id).limit(_PORTION)
    outdated = EstimateRow.at < now - MEASUREMENTS_KEPT_SECONDS
    async with context.database.read() as session:
        digests = list(await session.scalars(sessions))
        ids = list(await session.scalars(events))
        measured = await session.scalar(select(func.count()).select_from(EstimateRow).where(outdated)) or 0
    if not digests and not ids and not measured:
        return 0
    async with context.database.unit_of_work(quiet=True) as work:
        await work.session.execute(delete(SessionRow).where(SessionRow.digest.in_(digests), idle | old))
        await work.session.execute(delete(EventRow).where(EventRow.id.in_(ids)))
        await work.session.execute(delete(EstimateRow).where(outdated))
    return len(digests) + len(ids) + measured
