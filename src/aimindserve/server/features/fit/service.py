"""The fit preview: reads the model's header, decides as the reconcilers would, and changes nothing."""

from collections.abc import Sequence

from aimindserve.domain.explanations import Why, explained, sentence
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.nodes import NodeFacts
from aimindserve.domain.reasons import Language, Reason, ReasonCode
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.domain.views import AlternativeView, FitReport, PlacementView, ReasonView
from aimindserve.engines._registry import choose_engine
from aimindserve.server.context import ServerContext
from aimindserve.server.errors import reason_view
from aimindserve.server.fitting import Stage, stage_now, verdict_of
from aimindserve.server.model_facts import read_facts, unconfirmed_code
from aimindserve.server.plan_views import memory_views, parameter_views
from aimindserve.server.reconcile.planning import Placed, RunPlan, find_place, program_on, refusals, run_plan, spaces_of

_CONTEXT_FLAGS = ("--ctx-size", "-c")
_CONTEXTS = (32768, 16384, 8192, 4096, 2048, 1024)


async def preview(
    context: ServerContext, spec: DeploymentSpec, fleet: Sequence[NodeFacts] | None, language: Language
) -> FitReport:
    """What deploying ``spec`` would mean on the machines that are there, or on an imagined ``fleet``."""
    facts = await read_facts(context, spec)
    if isinstance(facts, Reason):
        return FitReport(verdict="no", reasons=(reason_view(facts, language),))
    if fleet is not None:
        stage = Stage(fleet, (), context.settings.llama_threads)
    else:
        stage = await stage_now(context, spec.name)
    found = report(spec, facts, stage, language)
    unconfirmed = await unconfirmed_code(context, facts)
    if unconfirmed is None:
        return found
    reasons = (*found.reasons, reason_view(unconfirmed, language))
    return found.model_copy(update={"verdict": "no", "reasons": reasons})


def report(spec: DeploymentSpec, facts: ModelFacts, stage: Stage, language: Language) -> FitReport:
    """The report on a model whose facts are known."""
    refused = refusals(spec, facts, stage.nodes, stage.threads)
    found = find_place(spec, facts, stage.nodes, stage.replicas, stage.threads)
    plan = found.plan if isinstance(found, Placed) else _imagined(spec, facts, stage)
    reasons = refused if refused or isinstance(found, Placed) else (found,)
    return FitReport(
        verdict=verdict_of(refused, found),
        engine=plan.engine if plan else None,
        engine_version=plan.install.version if plan and plan.install else None,
        architecture=facts.architecture,
        capabilities=facts.capabilities,
        context_length=facts.context_length,
        memory=memory_views(plan.memory, language) if plan else (),
        memory_total=plan.memory.total if plan else 0,
        parameters=parameter_views(plan.parameters.parameters, language) if plan else (),
        placement=_placement(found, stage) if isinstance(found, Placed) and not refused else None,
        alternatives=() if refused or isinstance(found, Placed) else _alternatives(spec, facts, stage, found, language),
        reasons=_views(reasons, language),
    )


def _views(reasons: Sequence[Reason], language: Language) -> tuple[ReasonView, ...]:
    return tuple(reason_view(why, language) for why in reasons)


def _imagined(spec: DeploymentSpec, facts: ModelFacts, stage: Stage) -> RunPlan | None:
    """How it would run on the first machine if there were room."""
    engine = choose_engine(spec.engine, facts)
    if isinstance(engine, Reason):
        return None
    node = next(iter(stage.nodes), None)
    return run_plan(spec, facts, program_on(engine, spec.engine_version, node), node, stage.threads, gpu=False)


def _placement(found: Placed, stage: Stage) -> PlacementView | None:
    claim = found.assignment.claims[0]
    hosts = {node.node_id: node.hostname for node in stage.nodes}
    for space in spaces_of(stage.nodes, stage.replicas):
        if (space.node_id, space.device.id) == (found.assignment.node_id, claim.device_id):
            return PlacementView(
                node_id=space.node_id,
                node=hosts[space.node_id],
                device_id=space.device.id,
                device=space.device.name,
                kind=space.device.kind,
                bytes=claim.bytes,
                free=space.free,
                allocatable=space.device.allocatable,
            )
    return None


def _alternatives(
    spec: DeploymentSpec, facts: ModelFacts, stage: Stage, refused: Reason, language: Language
) -> tuple[AlternativeView, ...]:
    """The longest context with which it fits now, if one does."""
    if refused.code not in (ReasonCode.MEMORY_INSUFFICIENT, ReasonCode.MEMORY_CLAIMED):
        return ()
    trained = facts.context_length or _CONTEXTS[0]
    for tokens in (tokens for tokens in _CONTEXTS if tokens <= trained):
        parameters = (*_without_context(spec.parameters), f"--ctx-size={tokens}")
        shorter = spec.model_copy(update={"parameters": parameters})
        if isinstance(find_place(shorter, facts, stage.nodes, stage.replicas, stage.threads), Placed):
            message = sentence(explained(Why.ALTERNATIVE_CONTEXT, tokens=tokens), language)
            return (AlternativeView(message=message, patch={"parameters": list(parameters)}),)
    return ()


def _without_context(parameters: Sequence[str]) -> list[str]:
    """The parameters without a context size, given as ``--ctx-size=N`` or as two items."""
    kept: list[str] = []
    skip = False
    for parameter in parameters:
        if skip:
            skip = False
        elif parameter in _CONTEXT_FLAGS:
            skip = True
        elif parameter.partition("=")[0] not in _CONTEXT_FLAGS:
            kept.append(parameter)
    return kept
