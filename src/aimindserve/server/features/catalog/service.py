"""Which families match, how their variants fit, and which is best."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from aimindserve.domain.catalog import CatalogFamily, CatalogModel, CatalogVariant, needed_parameters
from aimindserve.domain.catalog_choice import Candidate, choose
from aimindserve.domain.catalog_facts import variant_facts
from aimindserve.domain.facts import Hub, ModelFacts
from aimindserve.domain.nodes import DeviceKind
from aimindserve.domain.placement import Level
from aimindserve.domain.reasons import Language, ReasonCode
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.domain.views_catalog import CatalogCardView, CatalogQuery, CatalogView
from aimindserve.server.context import ServerContext
from aimindserve.server.errors import refuse
from aimindserve.server.features.catalog.views import card_view
from aimindserve.server.fit_report import Stage
from aimindserve.server.fitting import Mark, mark, stage_now
from aimindserve.sources.catalog import catalog_families


@dataclass(frozen=True, slots=True)
class Entry:
    """A variant with what is known of it."""

    family: CatalogFamily
    model: CatalogModel
    variant: CatalogVariant
    facts: ModelFacts


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


async def find(context: ServerContext, query: CatalogQuery, language: Language) -> CatalogView:
    """The families that match ``query``, in the order of the catalog: what sees first, then by name."""
    known = await asyncio.to_thread(catalog_entries)
    stage = await stage_now(context)
    items = await asyncio.to_thread(cards, known, stage, query, language)
    return CatalogView(items=items, total=len(known), has_gpu=has_gpu(stage))


async def one(context: ServerContext, name: str, hub: Hub, language: Language) -> CatalogCardView:
    """One family.

    Raises:
        RefusedError: ``not_found``.
    """
    known = await asyncio.to_thread(catalog_entries)
    entries = next((entries for family, entries in known if family.name == name), None)
    if entries is None:
        refuse(ReasonCode.NOT_FOUND, kind="family", name=name)
    stage = await stage_now(context)
    there = [entry for entry in entries if entry.variant.source(hub) is not None]
    return await asyncio.to_thread(_card, there or entries, stage, hub, language)


def has_gpu(stage: Stage) -> bool:
    """Whether any machine has one."""
    return any(device.kind is not DeviceKind.CPU for node in stage.nodes for device in node.devices)


def cards(
    known: Iterable[tuple[CatalogFamily, tuple[Entry, ...]]], stage: Stage, query: CatalogQuery, language: Language
) -> tuple[CatalogCardView, ...]:
    """What ``query`` asks for, as it would fit on ``stage``."""
    found: list[CatalogCardView] = []
    for family, entries in known:
        wanted = [entry for entry in entries if _is_wanted(entry, query)]
        if wanted and _matches(family, query):
            found.append(_card(wanted, stage, query.source, language))
    shown = (card for card in found if not query.fits or card.fit == "fits")
    return tuple(sorted(shown, key=lambda card: ("vision" not in card.capabilities, card.name)))


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


def _card(entries: Sequence[Entry], stage: Stage, hub: Hub, language: Language) -> CatalogCardView:
    marks = [_mark(entry, stage, hub, language) for entry in entries]
    choice = choose([_candidate(*pair) for pair in zip(entries, marks, strict=True)], language)
    variants = [(entry.model, entry.variant, entry.facts) for entry in entries]
    return card_view(entries[0].family, variants, marks, choice, hub, language)


def _mark(entry: Entry, stage: Stage, hub: Hub, language: Language) -> Mark:
    arguments = needed_parameters(entry.model, entry.variant)
    spec = DeploymentSpec(name="preview", source=entry.variant.source_near(hub), parameters=arguments)
    return mark(spec, entry.facts, stage, language)


def _candidate(entry: Entry, found: Mark) -> Candidate:
    return Candidate(
        parameters=entry.model.parameters,
        active=entry.model.active or entry.model.parameters,
        bits=entry.variant.bits,
        engine=entry.variant.engine,
        verdict=found.verdict,
        gpus=found.gpus if found.level is Level.WHOLE else 0,
        memory=found.memory_total,
        message=found.message,
    )
