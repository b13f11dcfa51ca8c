"""The fit report on a model whose facts are known: decides as the reconcilers would, and changes nothing. Pure."""

from collections.abc import Sequence

from aimindserve.domain.explanations import sentence
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.fit_changes import Change, Choice
from aimindserve.domain.nodes import CPU_DEVICE_ID
from aimindserve.domain.placement import Level
from aimindserve.domain.reasons import Language, Reason, ReasonCode, reason
from aimindserve.domain.rooms import DeviceSpace
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.domain.views import ReasonView
from aimindserve.domain.views_fit import (
    AlternativeView,
    FitReport,
    NodeRefusalView,
    PlacedDeviceView,
    PlacementView,
    TenantView,
)
from aimindserve.engines._registry import ENGINES
from aimindserve.engines.chat_templates import lacks_template
from aimindserve.server.errors import reason_view
from aimindserve.server.fit_trials import MENDABLE, Stage, changes_for, nearest, try_places, unplaced
from aimindserve.server.plan_views import LEVELS, device_views, memory_views, parameter_views
from aimindserve.server.reconcile.place_search import Imagined, NodeRefusal, Placed
from aimindserve.server.reconcile.planning import RunPlan, refusals

_MOST_REFUSALS = 100


def report(
    spec: DeploymentSpec, facts: ModelFacts, stage: Stage, language: Language, choices: Sequence[Choice] = ()
) -> FitReport:
    """The report. ``choices``: other forms of the model that could be offered."""
    refused = refusals(spec, facts, stage.nodes, stage.threads)
    fleet = stage.fleet()
    trial = try_places(spec, facts, fleet, stage.threads, told=True, learned=stage.learned)
    near = nearest(spec, facts, fleet, stage) if trial.refused else None
    plan = trial.placed[0][0].plan if trial.placed else near.plan if near else unplaced(spec, facts, stage)
    reasons = refused or ((trial.refused,) if trial.refused else ())
    shown = () if refused else trial.placed
    places = tuple(_place_view(found, spaces, stage, language) for found, spaces in shown)
    hopeless = plan is None or any(why.code not in MENDABLE for why in refused)
    changes = () if hopeless or plan is None else changes_for(spec, facts, stage, trial, plan, choices)
    demand = plan.demand if plan else None
    return FitReport(
        verdict="no" if refused else trial.verdict,
        engine=plan.engine if plan else None,
        engine_version=plan.install.version if plan and plan.install else None,
        engine_why=_why_engine(spec, facts, plan, language) if plan else None,
        architecture=facts.architecture,
        capabilities=facts.capabilities,
        context_length=facts.context_length,
        gpus=plan.gpus if plan else 0,
        memory=memory_views(plan.memory, language) if plan else (),
        memory_total=plan.memory.total if plan else 0,
        memory_high=demand.bytes if demand else 0,
        host_high=demand.host_bytes if demand else 0,
        certain=plan.memory.certain if plan else False,
        parameters=parameter_views(plan.parameters.parameters, plan.engine, language) if plan else (),
        placement=places[0] if places else None,
        placements=places,
        nearest=_near_view(near, stage, language) if near else None,
        refusals=tuple(_refusal_view(one, language) for one in trial.nodes[:_MOST_REFUSALS]),
        alternatives=tuple(_alternative_view(change, language) for change in changes),
        reasons=_views(reasons, language),
        notes=_views(_notes(facts, plan) if places and plan else (), language),
    )


def _why_engine(spec: DeploymentSpec, facts: ModelFacts, plan: RunPlan, language: Language) -> str | None:
    if plan.install is None:
        return None
    why = ENGINES[plan.engine].why_install(facts, plan.install, spec.engine_version)
    return sentence(why, language) if why else None


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


