"""Trying where a spec would find places, and with which changes it would. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from aimindserve.domain.cards import CARDS, Card, machine_with
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.fit_changes import Case, Change, Choice, Tenant, find_changes
from aimindserve.domain.lessons import NOTHING_LEARNED, Learned
from aimindserve.domain.memory_search import most
from aimindserve.domain.nodes import EngineInstall, NodeFacts
from aimindserve.domain.placement import Level
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.domain.replicas import Replica, by_worth
from aimindserve.domain.rooms import DeviceSpace, Fleet, fleet_of, given_back
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.engines._registry import choose_engine
from aimindserve.server.fit_squeeze import least_of, pinned
from aimindserve.server.reconcile.place_search import Imagined, NodeRefusal, Placed, PlaceSearch
from aimindserve.server.reconcile.planning import RunPlan, plan_of, program_on

Verdict = Literal["fits", "waits", "no"]
# Reasons that end by themselves or when somebody makes room.
_WAITS = frozenset({ReasonCode.MEMORY_CLAIMED, ReasonCode.MEMORY_IN_USE, ReasonCode.NODE_DRAINED})
# Reasons against which changes of the spec may help.
MENDABLE = _WAITS | {
    ReasonCode.MEMORY_INSUFFICIENT,
    ReasonCode.HOST_MEMORY_INSUFFICIENT,
    ReasonCode.NODE_UNKNOWN,
    ReasonCode.CONTEXT_TOO_LONG,
    ReasonCode.DEVICE_TOO_OLD,
    ReasonCode.CPU_NOT_WISHED,
}


def verdict_of(refused: Reason) -> Verdict:
    """What a refusal means in one word."""
    return "waits" if refused.code in _WAITS else "no"


@dataclass(frozen=True)
class Stage:
    """Where a spec is tried: machines, what runs on them already, and the threads that are set. ``tenants``: the
    deployments of those replicas; ``names``: theirs by id; ``learned``: by earlier starts, those of the spec's own
    deployment included."""

    nodes: Sequence[NodeFacts]
    replicas: Sequence[Replica] = ()
    threads: int | None = None
    tenants: tuple[Tenant, ...] = ()
    names: dict[str, str] = field(default_factory=dict[str, str])
    learned: Learned = NOTHING_LEARNED

    def fleet(self, gone: frozenset[str] = frozenset()) -> Fleet:
        """The machines with what runs there but for ``gone`` deployments; whoever asks may book in it."""
        if not gone:
            return self.seen.copy()
        leaving = [one for one in self.replicas if self.names.get(one.deployment_id) in gone]
        staying = [one for one in self.replicas if one not in leaving]
        return fleet_of(given_back(self.nodes, leaving), staying)

    def replicas_of(self, name: str) -> list[Replica]:
        """The replicas of a deployment."""
        return [one for one in self.replicas if self.names.get(one.deployment_id) == name]

    @cached_property
    def seen(self) -> Fleet:
        """The machines with all that runs there; nobody books in it."""
        return fleet_of(self.nodes, self.replicas)


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
        return "fits" if self.refused is None else verdict_of(self.refused)


def try_places(
    spec: DeploymentSpec,
    facts: ModelFacts,
    fleet: Fleet,
    threads: int | None,
    *,
    told: bool = False,
    learned: Learned = NOTHING_LEARNED,
) -> Trial:
    """Places for all replicas of ``spec`` (one for a spec that wants none) one after the other; they are booked in
    ``fleet``. ``told``: with what each machine says that has no place for the first, or for the next one."""
    engine = choose_engine(spec.engine, facts)
    if isinstance(engine, Reason):
        return Trial((), engine)
    placed: list[tuple[Placed, tuple[DeviceSpace, ...]]] = []
    siblings: dict[str, int] = {}
    search = PlaceSearch(spec, facts, engine, fleet, threads, siblings, learned=learned)
    nodes = search.refusals() if told else ()
    while len(placed) < max(spec.replicas, 1):
        found = search.find()
        if isinstance(found, Reason):
            return Trial(tuple(placed), found, search.refusals() if told else ())
        node_id = found.assignment.node_id
        placed.append((found, fleet.spaces[node_id]))
        fleet.book(found.assignment)
        siblings[node_id] = siblings.get(node_id, 0) + 1
        search = PlaceSearch(spec, facts, engine, fleet, threads, siblings, search.demands, learned)
    return Trial(tuple(placed), None, nodes)


def imagined(spec: DeploymentSpec, facts: ModelFacts, stage: Stage) -> Imagined | None:
    """How one replica would run on an empty device; None where the engine could use none."""
    search = _search(spec, facts, stage.seen, stage)
    return search.imagined() if search else None


def nearest(spec: DeploymentSpec, facts: ModelFacts, fleet: Fleet, stage: Stage) -> Imagined | None:
    """How and where one more replica comes nearest to a place; None where the engine could use no device."""
    search = _search(spec, facts, fleet, stage)
    return search.nearest() if search else None


def _search(spec: DeploymentSpec, facts: ModelFacts, fleet: Fleet, stage: Stage) -> PlaceSearch | None:
    engine = choose_engine(spec.engine, facts)
    if isinstance(engine, Reason):
        return None
    return PlaceSearch(spec, facts, engine, fleet, stage.threads, learned=stage.learned)


def unplaced(spec: DeploymentSpec, facts: ModelFacts, stage: Stage) -> RunPlan | None:
    """How it would run on the first machine's CPU, where no device can be used as things are."""
    found = plan_of(spec, facts, None, next(iter(stage.nodes), None), stage.threads, stage.learned)
    return None if isinstance(found, Reason) else found


def changes_for(
    spec: DeploymentSpec, facts: ModelFacts, stage: Stage, trial: Trial, plan: RunPlan, choices: Sequence[Choice]
) -> tuple[Change, ...]:
    """Changes with which all replicas find places; where they do, but not wholly on the GPUs that are there, changes
    with which they would."""
    if trial.refused is not None and trial.refused.code not in MENDABLE:
        return ()
    if trial.refused is None and (trial.level is Level.WHOLE or not _uses_gpus(spec, facts, stage)):
        return ()
    worst = Level.CPU if trial.refused is not None else Level.WHOLE

    def fits(spec: DeploymentSpec, facts: ModelFacts, gone: frozenset[str] = frozenset()) -> bool:
        found = try_places(spec, facts, stage.fleet(gone), stage.threads, learned=stage.learned)
        return found.refused is None and found.level <= worst

    def card(spec: DeploymentSpec, facts: ModelFacts) -> str | None:
        return _smallest_card(spec, facts, stage.threads, plan.install)

    def squeeze(name: str) -> tuple[str, ...] | None:
        return squeezed(name, spec, facts, stage, worst)

    def fewer(name: str) -> int | None:
        return thinned(name, spec, facts, stage, worst)

    # What it would like, not what it would be squeezed into: from there less is looked for.
    liked = None if trial.placed else imagined(spec, facts, stage)
    parameters = (liked.plan if liked else plan).parameters.parameters
    case = Case(spec, facts, plan.engine, parameters, fits, tuple(choices), stage.tenants, card, squeeze, fewer)
    return find_changes(case)


def thinned(name: str, spec: DeploymentSpec, facts: ModelFacts, stage: Stage, worst: Level) -> int | None:
    """The most replicas of the running deployment ``name``, at least one, beside which ``spec`` finds places, none
    worse than ``worst``; None when that takes its end, or when some of its replicas are not placed or leave anyway."""
    running = by_worth(stage.replicas_of(name))
    if any(one.assignment is None or one.stopping for one in running):
        return None
    others = [one for one in stage.replicas if stage.names.get(one.deployment_id) != name]

    def works(count: int) -> bool:
        fleet = fleet_of(stage.nodes, [*others, *running[:count]])
        found = try_places(spec, facts, fleet, stage.threads, learned=stage.learned)
        return found.refused is None and found.level <= worst

    count = most(works, len(running) - 1)
    return count if count > 0 else None


def squeezed(name: str, spec: DeploymentSpec, facts: ModelFacts, stage: Stage, worst: Level) -> tuple[str, ...] | None:
    """Parameters of the running deployment ``name`` with which it takes so little that ``spec`` finds places beside
    it, none worse than ``worst``, as mild as they can be; None when there are none."""
    running = stage.replicas_of(name)
    if not running or any(one.assignment is None for one in running):
        return None
    first = running[0]
    nodes = {node.node_id: node for node in stage.nodes}

    def beside(budget: int) -> DeploymentSpec | None:
        smaller = pinned(first, budget, nodes, stage.threads)
        if smaller is None:
            return None
        fleet = stage.fleet(frozenset({name}))
        # What the spec's own failed starts taught says nothing about the other deployment.
        others = Learned(stage.learned.corrections)
        for one, its_facts, learned in ((smaller, first.facts, others), (spec, facts, stage.learned)):
            found = try_places(one, its_facts, fleet, stage.threads, learned=learned)
            if found.refused is not None or found.level > worst:
                return None
        return smaller

    smaller = least_of(first, beside)
    return smaller.parameters if smaller is not None else None


def _uses_gpus(spec: DeploymentSpec, facts: ModelFacts, stage: Stage) -> bool:
    """Whether there is a GPU that the engine can use."""
    found = imagined(spec, facts, stage)
    return found is not None and found.plan.gpus > 0


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

    cards = sorted(
        (card for card in CARDS.values() if _runs_on(card, spec, facts, install)), key=lambda card: card.memory
    )
    at = bisect_left(cards, 1, key=lambda card: int(fits(card)))
    return cards[at].name if at < len(cards) and fits(cards[at]) else None


def _runs_on(card: Card, spec: DeploymentSpec, facts: ModelFacts, install: EngineInstall) -> bool:
    """Whether the program runs the model on such a card at all, however much memory it has."""
    engine = choose_engine(spec.engine, facts)
    device = machine_with([(card, 1)], ()).devices[-1]
    return not isinstance(engine, Reason) and program_on(engine, facts, None, (install,), device).install is not None
