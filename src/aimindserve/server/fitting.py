"""Where a spec would run now: shared by the fit preview and by the marks in a hub's list of files."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.nodes import NodeFacts
from aimindserve.domain.reasons import Language, Reason, ReasonCode
from aimindserve.domain.replicas import Replica
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.server.context import ServerContext
from aimindserve.server.errors import reason_view
from aimindserve.server.reconcile.observe import World, look
from aimindserve.server.reconcile.placement import live_nodes
from aimindserve.server.reconcile.planning import Placed, find_place, refusals

Verdict = Literal["fits", "waits", "no"]


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a spec is tried: machines, what runs on them already, and the threads that are set."""

    nodes: Sequence[NodeFacts]
    replicas: Sequence[Replica]
    threads: int | None


@dataclass(frozen=True, slots=True)
class Mark:
    """Whether a spec fits; why not, in words; the bytes that it would take where it fits."""

    verdict: Verdict
    message: str = ""
    memory_total: int | None = None


async def stage_now(context: ServerContext, name: str | None = None) -> Stage:
    """The machines that answer, with all that runs there. Replicas of the deployment ``name`` do not count: a new spec
    would replace them."""
    async with context.database.read() as session:
        world = await look(session)
    return Stage(live_nodes(world, context.clock()), _others(world, name), context.settings.llama_threads)


def _others(world: World, name: str | None) -> list[Replica]:
    same = {deployment.id for deployment in world.deployments if deployment.spec.name == name}
    return [replica for replica in world.replicas if replica.deployment_id not in same]


def verdict_of(refused: Sequence[Reason], found: Placed | Reason) -> Verdict:
    """In one word."""
    if refused:
        return "no"
    if isinstance(found, Placed):
        return "fits"
    return "waits" if found.code is ReasonCode.MEMORY_CLAIMED else "no"


def mark(spec: DeploymentSpec, facts: ModelFacts, stage: Stage, language: Language) -> Mark:
    """Whether one replica of ``spec`` would find a place now."""
    refused = refusals(spec, facts, stage.nodes, stage.threads)
    found = find_place(spec, facts, stage.nodes, stage.replicas, stage.threads)
    verdict = verdict_of(refused, found)
    if isinstance(found, Placed) and not refused:
        return Mark(verdict, memory_total=found.plan.memory.total)
    why = refused[0] if refused else found
    return Mark(verdict, reason_view(why, language).message if isinstance(why, Reason) else "")
