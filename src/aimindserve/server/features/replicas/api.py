"""``/replicas/{id}/log``: what an engine wrote, kept for each attempt."""

from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from aimindserve.domain.access import Policy
from aimindserve.domain.replicas import LogChunk
from aimindserve.server.context import Context
from aimindserve.server.features.replicas import service
from aimindserve.server.guards import feature_router, requires, still_known

router = feature_router("replicas")

Attempt = Annotated[int | None, Query(ge=0, description="Which start of the engine, from 1. Default: the latest.")]
Offset = Annotated[
    int | None,
    Query(
        ge=-(2**53),
        le=2**53,
        description="Byte from which to read; a negative number counts from the end. Default: the last 64 KiB.",
    ),
]
Following = Annotated[bool, Query(description="Answer plain text that goes on as the log grows.")]


@router.get(
    "/replicas/{replica_id}/log",
    response_model=LogChunk,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
@requires(Policy.USER)
async def read_replica_log(
    replica_id: str,
    request: Request,
    context: Context,
    attempt: Attempt = None,
    offset: Offset = None,
    follow: Following = False,
) -> Response | LogChunk:
    """A piece of the log of one attempt."""
    start = -service.TAIL_BYTES if offset is None else offset
    chunk = await service.read_log(context, replica_id, attempt or 0, start)
    if not follow:
        return chunk
    return StreamingResponse(
        service.follow_log(context, replica_id, chunk, lambda: still_known(request)),
        media_type="text/plain; charset=utf-8",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )
