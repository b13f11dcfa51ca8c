"""One look at everything, as samples."""

from collections import Counter
from collections.abc import Iterator

from aimindserve import __version__
from aimindserve.domain.lifecycle import NodeStatus
from aimindserve.domain.metrics import Metric, Sample
from aimindserve.domain.rooms import spaces_of
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import NodeRow
from aimindserve.server.reconcile.observe import World, look


async def samples(context: ServerContext) -> list[Sample]:
    """All samples, in an order that does not change."""
    async with context.database.read() as session:
        world = await look(session)
    now = context.clock()
    found = [
        Sample(Metric.BUILD_INFO, 1, {"version": __version__}),
        Sample(Metric.START_TIME, context.started_at),
        Sample(Metric.GATEWAYS, context.readiness.gateways),
        *_deployments(world, now),
    ]
    for node in world.nodes:
        found += [*_node(node, now), *_devices(node, world), *_store(node, context)]
    return found


def _deployments(world: World, now: float) -> Iterator[Sample]:
    phases: Counter[str] = Counter()
    for deployment in world.deployments:
        standing, replicas = world.standing(deployment, now)
        phases[standing.phase.value] += 1
        for phase, count in sorted(Counter(stands.phase.value for _, stands in replicas).items()):
            yield Sample(Metric.REPLICAS, count, {"model": deployment.spec.name, "phase": phase})
        for replica, _ in replicas:
            if replica.observation is not None:
                labels = {"model": deployment.spec.name, "replica": replica.id}
                yield Sample(Metric.REPLICA_RESTARTS, replica.observation.restarts, labels)
    for phase, count in sorted(phases.items()):
        yield Sample(Metric.DEPLOYMENTS, count, {"phase": phase})


def _node(node: NodeRow, now: float) -> Iterator[Sample]:
    silent = NodeStatus(node.id, node.hostname, node.last_report_at).silent_for(now)
    alive = node.last_report_at is not None and silent is None
    yield Sample(Metric.NODE_UP, int(alive), {"node": node.hostname})
    if node.last_report_at is not None:
        yield Sample(Metric.NODE_LAST_REPORT, node.last_report_at, {"node": node.hostname})


def _devices(node: NodeRow, world: World) -> Iterator[Sample]:
    for space in spaces_of([node.facts] if node.facts else [], world.replicas):
        device = space.device
        labels = {"node": node.hostname, "device": device.id, "name": device.name}
        values = {
            Metric.DEVICE_MEMORY: device.memory_total,
            Metric.DEVICE_MEMORY_FREE: device.memory_free,
            Metric.DEVICE_MEMORY_CLAIMED: space.claimed,
            Metric.DEVICE_UTILIZATION: device.utilization,
            Metric.DEVICE_TEMPERATURE: device.temperature_c,
        }
        yield from (Sample(metric, value, labels) for metric, value in values.items() if value is not None)


def _store(node: NodeRow, context: ServerContext) -> Iterator[Sample]:
    report = context.board.reports.get(node.id)
    if report is None:
        return
    if report.disk_free is not None:
        yield Sample(Metric.STORE_FREE, report.disk_free, {"node": node.hostname})
    for state, count in sorted(Counter(model.state.value for model in report.models).items()):
        yield Sample(Metric.STORED_MODELS, count, {"node": node.hostname, "state": state})
