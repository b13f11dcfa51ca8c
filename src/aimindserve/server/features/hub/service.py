"""What the hubs answer. They are asked on threads; nothing is stored."""

import asyncio

from aimindserve import sources
from aimindserve.domain.facts import Hub, HubOrigin
from aimindserve.domain.hubs import HubChoice, HubListing
from aimindserve.domain.reasons import Language, Reason
from aimindserve.domain.source import Source, SourceKind
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.domain.views_hub import HubFilesView, HubSearchQuery, HubSearchView, ReadmeView
from aimindserve.server.context import ServerContext
from aimindserve.server.errors import RefusedError, reason_view
from aimindserve.server.features.hub.views import (
    PROBLEMS_OF_ACCESS,
    closed_view,
    files_view,
    hub_query,
    readme_view,
    search_view,
)
from aimindserve.server.fitting import Mark, Stage, mark, stage_now
from aimindserve.server.hub_access import hub_access
from aimindserve.server.model_facts import is_code_confirmed


def repository(hub: Hub, owner: str, name: str, revision: str | None) -> Source:
    """The source that a route's path names."""
    return Source(SourceKind(hub), f"{owner}/{name}", revision)


async def search(context: ServerContext, query: HubSearchQuery, language: Language) -> HubSearchView:
    """One page of results, or why there are none."""
    found = await asyncio.to_thread(sources.search, hub_query(query), await hub_access(context))
    if isinstance(found, Reason):
        return HubSearchView(offline=reason_view(found, language))
    return search_view(found)


async def files(context: ServerContext, source: Source, language: Language) -> HubFilesView:
    """What a repository offers, with a mark for each choice whether it fits on the machines that answer now.

    Raises:
        RefusedError: the hub does not answer, or has no such repository or revision.
    """
    found = await asyncio.to_thread(sources.look, source, await hub_access(context))
    if isinstance(found, Reason):
        if found.code in PROBLEMS_OF_ACCESS:
            return closed_view(source, found, language)
        raise RefusedError(found)
    origin = HubOrigin(hub=found.hub, repository=found.repository, revision=found.revision)
    approved = bool(found.code_files) and await is_code_confirmed(context, origin)
    marks = _marks(found, await stage_now(context), language)
    return files_view(found, marks, language, approved=approved)


def _marks(listing: HubListing, stage: Stage, language: Language) -> tuple[Mark | None, ...]:
    return tuple(_mark(choice, stage, language) for choice in listing.choices)


def _mark(choice: HubChoice, stage: Stage, language: Language) -> Mark | None:
    if choice.facts is None:
        return None
    return mark(DeploymentSpec(name="preview", source=choice.source), choice.facts, stage, language)


async def readme(context: ServerContext, source: Source) -> ReadmeView:
    """A repository's README.

    Raises:
        RefusedError: the hub does not answer, or has no such repository.
    """
    found = await asyncio.to_thread(sources.readme, source, await hub_access(context))
    if isinstance(found, Reason):
        raise RefusedError(found)
    return readme_view(found)
