"""What a start really took: kept beside its estimate, and learned from. Part of the report handler's transaction."""

from dataclasses import asdict

from sqlalchemy import ColumnElement, delete, func, select

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.lessons import COUNTED_STARTS, Family, Sample, learn, ratios_of
from aimindserve.domain.measured import TOTAL, Measurement, compare
from aimindserve.domain.memory import MemoryEstimate
from aimindserve.domain.nodes import NodeFacts
from aimindserve.domain.reasons import Reason
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import CorrectionRow, EstimateRow, ReplicaRow
from aimindserve.server.reconcile.planning import plan_of

# Starts of a family that are kept; older ones are forgotten.
KEPT_STARTS = 256
# Figures of one start at most.
_MOST_ITEMS = 32


def family_of(measured: Measurement, facts: ModelFacts) -> Family:
    """What a start teaches about."""
    return Family(measured.engine, measured.version, facts.architecture, measured.on_gpu)


async def keep_measurement(
    work: UnitOfWork, row: ReplicaRow, deployment: str, node: NodeFacts, threads: int | None
) -> None:
    """Stores the figures of a replica's last start, unless they are there already."""
    measured = row.observation.measured if row.observation else None
    if measured is None or not measured.items:
        return
    mine = (EstimateRow.replica_id == row.id, EstimateRow.attempt == measured.attempt)
    if await work.session.scalar(select(EstimateRow.item).where(*mine).limit(1)):
        return
    plan = plan_of(row.spec, row.facts, row.assignment, node, threads)
    estimate = MemoryEstimate(items=()) if isinstance(plan, Reason) else plan.memory
    family = family_of(measured, row.facts)
    start = {"replica_id": row.id, "attempt": measured.attempt, "deployment": deployment, "source": row.spec.source}
    names = {device.id: device.name for device in node.devices}
    for one in compare(estimate, measured)[:_MOST_ITEMS]:
        device = names.get(one.device_id, one.device_id)[:128]
        work.session.add(EstimateRow(**start, **_columns(family), **asdict(one), device=device, at=work.now))
    await work.session.flush()
    total = next((one.bytes for one in measured.items if one.item == TOTAL), 0)
    work.record("replica.measured", subject=row.id, deployment=deployment, attempt=measured.attempt, bytes=total)
    await _forget(work, family)
    await _learn(work, family)


def _columns(family: Family) -> dict[str, str | bool]:
    """How both tables say whose starts a row is about."""
    return {
        "engine": family.engine,
        "engine_version": family.version,
        "family": family.architecture,
        "on_gpu": family.on_gpu,
    }


def _is_about(table: type[EstimateRow] | type[CorrectionRow], family: Family) -> tuple[ColumnElement[bool], ...]:
    return tuple(getattr(table, name) == value for name, value in _columns(family).items())


async def _forget(work: UnitOfWork, family: Family) -> None:
    starts = (
        select(EstimateRow.replica_id, EstimateRow.attempt)
        .where(*_is_about(EstimateRow, family))
        .group_by(EstimateRow.replica_id, EstimateRow.attempt)
        .order_by(func.max(EstimateRow.at).desc(), EstimateRow.replica_id, EstimateRow.attempt)
        .offset(KEPT_STARTS)
    )
    for replica_id, attempt in (await work.session.execute(starts)).all():
        mine = (EstimateRow.replica_id == replica_id, EstimateRow.attempt == attempt)
        await work.session.execute(delete(EstimateRow).where(*mine))


async def _learn(work: UnitOfWork, family: Family) -> None:
    """Writes down what the family's newest starts suggest; says so where that changed."""
    query = (
        select(EstimateRow)
        .where(*_is_about(EstimateRow, family), EstimateRow.base.is_not(None), EstimateRow.measured.is_not(None))
        .order_by(EstimateRow.at.desc(), EstimateRow.replica_id, EstimateRow.attempt.desc())
        .limit(COUNTED_STARTS * _MOST_ITEMS)
    )
    rows = await work.session.scalars(query)
    ratios = ratios_of(Sample(row.item, row.base or 0, row.measured or 0) for row in rows)
    wanted = {one.item: one for one in learn(ratios)}
    known = {
        row.item: row
        for row in await work.session.scalars(select(CorrectionRow).where(*_is_about(CorrectionRow, family)))
    }
    for item, row in known.items():
        if item not in wanted:
            await work.session.delete(row)
            _say(work, family, item, 1.0, len(ratios.get(item, ())))
    for item, one in wanted.items():
        row = known.get(item)
        if row is None:
            row = CorrectionRow(**_columns(family), item=item)
            work.session.add(row)
        if row.factor != one.factor:
            _say(work, family, item, one.factor, one.starts)
        row.factor, row.starts, row.at = one.factor, one.starts, work.now
        row.ratios = [round(ratio, 4) for ratio in ratios[item]]


def _say(work: UnitOfWork, family: Family, item: str, factor: float, starts: int) -> None:
    work.record(
        "estimate.corrected",
        subject=f"{family.engine} {family.version} {family.architecture}",
        item=item,
        factor=factor,
        starts=starts,
    )
