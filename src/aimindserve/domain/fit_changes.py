"""Changes that would make a model fit. All are found by trying; each was seen to fit before it is offered."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from typing import Protocol

from aimindserve.domain.explanations import Explained, Why, explained
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.fit_knobs import KNOBS, Knob, Knobs, with_values, without
from aimindserve.domain.image_tokens import largest_picture
from aimindserve.domain.memory_search import CONTEXT_STEP, most
from aimindserve.domain.params import EngineParameter
from aimindserve.domain.specs import DeploymentSpec, EngineName, PlacementWishes

# A context shorter than this serves nobody.
_LEAST_CONTEXT = 1024
_LEAST_IMAGE_TOKENS = 256
# So many smaller quantizations are tried together with a shorter context, and so many changes are offered.
_MOST_PAIRS, _MOST_CHANGES = 3, 6


class ChangeKind(StrEnum):
    """What is changed."""

    WISHES = "wishes"
    CPU = "cpu"
    SEQUENCES = "sequences"
    CACHE = "cache"
    IMAGE_TOKENS = "image_tokens"
    IMAGES = "images"
    EAGER = "eager"
    CONTEXT = "context"
    FP8 = "fp8"
    QUANTIZATION = "quantization"
    NEIGHBOUR = "neighbour"
    REPLICAS = "replicas"
    STOP = "stop"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was seen to fit. ``patch``: fields of the spec to set; ``stop``: deployments to stop first;
    ``others``: fields to set in other deployments' specs. ``loss``: how much it takes away; one halving of the context
    is about 0.6."""

    kind: ChangeKind
    told: Explained
    loss: float
    patch: dict[str, object] = field(default_factory=dict[str, object])
    stop: tuple[str, ...] = ()
    others: dict[str, dict[str, object]] = field(default_factory=dict[str, dict[str, object]])


@dataclass(frozen=True, slots=True)
class Choice:
    """Another form of the same model: its source, what it is called (``Q4_K_M``), and its facts."""

    source: str
    name: str
    facts: ModelFacts


@dataclass(frozen=True, slots=True)
class Tenant:
    """Another deployment that holds memory: ``claimed`` bytes in all. ``used_at``: when it last had a request (Unix
    seconds), None for never."""

    name: str
    claimed: int
    used_at: float | None = None


class Fits(Protocol):
    """Whether all replicas of a spec find places, ``gone`` deployments not counted."""

    def __call__(self, spec: DeploymentSpec, facts: ModelFacts, gone: frozenset[str] = frozenset()) -> bool: ...


@dataclass(frozen=True, slots=True)
class Case:
    """A spec that does not fit. ``parameters``: of the plan that was made for it. ``choices``: other forms of the model
    that could be used, ``tenants``: who could make room. ``card``: the name of the smallest card on which it would
    fit. ``squeeze``: parameters of another deployment with which it takes so much less that this one fits beside it.
    ``fewer``: to how many replicas (at least one) another deployment has to be scaled down for the same.
    """

    spec: DeploymentSpec
    facts: ModelFacts
    engine: EngineName
    parameters: tuple[EngineParameter, ...]
    fits: Fits
    choices: tuple[Choice, ...] = ()
    tenants: tuple[Tenant, ...] = ()
    card: Callable[[DeploymentSpec, ModelFacts], str | None] = lambda _spec, _facts: None
    squeeze: Callable[[str], tuple[str, ...] | None] = lambda _name: None
    fewer: Callable[[str], int | None] = lambda _name: None

    @property
    def knobs(self) -> Knobs:
        """The engine's."""
        return KNOBS[self.engine]

    def tried(self, *values: tuple[Knob, int | str]) -> "Case":
        """The case with parameters set."""
        parameters = with_values(self.spec.parameters, *values)
        return replace(self, spec=self.spec.model_copy(update={"parameters": parameters}))

    @property
    def works(self) -> bool:
        """Whether it fits as it is now."""
        return self.fits(self.spec, self.facts)

    @property
    def patch(self) -> dict[str, object]:
        """The parameters as fields of a spec."""
        return {"parameters": list(self.spec.parameters)}


