"""One look at everything, summed up."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from aimindserve.domain.lifecycle import NodeStatus, Phase, Standing
from aimindserve.domain.nodes import DeviceKind
from aimindserve.domain.reasons import Language, Reason, ReasonCode, reason
from aimindserve.domain.rooms import DeviceSpace, spaces_of
from aimindserve.domain.units import format_bytes
from aimindserve.domain.views_overview import AttentionView, DeviceSumView, OverviewView
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import NodeRow
from aimindserve.server.errors import reason_view
from aimindserve.server.reconcile.observe import World, look

_TROUBLED = (Phase.FAILED, Phase.UNREACHABLE, Phase.PENDING)
# True of every machine without a GPU, and no trouble there.
_CALM = (ReasonCode.DRIVER_ABSENT,)
# Less than this on the disk of model files and the next download will hardly find room.
_LITTLE_DISK_BYTES = 10 * 1024**3


async def overview(context: ServerContext, wording: Language) -> OverviewView:
    """The whole as it stands now."""
    async with context.database.read() as session:
        world = await look(session)
    now = context.clock()
    standings = {deployment.spec.name: world.standing(deployment, now) for deployment in world.deployments}
    replicas = [stands for _, all_of in standings.values() for _, stands in all_of]
    spaces = spaces_of([node.facts for node in world.nodes if node.facts], world.replicas)
    return OverviewView(
        devices=tuple(_sums(spaces)),
        nodes=len(world.nodes),
        nodes_alive=sum(_is_alive(node, now) for node in world.nodes),
        replicas=Counter(stands.phase for stands in replicas),
        deployments=Counter(standing.phase for standing, _ in standings.values()),
        attention=tuple(_attention(context, world, standings.items(), now, wording)),
    )


def _sums(spaces: Sequence[DeviceSpace]) -> Iterator[DeviceSumView]:
    for kind in ("gpu", "cpu"):
        mine = [space for space in spaces if (space.device.kind is DeviceKind.CPU) == (kind == "cpu")]
        if mine:
            yield DeviceSumView(
                kind=kind,
                devices=len(mine),
                total=sum(space.device.allocatable for space in mine),
                used=sum(max(0, space.device.allocatable - space.device.memory_free) for space in mine),
                claimed=sum(space.claimed for space in mine),
                free=sum(space.free for space in mine),
            )


def _attention(
    context: ServerContext,
    world: World,
    standings: "Iterable[tuple[str, tuple[Standing, Sequence[tuple[object, Standing]]]]]",
    now: float,
    wording: Language,
) -> Iterator[AttentionView]:
    for node in world.nodes:
        if reasons := tuple(reason_view(why, wording) for why in _node_troubles(context, node, now)):
            yield AttentionView(about="node", name=node.hostname, reasons=reasons)
    for name, (standing, replicas) in standings:
        told = [standing, *(stands for _, stands in replicas)]
        whys = [why for stands in told if stands.phase in _TROUBLED for why in stands.reasons]
        once = [why for place, why in enumerate(whys) if why not in whys[:place]]
        if reasons := tuple(reason_view(why, wording) for why in once):
            yield AttentionView(about="deployment", name=name, reasons=reasons)


def _node_troubles(context: ServerContext, node: NodeRow, now: float) -> Iterator[Reason]:
    silent = NodeStatus(node.id, node.hostname, node.last_report_at).silent_for(now)
    if silent is not None:
        yield reason(ReasonCode.NODE_UNREACHABLE, node=node.hostname, seconds=int(silent))
    if node.facts is not None:
        yield from (note for note in node.facts.notes if note.code not in _CALM)
    report = context.board.reports.get(node.id)
    if report is not None and report.disk_free is not None and report.disk_free < _LITTLE_DISK_BYTES:
        yield reason(ReasonCode.DISK_NEARLY_FULL, node=node.hostname, free=format_bytes(report.disk_free))


def _is_alive(node: NodeRow, now: float) -> bool:
    silent = NodeStatus(node.id, node.hostname, node.last_report_at).silent_for(now)
    return node.last_report_at is not None and silent is None
