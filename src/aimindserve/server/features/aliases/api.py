"""``/aliases``: further public names for models."""

from aimindserve.domain.access import Policy
from aimindserve.domain.aliases import AliasSpec
from aimindserve.domain.specs import DeploymentName
from aimindserve.domain.views import ItemList
from aimindserve.domain.views_access import AliasView
from aimindserve.server.context import Context
from aimindserve.server.features.aliases import service
from aimindserve.server.guards import Caller, actor_of, feature_router, requires

router = feature_router("aliases")


@router.get("/aliases")
@requires(Policy.USER)
async def list_aliases(context: Context) -> ItemList[AliasView]:
    """All aliases by name."""
    return ItemList[AliasView](items=await service.list_aliases(context))


@router.put("/aliases/{name}")
@requires(Policy.OPERATOR)
async def put_alias(name: DeploymentName, body: AliasSpec, caller: Caller, context: Context) -> AliasView:
    """Makes an alias, or has it lead elsewhere. It is in force when the answer comes."""
    return await service.put_alias(context, name, body, actor_of(caller))


@router.delete("/aliases/{name}", status_code=204)
@requires(Policy.OPERATOR)
async def delete_alias(name: str, caller: Caller, context: Context) -> None:
    """Deletes an alias; the deployments stay."""
    await service.delete_alias(context, name, actor_of(caller))
