"""``/events``: what happened, as a list or live."""

from typing import Annotated

from fastapi import Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from aimindserve.domain.access import Policy
from aimindserve.domain.views import EventView, ItemList
from aimindserve.server.context import Context
from aimindserve.server.features.events import service
from aimindserve.server.guards import Caller, feature_router, requires, still_known

router = feature_router("events")

Following = Annotated[bool, Query(description="Stream as server-sent events and go on with what comes.")]
Deployment = Annotated[str | None, Query(max_length=63, description="Only events of this deployment.")]
Limit = Annotated[int, Query(ge=1, le=1000)]
After = Annotated[int | None, Query(ge=0, le=2**53, description="Instead of the latest, those with a higher id.")]
Before = Annotated[int | None, Query(ge=1, le=2**53, description="The latest of those with a lower id.")]
Kind = Annotated[
    str | None, Query(max_length=64, description="Only this kind, or with a dot at the end all of an object: user.")
]
Actor = Annotated[str | None, Query(max_length=128, description="Only what this person, key or part did.")]
Subject = Annotated[str | None, Query(max_length=128, description="Only what happened to this.")]
Time = Annotated[float | None, Query(ge=0, le=1e11, description="Unix seconds.")]
LastEventId = Annotated[int | None, Header(ge=0, le=2**53, description="Resume a stream after this event.")]


@router.get("/events", response_model=ItemList[EventView])
@requires(Policy.USER)
async def list_events(
    request: Request,
    caller: Caller,
    context: Context,
    follow: Following = False,
    deployment: Deployment = None,
    limit: Limit = 200,
    after: After = None,
    before: Before = None,
    kind: Kind = None,
    actor: Actor = None,
    subject: Subject = None,
    since: Time = None,
    until: Time = None,
    last_event_id: LastEventId = None,
) -> Response | ItemList[EventView]:
    """The latest events, oldest first (an administrator also sees those about people and keys);
    with ``follow`` those that come, after ``Last-Event-ID`` if it is given."""
    view = service.View(
        deployment,
        everything=caller.is_admin,
        files=caller.is_operator,
        wish=service.Wish(before=before, kind=kind, actor=actor, subject=subject, since=since, until=until),
    )
    if not follow and after is not None:
        return ItemList[EventView](items=await service.after(context, after, view, limit))
    if not follow:
        return ItemList[EventView](items=await service.latest(context, view, limit))
    start = await service.last_id(context) if last_event_id is None else last_event_id
    return StreamingResponse(
        service.follow(context, start, view, lambda: still_known(request)),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )
