"""``/nodes`` and ``/devices``: machines, what they have and what of it is claimed."""

from fastapi import Request

from aimindserve.domain.access import Policy
from aimindserve.domain.lifecycle import NodeStatus
from aimindserve.domain.reasons import Language
from aimindserve.domain.rooms import spaces_of
from aimindserve.domain.views import DeviceView, ItemList, NodeView
from aimindserve.server.context import Context, ServerContext
from aimindserve.server.db.tables import NodeRow
from aimindserve.server.errors import language, reason_view
from aimindserve.server.guards import feature_router, requires
from aimindserve.server.reconcile.observe import World, look

router = feature_router("nodes")


@router.get("/nodes")
@requires(Policy.USER)
async def list_nodes(request: Request, context: Context) -> ItemList[NodeView]:
    """All machines with their devices and engines."""
    return ItemList[NodeView](items=await _nodes(context, language(request)))


@router.get("/devices")
@requires(Policy.USER)
async def list_devices(request: Request, context: Context) -> ItemList[DeviceView]:
    """All devices of all machines."""
    nodes = await _nodes(context, language(request))
    return ItemList[DeviceView](items=tuple(device for node in nodes for device in node.devices))


async def _nodes(context: ServerContext, wording: Language) -> tuple[NodeView, ...]:
    async with context.database.read() as session:
        world = await look(session)
    return tuple(_view(row, world, context.clock(), wording) for row in world.nodes)


def _view(row: NodeRow, world: World, now: float, wording: Language) -> NodeView:
    facts = row.facts
    silent = NodeStatus(row.id, row.hostname, row.last_report_at).silent_for(now)
    return NodeView(
        id=row.id,
        hostname=row.hostname,
        alive=row.last_report_at is not None and silent is None,
        last_report_at=row.last_report_at,
        desired_revision=row.desired_revision,
        acked_revision=row.acked_revision,
        devices=tuple(
            DeviceView(node_id=row.id, device=space.device, claimed=space.claimed)
            for space in spaces_of([facts] if facts else [], world.replicas)
        ),
        engines=facts.engines if facts else (),
        notes=tuple(reason_view(note, wording) for note in (facts.notes if facts else ())),
    )
