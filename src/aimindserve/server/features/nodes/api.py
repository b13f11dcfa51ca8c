"""``/nodes`` and ``/devices``: machines, what they have and what of it is claimed."""

from collections.abc import Sequence

from fastapi import Request

from aimindserve.domain.access import Policy
from aimindserve.domain.lifecycle import NodeStatus
from aimindserve.domain.reasons import Language
from aimindserve.domain.rooms import DeviceSpace, spaces_of
from aimindserve.domain.views import ItemList
from aimindserve.domain.views_nodes import DeviceView, HolderView, NodePatch, NodeView
from aimindserve.server.context import Context, ServerContext
from aimindserve.server.db.tables import NodeRow
from aimindserve.server.errors import language, reason_view
from aimindserve.server.features.nodes import service
from aimindserve.server.guards import Caller, actor_of, feature_router, requires
from aimindserve.server.reconcile.observe import World, look, standings

router = feature_router("nodes")


@router.get("/nodes")
@requires(Policy.USER)
async def list_nodes(request: Request, context: Context) -> ItemList[NodeView]:
    """All machines with their devices and engines."""
    return ItemList[NodeView](items=await _nodes(context, language(request)))


@router.patch("/nodes/{node}")
@requires(Policy.ADMIN)
async def label_node(node: str, body: NodePatch, request: Request, caller: Caller, context: Context) -> NodeView:
    """Gives labels to a machine (id or host name), or takes them back. Replicas that run stay where they are."""
    node_id = await service.label(context, node, body.labels, actor_of(caller))
    return await _shown(context, node_id, language(request))


@router.post("/nodes/{node}/drain")
@requires(Policy.ADMIN)
async def drain_node(node: str, request: Request, caller: Caller, context: Context) -> NodeView:
    """Empties a machine: it takes no new replicas, and each that runs there is stopped once another is ready elsewhere
    in its place."""
    node_id = await service.drain(context, node, actor_of(caller))
    return await _shown(context, node_id, language(request))


@router.post("/nodes/{node}/undrain")
@requires(Policy.ADMIN)
async def undrain_node(node: str, request: Request, caller: Caller, context: Context) -> NodeView:
    """Lets a machine take replicas again."""
    node_id = await service.undrain(context, node, actor_of(caller))
    return await _shown(context, node_id, language(request))


@router.get("/devices")
@requires(Policy.USER)
async def list_devices(request: Request, context: Context) -> ItemList[DeviceView]:
    """All devices of all machines."""
    nodes = await _nodes(context, language(request))
    return ItemList[DeviceView](items=tuple(device for node in nodes for device in node.devices))


async def _shown(context: ServerContext, node_id: str, wording: Language) -> NodeView:
    return next(node for node in await _nodes(context, wording) if node.id == node_id)


async def _nodes(context: ServerContext, wording: Language) -> tuple[NodeView, ...]:
    async with context.database.read() as session:
        world = await look(session)
    return tuple(_view(row, world, context.clock(), wording) for row in world.nodes)


def _view(row: NodeRow, world: World, now: float, wording: Language) -> NodeView:
    facts = row.facts
    holders = _holders(row.id, world, now)
    silent = NodeStatus(row.id, row.hostname, row.last_report_at).silent_for(now)
    return NodeView(
        id=row.id,
        hostname=row.hostname,
        alive=row.last_report_at is not None and silent is None,
        last_report_at=row.last_report_at,
        desired_revision=row.desired_revision,
        acked_revision=row.acked_revision,
        devices=tuple(
            _device_view(space, holders.get(space.device.id, ()))
            for space in spaces_of([facts] if facts else [], world.replicas)
        ),
        engines=facts.engines if facts else (),
        notes=tuple(reason_view(note, wording) for note in (facts.notes if facts else ())),
        labels={**(facts.labels if facts else {}), **row.labels},
        given_labels=row.labels,
        drained_at=row.drained_at,
    )


def _device_view(space: DeviceSpace, holders: Sequence[HolderView]) -> DeviceView:
    device = space.device
    return DeviceView(
        node_id=space.node_id,
        device=device,
        claimed=space.claimed,
        used=max(0, device.allocatable - device.memory_free),
        foreign=space.foreign,
        free=space.free,
        holders=tuple(holders),
    )


def _holders(node_id: str, world: World, now: float) -> dict[str, list[HolderView]]:
    """Who claims memory of one machine, by device; the replicas in the order in which they were made."""
    names = {deployment.id: deployment.spec.name for deployment in world.deployments}
    found: dict[str, list[HolderView]] = {}
    for replica, standing in standings(world.replicas, world.statuses, now):
        if replica.assignment is None or replica.assignment.node_id != node_id:
            continue
        for claim in replica.assignment.claims:
            held = HolderView(
                deployment=names.get(replica.deployment_id, ""),
                replica_id=replica.id,
                phase=standing.phase,
                bytes=claim.bytes,
            )
            found.setdefault(claim.device_id, []).append(held)
    return found
