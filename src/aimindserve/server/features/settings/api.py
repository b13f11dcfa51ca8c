"""``/settings/hub``: how the hubs are reached. Tokens go in and never come out."""

from fastapi import Request

from aimindserve.domain.access import Policy
from aimindserve.domain.facts import Hub
from aimindserve.domain.views import ItemList
from aimindserve.domain.views_hub import HubCheckView, HubSettingsRequest, HubSettingsView, TokenRequest
from aimindserve.server.context import Context
from aimindserve.server.errors import language
from aimindserve.server.features.settings import service
from aimindserve.server.guards import Caller, actor_of, feature_router, requires

router = feature_router("settings")


@router.get("/settings/hub")
@requires(Policy.ADMIN)
async def read_hub_settings(context: Context) -> HubSettingsView:
    """Addresses, proxy, limits, and which tokens there are."""
    return await service.shown(context)


@router.patch("/settings/hub")
@requires(Policy.ADMIN)
async def edit_hub_settings(body: HubSettingsRequest, caller: Caller, context: Context) -> HubSettingsView:
    """Stores what is given; null goes back to the value of the start. In force at once."""
    await service.change(context, body, actor_of(caller))
    return await service.shown(context)


@router.put("/settings/hub/tokens/{hub}", status_code=204)
@requires(Policy.ADMIN)
async def store_hub_token(hub: Hub, body: TokenRequest, caller: Caller, context: Context) -> None:
    """Stores a token, encrypted. It wins over one that was given at the start, and is never shown again."""
    await service.store_token(context, hub, body.token, actor_of(caller))


@router.delete("/settings/hub/tokens/{hub}", status_code=204)
@requires(Policy.ADMIN)
async def remove_hub_token(hub: Hub, caller: Caller, context: Context) -> None:
    """Forgets a token, stored or given at the start. A start that gives it again brings it back."""
    await service.remove_token(context, hub, actor_of(caller))


@router.post("/settings/hub/check")
@requires(Policy.ADMIN)
async def check_hubs(request: Request, context: Context) -> ItemList[HubCheckView]:
    """Asks both hubs whether they answer and whose the tokens are."""
    return ItemList[HubCheckView](items=await service.check(context, language(request)))
