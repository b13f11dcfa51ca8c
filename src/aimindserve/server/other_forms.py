"""Other forms of a model that could be deployed in its place: the catalog's, and those in its repository."""

import asyncio
from collections.abc import Iterable, Iterator

from aimindserve import sources
from aimindserve.domain.catalog import CatalogFamily, CatalogModel, CatalogVariant
from aimindserve.domain.catalog_facts import variant_facts
from aimindserve.domain.facts import Hub, ModelFacts, ModelFormat
from aimindserve.domain.files import HubAccess
from aimindserve.domain.fit_changes import Choice
from aimindserve.domain.hubs import HubListing
from aimindserve.domain.source import Source, SourceKind
from aimindserve.server.context import ServerContext
from aimindserve.server.hub_access import hub_access
from aimindserve.sources.catalog import catalog_families

_HUBS: dict[SourceKind, Hub] = {SourceKind.HUGGING_FACE: "hf", SourceKind.MODEL_SCOPE: "ms"}
_MOST_KEPT = 64


def other_forms(source: Source, facts: ModelFacts, access: HubAccess) -> tuple[Choice, ...]:
    """The choices. Asks the hub where the model is a GGUF file of a repository, and so blocks."""
    hub = _HUBS.get(source.kind)
    if hub is None:
        return ()
    found = {choice.source: choice for choice in _from_catalog(catalog_families(), hub, source.location)}
    if facts.format is ModelFormat.GGUF:
        listing = sources.look(source, access)
        if isinstance(listing, HubListing):
            found |= {choice.source: choice for choice in _from_listing(listing)}
    return tuple(found.values())


async def known_forms(context: ServerContext, source: Source, facts: ModelFacts) -> tuple[Choice, ...]:
    """As ``other_forms``, on a thread; kept for each commit, which never changes."""
    key = (facts.origin, facts.format)
    if facts.origin is None or key not in context.forms:
        access = await hub_access(context)
        found = await asyncio.to_thread(other_forms, source, facts, access)
        if facts.origin is None:
            return found
        while len(context.forms) >= _MOST_KEPT:
            del context.forms[next(iter(context.forms))]
        context.forms[key] = found
    return context.forms[key]


def _from_catalog(families: Iterable[CatalogFamily], hub: Hub, repository: str) -> Iterator[Choice]:
    """The other variants of the model that lies in ``repository``."""
    for family in families:
        for model in family.models:
            lies_in = [variant.hf if hub == "hf" else variant.ms for variant in model.variants]
            if repository in lies_in:
                yield from _variants(family, model, hub)


def _variants(family: CatalogFamily, model: CatalogModel, hub: Hub) -> Iterator[Choice]:
    for variant in model.variants:
        source = variant.source(hub)
        if source is not None:
            yield Choice(source, _name(source, variant), variant_facts(family, model, variant))


def _name(source: str, variant: CatalogVariant) -> str:
    repository = source.partition("://")[2].partition(":")[0]
    return f"{repository} ({variant.quantization})"


def _from_listing(listing: HubListing) -> Iterator[Choice]:
    for choice in listing.choices:
        if choice.facts is not None and choice.quantization:
            yield Choice(choice.source, choice.quantization, choice.facts)
