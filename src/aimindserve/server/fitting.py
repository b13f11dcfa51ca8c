"""The machines and what runs on them, for the fit preview and for the marks in a hub's list of files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.fit_changes import Tenant
from aimindserve.domain.placement import Level
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.domain.replicas import Replica
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.domain.views_hub import FitMark
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import UsageRow
from aimindserve.server.fit_trials import Stage, Verdict, verdict_of
from aimindserve.server.reconcile.observe import World, look
from aimindserve.server.reconcile.place_search import Demands, locate
from aimindserve.server.reconcile.placement import live_nodes
from aimindserve.server.reconcile.planning import refusals

# Reasons that more memory would mend, and those that a program would.
_TOO_SMALL = frozenset(
    {
        ReasonCode.CACHE_TOO_SMALL,
        ReasonCode.GPUS_TOO_FEW,
        ReasonCode.HOST_MEMORY_INSUFFICIENT,
        ReasonCode.MEMORY_INSUFFICIENT,
    }
)
_NO_PROGRAM = frozenset(
    {ReasonCode.ARCHITECTURE_DROPPED, ReasonCode.ENGINE_NOT_INSTALLED, ReasonCode.ENGINE_PROGRAM_MISSING}
)


@dataclass(frozen=True, slots=True)
class Mark:
    """Whether a spec fits, or why not. Where it fits: ``claimed`` bytes on each device, how many GPUs these are (0: the
    CPU), and whether all of it lies there."""

    verdict: Verdict
    why: Reason | None = None
    claimed: int | None = None
    gpus: int = 0
    level: Level | None = None

    @property
    def fit(self) -> FitMark:
        """The verdict, with what is missing where that is no memory."""
        if self.verdict != "no" or self.why is None or self.why.code in _TOO_SMALL:
            return self.verdict
        return "engine" if self.why.code in _NO_PROGRAM else "unsupported"


async def stage_now(context: ServerContext, name: str | None = None, *, with_tenants: bool = False) -> Stage:
    """The machines that answer, with all that runs there. Replicas of the deployment ``name`` do not count: a new spec
    would replace them. ``with_tenants``: also who could make room, for the changes that a report offers."""
    async with context.database.read() as session:
        world = await look(session)
        others = _others(world, name)
        names = {deployment.id: deployment.spec.name for deployment in world.deployments}
        running = {one.deployment_id for one in others if one.assignment is not None} if with_tenants else set[str]()
        used = await _last_uses(session, {one: names[one] for one in running if one in names})
    return Stage(
        nodes=live_nodes(world, context.clock()),
        replicas=others,
        threads=context.settings.llama_threads,
        tenants=_tenants(others, names, used) if with_tenants else (),
        names=names,
        learned=world.learned(next((one for one in world.deployments if one.spec.name == name), None)),
    )


async def _last_uses(session: AsyncSession, names: Mapping[str, str]) -> dict[str, float]:
    """When each deployment (names by id) was last asked something, by its id. One step into an index for each: the
    table has a row for every request ever."""
    found: dict[str, float] = {}
    for deployment_id, name in names.items():
        mine = select(UsageRow.started_at).where(UsageRow.model == name, UsageRow.deployment_id == deployment_id)
        at = await session.scalar(mine.order_by(UsageRow.started_at.desc()).limit(1))
        if at is not None:
            found[deployment_id] = at
    return found


def _others(world: World, name: str | None) -> list[Replica]:
    same = {deployment.id for deployment in world.deployments if deployment.spec.name == name}
    return [replica for replica in world.replicas if replica.deployment_id not in same]


def _tenants(replicas: Sequence[Replica], names: dict[str, str], used: dict[str, float]) -> tuple[Tenant, ...]:
    claimed: dict[str, int] = {}
    for replica in replicas:
        if replica.assignment is not None and not replica.stopping:
            size = sum(claim.bytes for claim in replica.assignment.claims)
            claimed[replica.deployment_id] = claimed.get(replica.deployment_id, 0) + size
    return tuple(Tenant(names[one], size, used.get(one)) for one, size in claimed.items() if one in names)


def mark(spec: DeploymentSpec, facts: ModelFacts, stage: Stage, demands: Demands | None = None) -> Mark:
    """Whether one replica of ``spec`` would find a place now. ``demands``: what is known from earlier looks."""
    found = locate(spec, facts, stage.seen, stage.threads, demands, stage.learned)
    if not isinstance(found, Reason):
        level = found.demand.level
        return Mark("fits", None, found.demand.bytes, 0 if level is Level.CPU else found.cell.count, level)
    refused = refusals(spec, facts, stage.nodes, stage.threads)
    return Mark("no", refused[0]) if refused else Mark(verdict_of(found), found)
