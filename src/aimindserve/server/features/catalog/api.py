"""``/catalog``: model families worth serving. No hub is asked."""

from typing import Annotated

from fastapi import Path, Query, Request

from aimindserve.domain.access import Policy
from aimindserve.domain.facts import Hub
from aimindserve.domain.views_catalog import CatalogCardView, CatalogQuery, CatalogView
from aimindserve.server.context import Context
from aimindserve.server.errors import language
from aimindserve.server.features.catalog import service
from aimindserve.server.guards import feature_router, requires

router = feature_router("catalog")

FamilyName = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
SourceHub = Annotated[Hub, Query(description="The hub: hf is Hugging Face, ms is ModelScope.")]


@router.get("/catalog")
@requires(Policy.OPERATOR)  # as deploying: the marks tell what the machines hold
async def list_catalog(query: Annotated[CatalogQuery, Query()], request: Request, context: Context) -> CatalogView:
    """Families that match, each with its variants, whether they fit now, and the best one for these machines."""
    return await service.find(context, query, language(request))


@router.get("/catalog/{name}")
@requires(Policy.OPERATOR)
async def read_catalog_card(
    name: FamilyName, request: Request, context: Context, source: SourceHub = "hf"
) -> CatalogCardView:
    """One family."""
    return await service.one(context, name, source, language(request))
