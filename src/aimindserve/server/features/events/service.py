"""The history, and the live stream that follows it. Ids rise in commit order, so a reader that asks for everything
after the last id that it saw misses nothing and sees nothing twice."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import Select, func, select

from aimindserve.domain.views import EventView
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import EventRow

_PAGE = 200
# Proxies and browsers drop connections on which nothing moves; a comment keeps them (and finds dead readers).
KEEPALIVE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class View:
    """Which events somebody sees: those of one deployment, or of all; with ``everything`` also those about people,
    keys and logins."""

    deployment: str | None = None
    everything: bool = False


async def after(context: ServerContext, last_id: int, view: View, limit: int = _PAGE) -> tuple[EventView, ...]:
    """Up to ``limit`` events with ids above ``last_id``, oldest first."""
    query = _seen(view).where(EventRow.id > last_id).order_by(EventRow.id).limit(limit)
    async with context.database.read() as session:
        return tuple(_view(row) for row in await session.scalars(query))


async def latest(context: ServerContext, view: View, limit: int = _PAGE) -> tuple[EventView, ...]:
    """The last ``limit`` events, oldest first."""
    query = _seen(view).order_by(EventRow.id.desc()).limit(limit)
    async with context.database.read() as session:
        rows = (await session.scalars(query)).all()
    return tuple(_view(row) for row in reversed(rows))


async def last_id(context: ServerContext) -> int:
    """The id of the newest event, 0 when there is none."""
    async with context.database.read() as session:
        return await session.scalar(select(func.max(EventRow.id))) or 0


async def follow(
    context: ServerContext, start_after: int, view: View, allowed: Callable[[], Awaitable[bool]]
) -> AsyncIterator[bytes]:
    """Server-sent events from ``start_after`` on, until ``allowed`` says no (the session ended, the key was deleted).
    The first line comes at once, so that the reader knows that it is connected."""
    with context.bus.listen() as listener:
        yield b"retry: 1000\n: connected\n\n"
        seen = start_after
        while await allowed():
            events = await after(context, seen, view)
            for event in events:
                seen = event.id
                yield _encode(event)
            if not events and not await listener.wait(KEEPALIVE_SECONDS):
                yield b": alive\n\n"


def _seen(view: View) -> Select[EventRow]:
    query = select(EventRow)
    if view.deployment is not None:
        return query.where(EventRow.deployment == view.deployment)
    return query if view.everything else query.where(EventRow.deployment.is_not(None))


def _encode(event: EventView) -> bytes:
    data = json.dumps(event.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))
    return f"id: {event.id}\nevent: {event.kind}\ndata: {data}\n\n".encode()


def _view(row: EventRow) -> EventView:
    return EventView(
        id=row.id,
        at=row.at,
        kind=row.kind,
        subject=row.subject,
        actor=row.actor,
        deployment=row.deployment,
        data=row.payload,
    )