# Changes that leave the model at hand as it is.
_ELSEWHERE = (ChangeKind.NEIGHBOUR, ChangeKind.REPLICAS, ChangeKind.CPU, ChangeKind.STOP, ChangeKind.CARD)


def find_changes(case: Case) -> tuple[Change, ...]:
    """Changes that make ``case`` fit, those that take away the least first; a combination only where no single change
    helps."""
    found = [change for look in _LOOKS for change in look(case)]
    if all(change.kind in _ELSEWHERE for change in found):
        found += _pairs(case)
    return tuple(sorted(found, key=lambda change: (change.loss, change.kind))[:_MOST_CHANGES])


def _other_wishes(case: Case) -> Iterator[Change]:
    """Another machine or card than the wished ones."""
    wishes = case.spec.placement
    if not wishes.nodes and not wishes.devices and not wishes.labels:
        return
    anywhere = PlacementWishes(strategy=wishes.strategy, cpu=wishes.cpu)
    if case.fits(case.spec.model_copy(update={"placement": anywhere}), case.facts):
        yield Change(
            ChangeKind.WISHES,
            explained(Why.ALTERNATIVE_WISHES),
            0.05,
            {"placement": anywhere.model_dump(mode="json")},
        )


def _the_cpu(case: Case) -> Iterator[Change]:
    """The CPU, where GPUs that could hold the model are full."""
    allowed = case.spec.placement.model_copy(update={"cpu": "allow"})
    if case.spec.placement.cpu == "allow":
        return
    if case.fits(case.spec.model_copy(update={"placement": allowed}), case.facts):
        yield Change(
            ChangeKind.CPU, explained(Why.ALTERNATIVE_CPU), 2.5, {"placement": allowed.model_dump(mode="json")}
        )


def _lowered(
    case: Case, knob: Knob | None, kind: ChangeKind, why: Why, weight: float, least: int = 1
) -> Iterator[Change]:
    """The largest smaller value of a number with which it fits."""
    now = knob.number(case.parameters) if knob else None
    if knob is None or now is None or now <= least:
        return
    value = most(lambda number: case.tried((knob, number)).works, now - 1)
    if value >= least:
        told = explained(why, count=value)
        yield Change(kind, told, 0.1 + weight * math.log2(now / value), case.tried((knob, value)).patch)


def _fewer_sequences(case: Case) -> Iterator[Change]:
    yield from _lowered(case, case.knobs.sequences, ChangeKind.SEQUENCES, Why.ALTERNATIVE_SEQUENCES, 0.1)


def _fewer_images(case: Case) -> Iterator[Change]:
    yield from _lowered(case, case.knobs.images, ChangeKind.IMAGES, Why.ALTERNATIVE_IMAGES, 0.4)


