"""What the hubs answer. They are asked on threads; only the facts of what was looked at are kept."""

import asyncio

from aimindserve import sources
from aimindserve.domain.facts import Hub, HubOrigin, ModelFacts
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
    source_text,
)
from aimindserve.server.fit_trials import Stage
from aimindserve.server.fitting import Mark, mark, stage_now
from aimindserve.server.hub_access import hub_access
from aimindserve.server.hub_facts import latest_facts, learn
from aimindserve.server.model_facts import is_code_confirmed


def repository(hub: Hub, owner: str, name: str, revision: str | None) -> Source:
    """The source that a route's path names."""
    return Source(SourceKind(hub), f"{owner}/{name}", revision)


async def search(context: ServerContext, query: HubSearchQuery, language: Language) -> HubSearchView:
    """One page of results, or why there are none. Models that were looked at before tell whether they fit."""
    found = await asyncio.to_thread(sources.search, hub_query(query), await hub_access(context))
    if isinstance(found, Reason):
        return HubSearchView(offline=reason_view(found, language))
    named = [source_text(model) for model in found.items]
    known = await latest_facts(context, named)
    if not known:
        return search_view(found, {})
    stage = await stage_now(context)
    marks = {source: _mark(source, facts, stage) for source, facts in known.items()}
    return search_view(found, marks)


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
    # Only the default's facts are exact.
    default = next((choice.facts for choice in found.choices if choice.default), None)
    if default is not None:
        await learn(context, source, default)
    stage = await stage_now(context)
    marks = tuple(_mark(choice.source, choice.facts, stage) for choice in found.choices)
    return files_view(found, marks, language, approved=approved)


def _mark(source: str, facts: ModelFacts | None, stage: Stage) -> Mark | None:
    return mark(DeploymentSpec(name="preview", source=source), facts, stage) if facts else None


async def readme(context: ServerContext, source: Source) -> ReadmeView:
    """A repository's README.

    Raises:
        RefusedError: the hub does not answer, or has no such repository.
    """
    found = await asyncio.to_thread(sources.readme, source, await hub_access(context))
    if isinstance(found, Reason):
        raise RefusedError(found)
    return readme_view(found)
