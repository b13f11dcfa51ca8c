"""What the hubs answer, in the page's shapes."""

# ruff: noqa: ARG001  # the shapes come first

from aimindserve.domain.facts import Hub
from aimindserve.domain.reasons import Language, ReasonCode, reason
from aimindserve.domain.source import Source, SourceKind
from aimindserve.domain.views_hub import HubFilesView, HubSearchQuery, HubSearchView, ReadmeView
from aimindserve.server.context import ServerContext
from aimindserve.server.errors import reason_view, refuse


def repository(hub: Hub, owner: str, name: str, revision: str | None) -> Source:
    """The source that a route's path names."""
    return Source(SourceKind(hub), f"{owner}/{name}", revision)


async def search(context: ServerContext, query: HubSearchQuery, language: Language) -> HubSearchView:
    """One page of results."""
    return HubSearchView(offline=reason_view(reason(ReasonCode.SOURCE_NOT_SUPPORTED, kind=query.source), language))


async def files(context: ServerContext, source: Source, language: Language) -> HubFilesView:
    """What a repository offers, with sizes and fit marks."""
    refuse(ReasonCode.SOURCE_NOT_SUPPORTED, kind=source.kind)


async def readme(context: ServerContext, source: Source) -> ReadmeView:
    """A repository's README."""
    refuse(ReasonCode.SOURCE_NOT_SUPPORTED, kind=source.kind)