def _smaller_images(case: Case) -> Iterator[Change]:
    knob, cost = case.knobs.image_tokens, largest_picture(case.facts, None) if case.facts.vision else None
    if knob is None or cost is None:
        return
    now = knob.number(case.parameters) or min(cost.tokens, 4096)
    value = most(lambda step: case.tried((knob, step * 64)).works, (now - 1) // 64) * 64
    if value >= _LEAST_IMAGE_TOKENS:
        told = explained(Why.ALTERNATIVE_IMAGE_TOKENS, count=value)
        loss = 0.1 + 0.4 * math.log2(now / value)
        yield Change(ChangeKind.IMAGE_TOKENS, told, loss, case.tried((knob, value)).patch)


def _smaller_cache(case: Case) -> Iterator[Change]:
    values = case.knobs.cache
    tried = case.tried(*values)
    if tried.spec.parameters != case.spec.parameters and tried.works:
        told = explained(Why.ALTERNATIVE_CACHE, type=values[0][1])
        yield Change(ChangeKind.CACHE, told, 0.25, tried.patch)


def _eager(case: Case) -> Iterator[Change]:
    switch = case.knobs.eager
    if switch is None or any(item.flag == switch for item in case.parameters):
        return
    parameters = (*without(case.spec.parameters, {switch}), switch)
    if case.fits(case.spec.model_copy(update={"parameters": parameters}), case.facts):
        yield Change(ChangeKind.EAGER, explained(Why.ALTERNATIVE_EAGER), 0.35, {"parameters": list(parameters)})


def _shorter_context(case: Case) -> Iterator[Change]:
    found = _longest(case)
    if found is not None:
        tokens, now = found
        told = explained(Why.ALTERNATIVE_CONTEXT, tokens=tokens)
        patch = case.tried((case.knobs.context, tokens)).patch
        yield Change(ChangeKind.CONTEXT, told, 0.1 + 0.5 * math.log2(now / tokens), patch)


def _longest(case: Case) -> tuple[int, int] | None:
    """The longest shorter context that fits, and the one that was planned."""
    knob = case.knobs.context
    now = knob.number(case.parameters) or case.facts.context_length
    if not now:
        return None
    steps = most(lambda step: case.tried((knob, step * CONTEXT_STEP)).works, (now - 1) // CONTEXT_STEP)
    tokens = steps * CONTEXT_STEP
    return (tokens, now) if tokens >= _least_context(case) else None


def _least_context(case: Case) -> int:
    """Room for the pictures of one prompt, where the engine refuses to start without, and for words."""
    if case.knobs.images is None:
        return _LEAST_CONTEXT
    cost = largest_picture(case.facts, None) if case.facts.vision else None
    images = case.knobs.images.number(case.parameters) or 1
    return _LEAST_CONTEXT + (min(cost.tokens, 4096) * images if cost else 0)


def _fp8(case: Case) -> Iterator[Change]:
    tried = _as_fp8(case)
    if tried is not None and tried.works:
        yield Change(ChangeKind.FP8, explained(Why.ALTERNATIVE_FP8), 0.5, tried.patch)


def _as_fp8(case: Case) -> Case | None:
    """The weights in 8 bits, where the checkpoint has them in 16 and the user wants nothing else."""
    setting = case.knobs.fp8
    if setting is None or case.facts.quantized is not None:
        return None
    knob, value = setting
    return None if any(item.flag in knob.names for item in case.parameters) else case.tried((knob, value))


def _smaller(case: Case) -> list[Choice]:
    """The choices that are smaller than the model at hand, the largest first."""
    size = _bytes(case.facts)
    smaller = (choice for choice in case.choices if _bytes(choice.facts) < size)
    return sorted(smaller, key=lambda choice: (-_bytes(choice.facts), choice.source))


def _bytes(facts: ModelFacts) -> int:
    return facts.weight_bytes or sum(group.bytes for group in facts.weights)


def _as_choice(case: Case, choice: Choice) -> Case:
    return replace(case, spec=case.spec.model_copy(update={"source": choice.source}), facts=choice.facts)


def _loss_of(case: Case, choice: Choice) -> float:
    return 0.3 + 0.4 * math.log2(max(_bytes(case.facts), 1) / max(_bytes(choice.facts), 1))


def _smaller_quantization(case: Case) -> Iterator[Change]:
    """The largest of the smaller forms that fits."""
    choice = next((choice for choice in _smaller(case) if _as_choice(case, choice).works), None)
    if choice is not None:
        told = explained(Why.ALTERNATIVE_QUANTIZATION, name=choice.name)
        yield Change(ChangeKind.QUANTIZATION, told, _loss_of(case, choice), {"source": choice.source})


def _neighbour(case: Case) -> Iterator[Change]:
    """Another deployment that goes on with less: the one that holds the most first."""
    for tenant in sorted(case.tenants, key=lambda tenant: (-tenant.claimed, tenant.name)):
        parameters = case.squeeze(tenant.name)
        if parameters is not None:
            told = explained(Why.ALTERNATIVE_NEIGHBOUR, name=tenant.name, parameters=" ".join(parameters))
            yield Change(ChangeKind.NEIGHBOUR, told, 1.5, others={tenant.name: {"parameters": list(parameters)}})
            return


def _fewer_replicas(case: Case) -> Iterator[Change]:
    """Another deployment that goes on with fewer copies: the one that holds the most first."""
    for tenant in sorted(case.tenants, key=lambda tenant: (-tenant.claimed, tenant.name)):
        count = case.fewer(tenant.name)
        if count is not None:
            told = explained(Why.ALTERNATIVE_REPLICAS, name=tenant.name, count=count)
            yield Change(ChangeKind.REPLICAS, told, 2.0, others={tenant.name: {"replicas": count}})
            return


def _others_stop(case: Case) -> Iterator[Change]:
    """The fewest other deployments whose memory suffices: one, the smallest and longest unused, or several."""
    tenants = sorted(case.tenants, key=lambda tenant: (tenant.used_at or 0.0, tenant.claimed, tenant.name))
    gone = next((frozenset({tenant.name}) for tenant in tenants if _fits_without(case, tenant.name)), None)
    gone = gone or _several(case, tenants)
    if gone:
        names = tuple(sorted(gone))
        told = explained(Why.ALTERNATIVE_STOP, names=", ".join(names))
        yield Change(ChangeKind.STOP, told, 3.0 + len(names), stop=names)


def _fits_without(case: Case, *names: str) -> bool:
    return case.fits(case.spec, case.facts, frozenset(names))


def _several(case: Case, tenants: Sequence[Tenant]) -> frozenset[str] | None:
    """As many as are needed, longest unused first; then those that turn out not to be needed stay."""
    names = [tenant.name for tenant in tenants]
    count = next((count for count in range(2, len(names) + 1) if _fits_without(case, *names[:count])), None)
    if count is None:
        return None
    gone = names[:count]
    for name in list(gone):
        rest = [other for other in gone if other != name]
        if _fits_without(case, *rest):
            gone = rest
    return frozenset(gone)


def _other_card(case: Case) -> Iterator[Change]:
    name = case.card(case.spec, case.facts)
    if name is not None:
        yield Change(ChangeKind.CARD, explained(Why.ALTERNATIVE_CARD, card=name), 6.0)


_LOOKS: tuple[Callable[[Case], Iterator[Change]], ...] = (
    _other_wishes,
    _fewer_sequences,
    _smaller_cache,
    _smaller_images,
    _fewer_images,
    _eager,
    _shorter_context,
    _fp8,
    _smaller_quantization,
    _neighbour,
    _the_cpu,
    _fewer_replicas,
    _others_stop,
    _other_card,
)


def _pairs(case: Case) -> Iterator[Change]:
    """Smaller weights together with a shorter context."""
    fp8 = _as_fp8(case)
    found = _longest(fp8) if fp8 is not None else None
    if fp8 is not None and found is not None:
        tokens, now = found
        told = explained(Why.ALTERNATIVE_FP8_CONTEXT, tokens=tokens)
        patch = fp8.tried((case.knobs.context, tokens)).patch
        yield Change(ChangeKind.FP8, told, 0.6 + 0.5 * math.log2(now / tokens), patch)
    for choice in islice(_smaller(case), _MOST_PAIRS):
        tried = _as_choice(case, choice)
        found = _longest(tried)
        if found is not None:
            tokens, now = found
            told = explained(Why.ALTERNATIVE_QUANTIZATION_CONTEXT, name=choice.name, tokens=tokens)
            patch = {**tried.tried((case.knobs.context, tokens)).patch, "source": choice.source}
            loss = _loss_of(case, choice) + 0.1 + 0.5 * math.log2(now / tokens)
            yield Change(ChangeKind.QUANTIZATION, told, loss, patch)
