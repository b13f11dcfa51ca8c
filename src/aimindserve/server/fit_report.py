"""The fit report on a model whose facts are known: decides as the reconcilers would, and changes nothing. Pure."""

from collections.abc import Sequence

from aimindserve.domain.explanations import sentence
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.fit_changes import Change, Choice
from aimindserve.domain.reasons import Language, Reason
from aimindserve.domain.rooms import DeviceSpace
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.domain.views import ReasonView
from aimindserve.domain.views_fit import AlternativeView, FitReport, NodeRefusalView, PlacedDeviceView, PlacementView
from aimindserve.server.errors import reason_view
from aimindserve.server.fit_trials import MENDABLE, Stage, changes_for, imagined, try_places
from aimindserve.server.plan_views import LEVELS, memory_views, parameter_views
from aimindserve.server.reconcile.planning import NodeRefusal, Placed, refusals

_MOST_REFUSALS = 100


def report(
    spec: DeploymentSpec, facts: ModelFacts, stage: Stage, language: Language, choices: Sequence[Choice] = ()
) -> FitReport:
    """The report. ``choices``: other forms of the model that could be offered."""
    refused = refusals(spec, facts, stage.nodes, stage.threads)
    trial = try_places(spec, facts, stage.fleet(), stage.threads, told=True)
    plan = trial.placed[0][0].plan if trial.placed else imagined(spec, facts, stage)
    reasons = refused or ((trial.refused,) if trial.refused else ())
    shown = () if refused else trial.placed
    places = tuple(_place_view(found, spaces, stage) for found, spaces in shown)
    changes = () if refused or plan is None else changes_for(spec, facts, stage, trial, plan, choices)
    demand = plan.demand if plan else None
    return FitReport(
        verdict="no" if refused else trial.verdict,
        engine=plan.engine if plan else None,
        engine_version=plan.install.version if plan and plan.install else None,
        architecture=facts.architecture,
        capabilities=facts.capabilities,
        context_length=facts.context_length,
        gpus=plan.gpus if plan else 0,
        memory=memory_views(plan.memory, language) if plan else (),
        memory_total=plan.memory.total if plan else 0,
        memory_high=demand.bytes if demand else 0,
        host_high=demand.host_bytes if demand else 0,
        certain=plan.memory.certain if plan else False,
        parameters=parameter_views(plan.parameters.parameters, language) if plan else (),
        placement=places[0] if places else None,
        placements=places,
        refusals=tuple(_refusal_view(one, language) for one in trial.nodes[:_MOST_REFUSALS]),
        alternatives=tuple(_alternative_view(change, language) for change in changes),
        reasons=_views(reasons, language),
    )


def refused_for(found: FitReport, why: Reason | None, language: Language) -> FitReport:
    """The report with one more reason against it."""
    if why is None:
        return found
    reasons = (*found.reasons, reason_view(why, language))
    return found.model_copy(update={"verdict": "no", "reasons": reasons})


def wants_other_forms(found: FitReport) -> bool:
    """Whether other forms of the model are worth asking for: it lacks memory, or does not fit on the GPUs as a
    whole."""
    lacks = any(why.code in MENDABLE for why in found.reasons)
    return lacks or (found.placement is not None and found.placement.level != "whole")


def _views(reasons: Sequence[Reason], language: Language) -> tuple[ReasonView, ...]:
    return tuple(reason_view(why, language) for why in reasons)


def _place_view(found: Placed, spaces: Sequence[DeviceSpace], stage: Stage) -> PlacementView:
    known = {space.device.id: space for space in spaces}
    claims = found.assignment.claims
    devices = [_device_view(known[claim.device_id], claim.bytes) for claim in claims]
    count = max(found.plan.gpus, 1)
    first, host = devices[0], devices[count] if len(devices) > count else None
    hosts = {node.node_id: node.hostname for node in stage.nodes}
    return PlacementView(
        node_id=found.assignment.node_id,
        node=hosts[found.assignment.node_id],
        level=LEVELS[found.plan.demand.level],
        device_id=first.device_id,
        device=first.device,
        kind=first.kind,
        bytes=first.bytes,
        free=first.free,
        allocatable=first.allocatable,
        devices=tuple(devices[:count]),
        host=host,
    )


def _device_view(space: DeviceSpace, size: int) -> PlacedDeviceView:
    return PlacedDeviceView(
        device_id=space.device.id,
        device=space.device.name,
        kind=space.device.kind,
        bytes=size,
        before=space.claimed,
        after=space.claimed + size,
        foreign=space.foreign,
        free=space.free,
        allocatable=space.device.allocatable,
    )


def _refusal_view(one: NodeRefusal, language: Language) -> NodeRefusalView:
    why = reason_view(one.reason, language)
    return NodeRefusalView(node_id=one.node.node_id, node=one.node.hostname, reason=why)


def _alternative_view(change: Change, language: Language) -> AlternativeView:
    message = sentence(change.told, language)
    return AlternativeView(
        kind=change.kind, message=message, patch=change.patch, stop=change.stop, others=change.others
    )
