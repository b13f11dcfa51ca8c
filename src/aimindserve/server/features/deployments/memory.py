"""What the starts of a deployment took, beside what was estimated."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from sqlalchemy import select

from aimindserve.domain.replicas import Replica
from aimindserve.domain.views import CorrectionView, MeasuredItemView, MemoryHistoryView, StartMemoryView
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import CorrectionRow, EstimateRow
from aimindserve.server.features.deployments.service import find

_MOST_STARTS = 10
_MOST_ROWS = 400


async def memory_history(context: ServerContext, name: str) -> MemoryHistoryView:
    """The latest starts of the deployment of this name, and what they taught.

    Raises:
        RefusedError: no such deployment.
    """
    seen = await find(context, name)
    facts = seen.deployment.facts
    starts = (
        select(EstimateRow)
        .where(EstimateRow.deployment == name)
        .order_by(EstimateRow.at.desc(), EstimateRow.replica_id, EstimateRow.attempt, EstimateRow.device_id)
        .limit(_MOST_ROWS)
    )
    corrections = (
        select(CorrectionRow)
        .where(CorrectionRow.family == (facts.architecture if facts else ""))
        .order_by(CorrectionRow.engine, CorrectionRow.engine_version, CorrectionRow.on_gpu, CorrectionRow.item)
    )
    async with context.database.read() as session:
        rows = list(await session.scalars(starts))
        learned = list(await session.scalars(corrections))
    replicas = {replica.id: replica for replica in seen.world.replicas_of(seen.deployment.id)}
    return MemoryHistoryView(
        starts=tuple(_starts(rows, replicas))[:_MOST_STARTS],
        corrections=tuple(_correction(row) for row in learned),
    )


def _starts(rows: Sequence[EstimateRow], replicas: dict[str, Replica]) -> Iterable[StartMemoryView]:
    for (replica_id, attempt), mine in groupby(rows, key=lambda row: (row.replica_id, row.attempt)):
        items = list(mine)
        yield StartMemoryView(
            replica_id=replica_id,
            attempt=attempt,
            at=items[0].at,
            engine=items[0].engine,
            engine_version=items[0].engine_version,
            items=tuple(_item(row) for row in items),
            cache_tokens=_cache_tokens(replicas.get(replica_id), attempt),
        )


def _item(row: EstimateRow) -> MeasuredItemView:
    return MeasuredItemView(
        item=row.item,
        device_id=row.device_id,
        device=row.device,
        measured=row.measured or 0,
        estimated=row.estimated,
        high=row.high,
    )


def _cache_tokens(replica: Replica | None, attempt: int) -> int | None:
    measured = replica.observation.measured if replica and replica.observation else None
    return measured.cache_tokens if measured and measured.attempt == attempt else None


def _correction(row: CorrectionRow) -> CorrectionView:
    return CorrectionView(
        engine=row.engine,
        engine_version=row.engine_version,
        architecture=row.family,
        on_gpu=row.on_gpu,
        item=row.item,
        factor=row.factor,
        starts=row.starts,
        ratios=tuple(row.ratios),
        at=row.at,
    )
