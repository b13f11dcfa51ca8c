"""The report handler: the only writer of observations, of acknowledged revisions and of freed memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from aimindserve.domain.measured import Measurement
from aimindserve.domain.nodes import Device, NodeFacts
from aimindserve.domain.replicas import NodeRef, NodeReport, ReplicaObservation, is_gone
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import DeploymentRow, NodeRow, ReplicaRow
from aimindserve.server.reconcile.measured import keep_measurement
from aimindserve.server.reconcile.observe import replica_of
from aimindserve.server.reconcile.starts import keep_start

# Nodes count as lost after 20 s (domain.lifecycle); writing "still here" more often only wears the disk.
HEARTBEAT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Difference:
    """What a report tells that is not stored yet. ``told`` changes are events; ``quiet`` ones are progress and
    telemetry; ``heartbeat`` is only the time of the report."""

    told: bool = False
    quiet: bool = False
    heartbeat: bool = False


async def store_report(context: ServerContext, ref: NodeRef, report: NodeReport, sent: Sequence[str]) -> bool:
    """Stores what a node reported in answer to a desired state that named the replicas ``sent``.

    Late reports (of a revision below one that was acknowledged before) change nothing. True when anything that
    people or other loops care for has changed; the loops are then woken.
    """
    now = context.clock()
    async with context.database.read() as session:
        node = await session.get(NodeRow, report.node_id)
        rows = list(await session.scalars(select(ReplicaRow).where(ReplicaRow.node_id == report.node_id)))
    models_changed = _keep(context, node, report)
    difference = _difference(node, rows, report, sent, now)
    if not (difference.told or difference.quiet or difference.heartbeat):
        return models_changed
    # Quiet: progress and telemetry are written without an event; what is worth one records it below.
    async with context.database.unit_of_work(quiet=True) as work:
        await _apply(work, ref, report, sent, context.settings.llama_threads)
    if difference.quiet and not difference.told:
        context.bus.wake()
    return difference.told or difference.quiet or models_changed


def _keep(context: ServerContext, node: NodeRow | None, report: NodeReport) -> bool:
    """Put a report on the board unless it is a late one. True when models changed; the loops are then woken."""
    if node is not None and report.acked_revision < node.acked_revision:
        return False
    changed = context.board.put(report)
    context.history.note_devices(context.clock(), report.node_id, report.facts.devices)
    if changed:
        context.bus.wake()
    return changed


def _difference(
    node: NodeRow | None, rows: Sequence[ReplicaRow], report: NodeReport, sent: Sequence[str], now: float
) -> Difference:
    if node is None:
        return Difference(told=True)
    if report.acked_revision < node.acked_revision:
        return Difference()
    seen = {observation.id: observation for observation in report.replicas}
    changes = [_changed(row, seen, report.acked_revision, sent) for row in rows]
    facts_told = _lasting(node.facts) != _lasting(report.facts)
    node_changed = report.acked_revision != node.acked_revision or report.acked_revision > node.desired_revision
    # A last report in the future: the clock was set back.
    due = node.last_report_at is None or not 0 <= now - node.last_report_at < HEARTBEAT_SECONDS
    return Difference(
        told=facts_told or any(change.told for change in changes),
        quiet=node_changed or any(change.quiet for change in changes),
        heartbeat=due,
    )


def _changed(row: ReplicaRow, seen: Mapping[str, ReplicaObservation], acked: int, sent: Sequence[str]) -> Difference:
    if is_gone(replica_of(row), acked, seen):
        return Difference(told=True)
    new = seen.get(row.id)
    if new is None and row.id not in sent:
        return Difference()
    if _stored(new) == _stored(row.observation):
        return Difference()
    return Difference(told=_telling(new) != _telling(row.observation), quiet=True)


def _stored(seen: ReplicaObservation | None) -> ReplicaObservation | None:
    """An observation without what moves all the time: how far a download is is read from the last report."""
    return seen.model_copy(update={"download": None}) if seen else None


def _telling(seen: ReplicaObservation | None) -> tuple[object, ...]:
    """What of an observation is worth an event."""
    if seen is None:
        return ()
    return (seen.state, seen.reason and seen.reason.code, seen.attempt, seen.pid, seen.port)


def _lasting(facts: NodeFacts | None) -> object:
    """A node's facts without what moves all the time."""
    if facts is None:
        return None
    devices = tuple(_lasting_device(device) for device in facts.devices)
    return facts.model_copy(update={"devices": devices})


def _lasting_device(device: Device) -> Device:
    return device.model_copy(
        update={"memory_free": 0, "utilization": None, "temperature_c": None, "power_w": None, "processes": ()}
    )


async def _apply(
    work: UnitOfWork, ref: NodeRef, report: NodeReport, sent: Sequence[str], threads: int | None = None
) -> None:
    """Compares again with what the transaction sees, and writes."""
    node = await work.session.get(NodeRow, report.node_id)
    if node is None:
        node = _join(work, ref, report)
    elif report.acked_revision < node.acked_revision:
        return
    if _lasting(node.facts) != _lasting(report.facts):
        work.record("node.changed", subject=node.id, hostname=report.facts.hostname)
    node.hostname, node.address, node.boot_id = report.facts.hostname, ref.address, report.facts.boot_id
    node.facts, node.last_report_at, node.acked_revision = report.facts, work.now, report.acked_revision
    if report.acked_revision > node.desired_revision:
        # An older copy of the database was restored: go above what the node knows, or it would not listen.
        node.desired_revision = report.acked_revision + 1
    query = select(ReplicaRow, DeploymentRow.name).join(DeploymentRow).where(ReplicaRow.node_id == node.id)
    for row, name in (await work.session.execute(query)).all():
        before = _measured(row)
        await _apply_replica(work, row, name, report, sent)
        if _measured(row) != before:
            await keep_measurement(work, row, name, report.facts, threads)
            await keep_start(work, row)


def _measured(row: ReplicaRow) -> Measurement | None:
    return row.observation.measured if row.observation else None


def _join(work: UnitOfWork, ref: NodeRef, report: NodeReport) -> NodeRow:
    node = NodeRow(
        id=report.node_id,
        hostname=report.facts.hostname,
        address=ref.address,
        boot_id=report.facts.boot_id,
        facts=report.facts,
        desired_revision=max(1, report.acked_revision),
        acked_revision=report.acked_revision,
        created_at=work.now,
    )
    work.session.add(node)
    work.record("node.joined", subject=node.id, hostname=node.hostname)
    return node


async def _apply_replica(
    work: UnitOfWork, row: ReplicaRow, deployment: str, report: NodeReport, sent: Sequence[str]
) -> None:
    seen = {observation.id: observation for observation in report.replicas}
    change = _changed(row, seen, report.acked_revision, sent)
    if is_gone(replica_of(row), report.acked_revision, seen):
        await work.session.delete(row)
        work.record("replica.removed", subject=row.id, deployment=deployment)
        return
    if not (change.told or change.quiet):
        return
    new = seen.get(row.id)
    row.observation, row.observed_at = _stored(new), work.now
    if change.told:
        why = new.reason.code if new and new.reason else None
        work.record(
            "replica.changed",
            subject=row.id,
            deployment=deployment,
            state=new.state if new else None,
            reason=why,
            attempt=new.attempt if new else None,
        )
