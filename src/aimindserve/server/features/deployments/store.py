"""The history of one deployment."""

from sqlalchemy import select

from aimindserve.domain.views import EventView
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import EventRow

_MOST_EVENTS = 500


async def history(context: ServerContext, name: str) -> tuple[EventView, ...]:
    """The last 500 events about the deployments that bore ``name``, oldest first."""
    query = select(EventRow).where(EventRow.deployment == name).order_by(EventRow.id.desc()).limit(_MOST_EVENTS)
    async with context.database.read() as session:
        rows = (await session.scalars(query)).all()
    return tuple(
        EventView(
            id=row.id,
            at=row.at,
            kind=row.kind,
            subject=row.subject,
            actor=row.actor,
            deployment=row.deployment,
            data=row.payload,
        )
        for row in reversed(rows)
    )
