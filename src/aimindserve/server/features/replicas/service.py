"""Reading the log of a replica from the node that has it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.replicas import LogChunk
from aimindserve.fabric._base import Fabric
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import ReplicaRow
from aimindserve.server.errors import refuse

TAIL_BYTES = 64 * 1024
_POLL_SECONDS = 0.25
# After so many looks without news the caller's right to see is checked again.
_LOOKS_PER_CHECK = 40


async def read_log(context: ServerContext, replica_id: str, attempt: int, offset: int) -> LogChunk:
    """A piece of the log of one attempt (0: the latest); empty while there is none.

    Raises:
        RefusedError: no node knows the replica, or it had no such attempt.
    """
    fabric = context.fabric
    async with context.database.read() as session:
        row = await session.get(ReplicaRow, replica_id)
    found = await _from_nodes(fabric, row.node_id if row else None, replica_id, attempt, offset) if fabric else None
    if found is not None:
        return found
    if row is None:
        refuse(ReasonCode.NOT_FOUND, kind="replica", name=replica_id)
    if attempt:
        refuse(ReasonCode.NOT_FOUND, kind="attempt", name=attempt)
    return LogChunk(attempt=0, offset=0, next_offset=0, size=0, text="")


async def _from_nodes(
    fabric: Fabric, node_id: str | None, replica_id: str, attempt: int, offset: int
) -> LogChunk | None:
    """From the replica's node; from whichever has kept it when the replica is gone."""
    nodes = [node_id] if node_id else [ref.node_id for ref in await fabric.nodes()]
    for node in nodes:
        chunk = await fabric.read_log(node, replica_id, attempt, offset)
        if chunk is not None:
            return chunk
    return None


async def follow_log(
    context: ServerContext, replica_id: str, first: LogChunk, allowed: Callable[[], Awaitable[bool]]
) -> AsyncIterator[bytes]:
    """The text from ``first`` on as it grows, until the attempt has ended or ``allowed`` says no."""
    chunk, quiet = first, 0
    while True:
        yield chunk.text.encode()
        if chunk.complete and chunk.next_offset >= chunk.size:
            return
        if not chunk.text:
            quiet += 1
            await asyncio.sleep(_POLL_SECONDS)
            if quiet % _LOOKS_PER_CHECK == 0 and not await allowed():
                return
        chunk = await read_log(context, replica_id, chunk.attempt, chunk.next_offset)
