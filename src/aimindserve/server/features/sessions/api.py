"""``/sessions``: who is logged in with a browser, and how to end that."""

from typing import Annotated

from fastapi import Query, Request

from aimindserve.domain.access import Policy
from aimindserve.domain.views import ItemList
from aimindserve.domain.views_access import BrowserSessionView
from aimindserve.server.context import Context
from aimindserve.server.features.sessions import service
from aimindserve.server.guards import Caller, feature_router, identity_of, requires

router = feature_router("sessions")

Whose = Annotated[str | None, Query(max_length=32, description="The person with this id. Left out: your own.")]


@router.get("/sessions")
@requires(Policy.USER)
async def list_sessions(
    request: Request, caller: Caller, context: Context, user: Whose = None
) -> ItemList[BrowserSessionView]:
    """Your sessions, the last used first; an administrator may ask for those of somebody else."""
    found = await service.sessions_of(context, caller, user, identity_of(request).session_digest)
    return ItemList[BrowserSessionView](items=found)


@router.delete("/sessions/{session_id}", status_code=204)
@requires(Policy.USER)
async def end_session(session_id: str, caller: Caller, context: Context) -> None:
    """Logs a browser out: one of yours, or as an administrator anybody's."""
    await service.end(context, caller, session_id)
