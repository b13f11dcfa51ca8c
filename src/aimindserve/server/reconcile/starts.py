"""How long starts take: kept when one is over, and read for the next. Part of the report handler's transaction."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aimindserve.domain.replicas import Replica, ReplicaState
from aimindserve.domain.startup import StartTimes, stage_times, start_key, with_start
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import ReplicaRow, StartRow


def _key_of(replica: Replica | ReplicaRow) -> str | None:
    """Whose starts tell about this replica's; None before it has a place."""
    assignment = replica.assignment
    return start_key(replica.spec.source, assignment.engine) if assignment else None


async def keep_start(work: UnitOfWork, row: ReplicaRow) -> None:
    """Stores how long the stages of a replica's start took, once it is ready."""
    seen, key = row.observation, _key_of(row)
    if seen is None or key is None or seen.state is not ReplicaState.READY or len(seen.timeline) < 2:
        return
    new = StartTimes(replica_id=row.id, attempt=seen.attempt, stages=stage_times(seen.timeline))
    known = await work.session.get(StartRow, key)
    if known is None:
        work.session.add(StartRow(key=key, starts=(new,), at=work.now))
    elif new not in known.starts:
        known.starts, known.at = with_start(known.starts, new), work.now


async def start_history(session: AsyncSession, replicas: Iterable[Replica]) -> dict[str, tuple[StartTimes, ...]]:
    """The remembered starts of the models of these replicas, by replica."""
    keys = {replica.id: key for replica in replicas if (key := _key_of(replica)) is not None}
    if not keys:
        return {}
    rows = await session.scalars(select(StartRow).where(StartRow.key.in_(set(keys.values()))))
    known = {row.key: row.starts for row in rows}
    return {replica_id: known[key] for replica_id, key in keys.items() if key in known}
