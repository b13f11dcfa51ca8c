"""``/hub``: finding models on Hugging Face and ModelScope. For administrators alone: questions carry the token."""

from typing import Annotated

from fastapi import Path, Query, Request

from aimindserve.domain.access import Policy
from aimindserve.domain.facts import Hub
from aimindserve.domain.views import ItemList
from aimindserve.domain.views_hub import (
    CodeApprovalRequest,
    CodeApprovalView,
    Commit,
    HubFilesView,
    HubSearchQuery,
    HubSearchView,
    ReadmeView,
)
from aimindserve.server.context import Context
from aimindserve.server.errors import language
from aimindserve.server.features.hub import approvals, service
from aimindserve.server.guards import Caller, actor_of, feature_router, requires

router = feature_router("hub")

RepositoryPart = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$")]
SourceHub = Annotated[Hub, Query(description="The hub: hf is Hugging Face, ms is ModelScope.")]
Revision = Annotated[
    str | None,
    Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$", description="A branch, a tag or a commit. Left out: main."),
]


@router.get("/hub/search")
@requires(Policy.OPERATOR)
async def search_hub(query: Annotated[HubSearchQuery, Query()], request: Request, context: Context) -> HubSearchView:
    """Looks for models. A hub that cannot be asked is no error: ``offline`` says why."""
    return await service.search(context, query, language(request))


@router.get("/hub/models/{owner}/{name}/files")
@requires(Policy.OPERATOR)
async def list_hub_files(
    owner: RepositoryPart,
    name: RepositoryPart,
    request: Request,
    context: Context,
    source: SourceHub = "hf",
    revision: Revision = None,
) -> HubFilesView:
    """What a repository offers to deploy, with sizes and whether it fits. Nothing is downloaded but headers."""
    return await service.files(context, service.repository(source, owner, name, revision), language(request))


@router.get("/hub/models/{owner}/{name}/readme")
@requires(Policy.OPERATOR)
async def read_hub_readme(
    owner: RepositoryPart,
    name: RepositoryPart,
    context: Context,
    source: SourceHub = "hf",
    revision: Revision = None,
) -> ReadmeView:
    """A repository's README."""
    return await service.readme(context, service.repository(source, owner, name, revision))


@router.get("/hub/approvals")
@requires(Policy.ADMIN)
async def list_code_approvals(context: Context) -> ItemList[CodeApprovalView]:
    """The commits whose Python code may run, newest first."""
    return ItemList[CodeApprovalView](items=await approvals.every(context))


@router.post("/hub/approvals", status_code=201)
@requires(Policy.ADMIN)
async def approve_code(body: CodeApprovalRequest, caller: Caller, context: Context) -> CodeApprovalView:
    """Lets the Python code of a repository run, at exactly this commit. Saying it twice changes nothing."""
    return await approvals.approve(context, body, actor_of(caller))


@router.delete("/hub/approvals/{hub}/{owner}/{name}/{revision}", status_code=204)
@requires(Policy.ADMIN)
async def withdraw_code_approval(
    hub: Hub, owner: RepositoryPart, name: RepositoryPart, revision: Commit, caller: Caller, context: Context
) -> None:
    """Takes an approval back. What runs goes on; it does not start again."""
    await approvals.withdraw(
        context, CodeApprovalRequest(hub=hub, repository=f"{owner}/{name}", revision=revision), actor_of(caller)
    )
