"""The history, and the live stream that follows it. Ids rise in commit order, so a reader that asks for everything
after the last id that it saw misses nothing and sees nothing twice."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select

from aimindserve.domain.views import EventView
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import EventRow

_PAGE = 200
# Proxies and browsers drop connections on which nothing moves; a comment keeps them (and finds dead readers).
KEEPALIVE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Wish:
    """Which events somebody looks for. ``before``: those with lower ids; ``kind`` may end with a dot (``user.``) and
    then stands for all that begin so; ``since`` and ``until`` Unix seconds."""

    before: int | None = None
    kind: str | None = None
    actor: str | None = None
    subject: str | None = None
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class View:
    """Which events somebody sees: those of one deployment, or of all; with ``everything`` also those about people,
    keys and logins, with ``files`` how downloads of model files stand; and of these what ``wish`` asks for."""

    deployment: str | None = None
    everything: bool = False
    files: bool = False
    wish: Wish = Wish()


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
    The first line comes at once, so that the reader knows that it is connected.

    Between them come ``progress`` events, at most twice a second for each node, while files are downloaded: they have
    no id, are not kept and not sent again, and tell ``{node_id, files, replicas}`` with ``{done, total, rate, eta}`` by
    key of the model and by id of the replica. Operators get both, others only replicas. Of the same kind are
    ``starting`` events, which tell the stages that starts on a node have come to."""
    with context.bus.listen(context.board.moves) as listener:
        yield b"retry: 1000\n: connected\n\n"
        seen, told = start_after, dict[tuple[str, str], bytes]()
        while await allowed():
            events = await after(context, seen, view)
            for event in events:
                seen = event.id
                yield _encode(event)
            for node_id in context.board.reports:
                passing = {"progress": _progress(context, node_id, view), "starting": _starting(context, node_id, view)}
                for name, event in passing.items():
                    if event != told.get((node_id, name), b""):
                        told[node_id, name] = event
                        yield event
            if not events and not await listener.wait(KEEPALIVE_SECONDS):
                yield b": alive\n\n"


def _progress(context: ServerContext, node_id: str, view: View) -> bytes:
    """How downloads on a node stand, as an event; nothing while none moves."""
    board = context.board
    files = board.progress_of(node_id) if view.files else {}
    replicas = board.downloads_of(node_id)
    if view.deployment is not None or not (files or replicas):
        return b""
    moving = {"files": files, "replicas": replicas}
    told = {name: {key: one.model_dump() for key, one in values.items()} for name, values in moving.items()}
    return _passing("progress", {"node_id": node_id, **told})


def _starting(context: ServerContext, node_id: str, view: View) -> bytes:
    """What starts on a node are doing, as an event; nothing while none is under way."""
    stages = context.board.stages_of(node_id)
    if view.deployment is not None or not stages:
        return b""
    return _passing("starting", {"node_id": node_id, "replicas": stages})


def _passing(name: str, data: object) -> bytes:
    """An event that is not kept: it has no id."""
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def _seen(view: View) -> Select[EventRow]:
    query = select(EventRow).where(*_wished(view.wish))
    if view.deployment is not None:
        return query.where(EventRow.deployment == view.deployment)
    return query if view.everything else query.where(EventRow.deployment.is_not(None))


def _wished(wish: Wish) -> Iterator[ColumnElement[bool]]:
    if wish.before is not None:
        yield EventRow.id < wish.before
    if wish.kind is not None:
        whole = not wish.kind.endswith(".")
        yield EventRow.kind == wish.kind if whole else EventRow.kind.startswith(wish.kind, autoescape=True)
    if wish.actor is not None:
        yield EventRow.actor == wish.actor
    if wish.subject is not None:
        yield EventRow.subject == wish.subject
    if wish.since is not None:
        yield EventRow.at >= wish.since
    if wish.until is not None:
        yield EventRow.at < wish.until


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
