"""The fit report on a model whose facts are known: decides as the reconcilers would, and changes nothing. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from aimindserve.domain.cards import CARDS, Card, machine_with
from aimindserve.domain.explanations import sentence
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.fit_changes import Case, Change, Choice, Tenant, find_changes
from aimindserve.domain.nodes import EngineInstall, NodeFacts
from aimindserve.domain.placement import Level
from aimindserve.domain.reasons import Language, Reason, ReasonCode
from aimindserve.domain.replicas import Replica
from aimindserve.domain.rooms import DeviceSpace, Fleet, fleet_of
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.domain.views import ReasonView
from aimindserve.domain.views_fit import AlternativeView, FitReport, NodeRefusalView, PlacedDeviceView, PlacementView
from aimindserve.engines._registry import choose_engine
from aimindserve.server.errors import reason_view
from aimindserve.server.plan_views import memory_views, parameter_views
from aimindserve.server.reconcile.planning import NodeRefusal, Placed, PlaceSearch, RunPlan, plan_of, refusals

Verdict = Literal["fits", "waits", "no"]
# Reasons that end by themselves or when somebody makes room.
_WAITS = frozenset({ReasonCode.MEMORY_CLAIMED, ReasonCode.MEMORY_IN_USE})
# Reasons against which changes of the spec may help.
_MENDABLE = _WAITS | {ReasonCode.MEMORY_INSUFFICIENT, ReasonCode.HOST_MEMORY_INSUFFICIENT, ReasonCode.NODE_UNKNOWN}
_MOST_REFUSALS = 100
_LEVELS: dict[Level, Literal["whole", "partly", "cpu"]] = {
    Level.WHOLE: "whole",
    Level.PARTLY: "partly",
    Level.CPU: "cpu",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a spec is tried: machines, what runs on them already, and the threads that are set. ``tenants``: the
    deployments of those replicas; ``names``: theirs by id."""

    nodes: Sequence[NodeFacts]
    replicas: Sequence[Replica] = ()
    threads: int | None = None
    tenants: tuple[Tenant, ...] = ()
    names: dict[str, str] = field(default_factory=dict[str, str])

    def fleet(self, gone: frozenset[str] = frozenset()) -> Fleet:
        """The machines with what runs there but for ``gone`` deployments."""
        staying = [one for one in self.replicas if self.names.get(one.deployment_id) not in gone]
        return fleet_of(self.nodes, staying)


@dataclass(frozen=True, slots=True)
class Trial:
    """Replicas of a spec that found places, with the spaces as each found them, and why the next one did not."""

    placed: tuple[tuple[Placed, tuple[DeviceSpace, ...]], ...]
    refused: Reason | None = None
    nodes: tuple[NodeRefusal, ...] = ()

    @property
    def level(self) -> Level:
        """The worst place that one got."""
        return max((one.plan.demand.level for one, _ in self.placed), default=Level.CPU)

    @property
    def verdict(self) -> Verdict:
        """In one word."""
        if self.refused is None:
            return "fits"
        return "waits" if self.refused.code in _WAITS else "no"


def try_places(
    spec: DeploymentSpec, facts: ModelFacts, fleet: Fleet, threads: int | None, *, told: bool = False
) -> Trial:
    """Places for all replicas of ``spec`` (one for a spec that wants none) one after the other; they are booked in
    ``fleet``. ``told``: with what each machine says that has no place for the first, or for the next one."""
    engine = choose_engine(spec.engine, facts)
    if isinstance(engine, Reason):
        return Trial((), engine)
    placed: list[tuple[Placed, tuple[DeviceSpace, ...]]] = []
    siblings: dict[str, int] = {}
    search = PlaceSearch(spec, facts, engine, fleet, threads, siblings)
    nodes = search.refusals() if told else ()
    while len(placed) < max(spec.replicas, 1):
        found = search.find()
        if isinstance(found, Reason):
            return Trial(tuple(placed), found, search.refusals() if told else ())
        node_id = found.assignment.node_id
        placed.append((found, fleet.spaces[node_id]))
        fleet.book(found.assignment)
        siblings[node_id] = siblings.get(node_id, 0) + 1
        search = PlaceSearch(spec, facts, engine, fleet, threads, siblings, search.demands)
    return Trial(tuple(placed), None, nodes)