def _notes(facts: ModelFacts, plan: RunPlan) -> tuple[Reason, ...]:
    """That the CPU is used, wholly or in part: nobody should learn that from slow answers. And that conversations will
    be refused."""
    level = plan.demand.level
    found: list[Reason] = []
    if level is Level.CPU:
        found.append(reason(ReasonCode.ON_CPU))
    if level is Level.PARTLY:
        layers = plan.parameters.value("--n-gpu-layers") or ""
        found.append(reason(ReasonCode.PARTLY_ON_CPU, layers=layers, all=(facts.layers or 0) + 1))
    if plan.engine == "vllm" and lacks_template(facts):
        found.append(reason(ReasonCode.NO_CHAT_TEMPLATE))
    return tuple(found)


def _views(reasons: Sequence[Reason], language: Language) -> tuple[ReasonView, ...]:
    return tuple(reason_view(why, language) for why in reasons)


def _place_view(found: Placed, spaces: Sequence[DeviceSpace], stage: Stage, language: Language) -> PlacementView:
    known = {space.device.id: space for space in spaces}
    devices = [_device_view(known[claim.device_id], claim.bytes, stage) for claim in found.assignment.claims]
    devices = _with_items(devices, found.plan, language)
    return _placement_view(found.plan, found.assignment.node_id, devices, stage)


def _near_view(near: Imagined, stage: Stage, language: Language) -> PlacementView:
    demand, row = near.plan.demand, near.row
    spaces = row.spaces[: max(near.plan.gpus, 1)]
    devices = [_device_view(space, demand.on(at), stage) for at, space in enumerate(spaces)]
    devices = _with_items(devices, near.plan, language)
    if demand.host_bytes and row.host is not None:
        devices.append(_device_view(row.host, demand.host_bytes, stage))
    return _placement_view(near.plan, row.node_id, devices, stage)


def _with_items(devices: list[PlacedDeviceView], plan: RunPlan, language: Language) -> list[PlacedDeviceView]:
    """The devices with their own items, where these differ."""
    each = [device_views(items, language) for items in plan.memory.each]
    found = [device.model_copy(update={"memory": items}) for device, items in zip(devices, each, strict=False)]
    return [*found, *devices[len(found) :]]


def _placement_view(plan: RunPlan, node_id: str, devices: list[PlacedDeviceView], stage: Stage) -> PlacementView:
    """``devices``: the one or more of the plan, then perhaps the machine's memory beside GPUs."""
    beside = bool(plan.gpus) and devices[-1].device_id == CPU_DEVICE_ID
    hosts = {node.node_id: node.hostname for node in stage.nodes}
    first = devices[0]
    return PlacementView(
        node_id=node_id,
        node=hosts[node_id],
        level=LEVELS[plan.demand.level],
        device_id=first.device_id,
        device=first.device,
        kind=first.kind,
        bytes=first.bytes,
        free=first.free,
        allocatable=first.allocatable,
        devices=tuple(devices[:-1] if beside else devices),
        host=devices[-1] if beside else None,
    )


def _device_view(space: DeviceSpace, size: int, stage: Stage) -> PlacedDeviceView:
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
        index=space.device.index,
        tenants=_tenants(space, stage),
    )


def _tenants(space: DeviceSpace, stage: Stage) -> tuple[TenantView, ...]:
    """Who claims memory on a device, the most first."""
    held: dict[str, int] = {}
    for replica in stage.replicas:
        if replica.assignment is not None and replica.assignment.node_id == space.node_id:
            size = sum(claim.bytes for claim in replica.assignment.claims if claim.device_id == space.device.id)
            name = stage.names.get(replica.deployment_id, replica.deployment_id)
            held[name] = held.get(name, 0) + size
    ordered = sorted(held.items(), key=lambda item: (-item[1], item[0]))
    return tuple(TenantView(deployment=name, bytes=size) for name, size in ordered if size)


def _refusal_view(one: NodeRefusal, language: Language) -> NodeRefusalView:
    why = reason_view(one.reason, language)
    return NodeRefusalView(node_id=one.node.node_id, node=one.node.hostname, reason=why)


def _alternative_view(change: Change, language: Language) -> AlternativeView:
    message = sentence(change.told, language)
    return AlternativeView(
        kind=change.kind, message=message, patch=change.patch, stop=change.stop, others=change.others
    )
