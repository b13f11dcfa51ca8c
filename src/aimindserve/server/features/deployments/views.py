"""Deployments and their replicas as answers. Phases are computed here, at the time of the request."""

from collections.abc import Sequence

from aimindserve.domain.lifecycle import Phase, Standing, allowed_actions
from aimindserve.domain.nodes import NodeFacts
from aimindserve.domain.offers import less, offer_for, worded
from aimindserve.domain.reasons import Language, Reason
from aimindserve.domain.relief import Relief, offered, told
from aimindserve.domain.replicas import Deployment, Replica, ReplicaObservation, Wanted
from aimindserve.domain.scaling import target_of
from aimindserve.domain.specs import EngineName
from aimindserve.domain.startup import Doing, StartTimes, seconds_left, usual_seconds
from aimindserve.domain.views import DeploymentView, OfferedChangeView, ReasonView, ReplicaView, UnderWayView
from aimindserve.server.errors import reason_view
from aimindserve.server.plan_views import plan_view
from aimindserve.server.reconcile.observe import World
from aimindserve.server.reconcile.planning import RunPlan, plan_of

_STARTING = (Phase.DOWNLOADING, Phase.PREPARING, Phase.STARTING)


def deployment_view(
    deployment: Deployment, world: World, now: float, threads: int | None, language: Language
) -> DeploymentView:
    """A deployment with everything that a page shows of it."""
    standing, replicas = world.standing(deployment, now)
    facts = deployment.facts
    plan = plan_for(deployment, world, threads)
    relief = deployment.relief if deployment.relief and deployment.relief.generation == deployment.generation else None
    return DeploymentView(
        id=deployment.id,
        name=deployment.spec.name,
        spec=deployment.spec,
        wanted=deployment.wanted,
        generation=deployment.generation,
        revision=deployment.revision,
        phase=standing.phase,
        reasons=_reasons((*standing.reasons, *((told(relief),) if relief else ())), language),
        replicas=tuple(
            _replica_view(replica, stands, deployment.spec.name, world, now, language) for replica, stands in replicas
        ),
        replicas_ready=sum(stands.phase is Phase.READY for _, stands in replicas),
        replicas_target=target_of(deployment.spec, deployment.scale) if deployment.wanted is Wanted.RUNNING else 0,
        load_seconds=deployment.scale.load_seconds if deployment.scale else None,
        allowed_actions=allowed_actions(deployment),
        capabilities=facts.capabilities if facts else (),
        architecture=facts.architecture if facts else None,
        quantization=facts.quantization if facts else None,
        context_length=facts.context_length if facts else None,
        plan=plan_view(plan, language) if plan else None,
        offer=_offer(deployment, standing, relief, _engine_of(deployment, plan), language),
        created_at=deployment.created_at,
        updated_at=deployment.updated_at,
    )


def _engine_of(deployment: Deployment, plan: RunPlan | None) -> EngineName:
    """The engine that runs it, or would; what has no plan yet is refused by vLLM's table of versions."""
    wanted = deployment.spec.engine
    return plan.engine if plan is not None else "vllm" if wanted == "auto" else wanted


def _offer(
    deployment: Deployment, standing: Standing, relief: Relief | None, engine: EngineName, language: Language
) -> OfferedChangeView | None:
    """The change that the first reason with one suggests. What was decided about too little memory comes first."""
    if standing.phase not in (Phase.FAILED, Phase.PENDING):
        return None
    spec = deployment.spec
    parameters = offered(relief, spec, engine) if relief else None
    found = (offer for why in standing.reasons if (offer := offer_for(why, spec, engine)) is not None)
    offer = less(parameters) if parameters else next(found, None)
    return (
        OfferedChangeView(kind=offer.kind, message=worded(offer, language), patch=dict(offer.patch)) if offer else None
    )


def _reasons(reasons: tuple[Reason, ...], language: Language) -> tuple[ReasonView, ...]:
    return tuple(reason_view(why, language) for why in reasons)


def _replica_view(
    replica: Replica, standing: Standing, deployment: str, world: World, now: float, language: Language
) -> ReplicaView:
    seen = replica.observation or ReplicaObservation.model_construct(attempt=0)
    node_id = replica.assignment.node_id if replica.assignment else None
    status = world.statuses.get(node_id) if node_id else None
    return ReplicaView(
        id=replica.id,
        deployment=deployment,
        generation=replica.generation,
        node_id=node_id,
        node=status.hostname if status else None,
        phase=standing.phase,
        reasons=_reasons(standing.reasons, language),
        attempt=seen.attempt,
        restarts=seen.restarts,
        pid=seen.pid,
        download=seen.download,
        created_at=replica.created_at,
        ready_since=seen.ready_since,
        retry_at=seen.retry_at,
        timeline=seen.timeline,
        under_way=_under_way(seen.doing, world.starts.get(replica.id, ()), now)
        if standing.phase in _STARTING
        else None,
        sight=seen.sight,
        evidence=seen.evidence if standing.phase is Phase.FAILED else (),
        claims=replica.assignment.claims if replica.assignment else (),
    )


def _under_way(doing: Doing | None, starts: Sequence[StartTimes], now: float) -> UnderWayView | None:
    if doing is None or not doing.stage:
        return None
    return UnderWayView(
        stage=doing.stage,
        seconds=max(now - doing.since, 0.0),
        share=doing.share,
        usual_seconds=usual_seconds(starts, doing.stage),
        seconds_left=seconds_left(starts, doing, now),
    )


def plan_for(deployment: Deployment, world: World, threads: int | None) -> RunPlan | None:
    """How the newest placed replica runs, or how one would run on the first node."""
    if deployment.facts is None:
        return None
    replicas = world.replicas_of(deployment.id)
    placed = [replica for replica in replicas if replica.assignment and replica.generation == deployment.generation]
    newest = placed[-1] if placed else None
    assignment, node = newest.assignment if newest else None, _node(world, newest)
    plan = plan_of(deployment.spec, deployment.facts, assignment, node, threads, world.learned(deployment))
    return None if isinstance(plan, Reason) else plan


def _node(world: World, replica: Replica | None) -> NodeFacts | None:
    wanted = replica.assignment.node_id if replica and replica.assignment else None
    return next((node.facts for node in world.nodes if wanted in (None, node.id)), None)