def report(
    spec: DeploymentSpec, facts: ModelFacts, stage: Stage, language: Language, choices: Sequence[Choice] = ()
) -> FitReport:
    """The report. ``choices``: other forms of the model that could be offered."""
    refused = refusals(spec, facts, stage.nodes, stage.threads)
    trial = try_places(spec, facts, stage.fleet(), stage.threads, told=True)
    plan = trial.placed[0][0].plan if trial.placed else _imagined(spec, facts, stage)
    reasons = refused or ((trial.refused,) if trial.refused else ())
    shown = () if refused else trial.placed
    places = tuple(_place_view(found, spaces, stage) for found, spaces in shown)
    changes = () if refused or plan is None else _changes(spec, facts, stage, trial, plan, choices)
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
    lacks = any(why.code in _MENDABLE for why in found.reasons)
    return lacks or (found.placement is not None and found.placement.level != "whole")


def _views(reasons: Sequence[Reason], language: Language) -> tuple[ReasonView, ...]:
    return tuple(reason_view(why, language) for why in reasons)


def _imagined(spec: DeploymentSpec, facts: ModelFacts, stage: Stage) -> RunPlan | None:
    """What was tried last on the machine that came nearest: the first one, on its best device, taking what it likes."""
    engine = choose_engine(spec.engine, facts)
    if isinstance(engine, Reason):
        return None
    search = PlaceSearch(spec, facts, engine, stage.fleet(), stage.threads)
    plan = search.imagined()
    if plan is not None:
        return plan
    found = plan_of(spec, facts, None, next(iter(stage.nodes), None), stage.threads)
    return None if isinstance(found, Reason) else found


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
        level=_LEVELS[found.plan.demand.level],
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
    return AlternativeView(kind=change.kind, message=message, patch=change.patch, stop=change.stop)


def _changes(
    spec: DeploymentSpec, facts: ModelFacts, stage: Stage, trial: Trial, plan: RunPlan, choices: Sequence[Choice]
) -> tuple[Change, ...]:
    """Changes with which all replicas find places; where they do, but not wholly on the GPUs that are there, changes
    with which they would."""
    if trial.refused is not None and trial.refused.code not in _MENDABLE:
        return ()
    if trial.refused is None and (trial.level is Level.WHOLE or not _uses_gpus(spec, facts, stage)):
        return ()
    worst = Level.CPU if trial.refused is not None else Level.WHOLE
    fleet = stage.fleet()

    def fits(spec: DeploymentSpec, facts: ModelFacts, gone: frozenset[str] = frozenset()) -> bool:
        found = try_places(spec, facts, stage.fleet(gone) if gone else fleet.copy(), stage.threads)
        return found.refused is None and found.level <= worst

    def card(tried: DeploymentSpec, tried_facts: ModelFacts) -> str | None:
        return _smallest_card(tried, tried_facts, stage.threads, plan.install)

    case = Case(spec, facts, plan.engine, plan.parameters.parameters, fits, tuple(choices), stage.tenants, card)
    return find_changes(case)


def _uses_gpus(spec: DeploymentSpec, facts: ModelFacts, stage: Stage) -> bool:
    """Whether there is a GPU that the engine can use."""
    plan = _imagined(spec, facts, stage)
    return plan is not None and plan.gpus > 0


def _smallest_card(
    spec: DeploymentSpec, facts: ModelFacts, threads: int | None, install: EngineInstall | None
) -> str | None:
    """The smallest card on which one replica fits as it is; None when there is none."""
    if install is None:
        return None
    one = spec.model_copy(update={"replicas": 1, "placement": type(spec.placement)()})

    def fits(card: Card) -> bool:
        fleet = fleet_of([machine_with([(card, 1)], (install,))], ())
        found = try_places(one, facts, fleet, threads)
        return found.refused is None and found.level is Level.WHOLE

    cards = sorted(CARDS.values(), key=lambda card: card.memory)
    at = bisect_left(cards, 1, key=lambda card: int(fits(card)))
    return cards[at].name if at < len(cards) and fits(cards[at]) else None
