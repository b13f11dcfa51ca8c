"""Which families match, how their variants fit, and which is best."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

from aimindserve.domain.catalog import CatalogFamily, CatalogModel, CatalogVariant, needed_parameters
from aimindserve.domain.catalog_choice import Candidate, Choice, choose
from aimindserve.domain.catalog_facts import variant_facts
from aimindserve.domain.facts import Hub, ModelFacts
from aimindserve.domain.nodes import DeviceKind
from aimindserve.domain.placement import Level
from aimindserve.domain.reasons import Language, ReasonCode
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.domain.units import GIB
from aimindserve.domain.views_catalog import CatalogCardView, CatalogQuery, CatalogView
from aimindserve.domain.views_hub import FitMark
from aimindserve.server.context import ServerContext
from aimindserve.server.errors import reason_view, refuse
from aimindserve.server.features.catalog.views import card_view
from aimindserve.server.fit_trials import Stage
from aimindserve.server.fitting import Mark, mark, stage_now
from aimindserve.server.reconcile.place_search import Demands
from aimindserve.sources.catalog import catalog_families

# What so many kinds of devices and budgets ask of a variant is kept; then it is begun anew.
_MOST_DEMANDS = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """A variant with what is known of it: ``demands`` from earlier looks at other machines."""

    family: CatalogFamily
    model: CatalogModel
    variant: CatalogVariant
    facts: ModelFacts
    demands: Demands = field(default_factory=Demands, repr=False, compare=False)

    @property
    def spec(self) -> DeploymentSpec:
        """What deploying it with nothing set would ask for."""
        arguments = needed_parameters(self.model, self.variant)
        return DeploymentSpec(name="preview", source=self.variant.source_near("hf"), parameters=arguments)


@cache
def catalog_entries() -> tuple[tuple[CatalogFamily, tuple[Entry, ...]], ...]:
    """Every family with its variants. Takes half a second the first time."""
    return tuple(
        (
            family,
            tuple(Entry(family, model, one, variant_facts(family, model, one)) for model, one in family.variants()),
        )
        for family in catalog_families()
    )


@dataclass(frozen=True, slots=True)
class Sight:
    """Machines as marks see them: two looks are equal while nothing changed that is worth new marks."""

    signature: tuple[object, ...]
    stage: Stage = field(compare=False)


def sight_of(stage: Stage) -> Sight:
    """The machines with what runs there; free memory to the GiB, since it moves all the time."""
    nodes = tuple(
        (node.node_id, node.engines, tuple((one.id, one.allocatable, one.memory_free // GIB) for one in node.devices))
        for node in stage.nodes
    )
    held = tuple((one.id, one.assignment, one.stopping) for one in stage.replicas)
    return Sight((nodes, held, stage.threads, tuple(stage.learned.corrections.items())), stage)


async def find(context: ServerContext, query: CatalogQuery, language: Language) -> CatalogView:
    """The families that match ``query``, what sees first, and what fits before what does not."""
    stage = await stage_now(context)
    items = await asyncio.to_thread(cards, sight_of(stage), query, language)
    return CatalogView(items=items, total=len(await asyncio.to_thread(catalog_families)), has_gpu=has_gpu(stage))


async def one(context: ServerContext, name: str, hub: Hub, language: Language) -> CatalogCardView:
    """One family, from the other hub where nothing of it lies on ``hub``.

    Raises:
        RefusedError: ``not_found``.
    """
    known = await asyncio.to_thread(catalog_entries)
    if all(family.name != name for family, _ in known):
        refuse(ReasonCode.NOT_FOUND, kind="family", name=name)
    sight = sight_of(await stage_now(context))
    return await asyncio.to_thread(_named, name, sight, hub, language)


def _named(name: str, sight: Sight, hub: Hub, language: Language) -> CatalogCardView:
    marked = next(one for one in marked_families(sight) if one[0].name == name)
    there = [pair for pair in marked[1] if pair[0].variant.source(hub) is not None]
    return _card(there or marked[1], hub, language)


def has_gpu(stage: Stage) -> bool:
    """Whether any machine has one."""
    return any(device.kind is not DeviceKind.CPU for node in stage.nodes for device in node.devices)


Marked = tuple[CatalogFamily, tuple[tuple[Entry, Mark], ...]]


@lru_cache(maxsize=8)
def marked_families(sight: Sight) -> tuple[Marked, ...]:
    """Every variant with how it fits, wherever it lies: some tenths of a second of work, so it is kept while the
    machines stay as they are."""
    return tuple(
        (family, tuple((entry, _mark(entry, sight.stage)) for entry in entries))
        for family, entries in catalog_entries()
    )


def cards(sight: Sight, query: CatalogQuery, language: Language) -> tuple[CatalogCardView, ...]:
    """What ``query`` asks for, as it would fit on the machines."""
    found: list[CatalogCardView] = []
    for family, marked in marked_families(sight):
        wanted = [pair for pair in marked if _is_wanted(pair[0], query)]
        if wanted and _matches(family, query):
            found.append(_card(wanted, query.source, language))
    shown = (card for card in found if not query.fits or card.fit == "fits")
    return tuple(sorted(shown, key=_place))


_ORDER: dict[FitMark, int] = {"fits": 0, "waits": 1, "engine": 2, "no": 2, "unsupported": 2, "unknown": 3}


def _place(card: CatalogCardView) -> tuple[bool, int, str]:
    """What sees comes first, and what fits before what does not."""
    return "vision" not in card.capabilities, _ORDER[card.fit], card.name


def _matches(family: CatalogFamily, query: CatalogQuery) -> bool:
    if query.capability is not None and query.capability not in family.capabilities:
        return False
    texts = [family.name, family.title, family.license, *(model.name for model in family.models)]
    texts += [text for words in (family.publisher, family.description) for text in (words.en, words.zh)]
    everything = "\n".join(texts).casefold()
    return all(word in everything for word in query.q.casefold().split())


def _is_wanted(entry: Entry, query: CatalogQuery) -> bool:
    low, high = query.min_parameters or 0, query.max_parameters or entry.model.parameters
    return entry.variant.source(query.source) is not None and low <= entry.model.parameters <= high


def best_of(marked: Sequence[tuple[Entry, Mark]], language: Language) -> Choice:
    """Which of a family's variants suits the machines best."""
    return choose([_candidate(*pair, language) for pair in marked], language)


def _card(marked: Sequence[tuple[Entry, Mark]], hub: Hub, language: Language) -> CatalogCardView:
    choice = best_of(marked, language)
    described = [((entry.model, entry.variant, entry.facts), mark) for entry, mark in marked]
    return card_view(marked[0][0].family, described, choice, hub, language)


def _mark(entry: Entry, stage: Stage) -> Mark:
    if len(entry.demands) > _MOST_DEMANDS:
        entry.demands.clear()
    return mark(entry.spec, entry.facts, stage, entry.demands)


def _candidate(entry: Entry, found: Mark, language: Language) -> Candidate:
    return Candidate(
        parameters=entry.model.parameters,
        active=entry.model.active or entry.model.parameters,
        bits=entry.variant.bits,
        engine=entry.variant.engine,
        verdict=found.verdict,
        gpus=found.gpus,
        partly=found.level is Level.PARTLY,
        memory=found.claimed,
        message=reason_view(found.why, language).message if found.why else "",
    )
