"""``/keys``: API keys."""

from aimindserve.domain.access import Policy
from aimindserve.domain.views import ItemList
from aimindserve.domain.views_access import KeyCreated, KeyPatch, KeyRequest, KeyView
from aimindserve.server.context import Context
from aimindserve.server.features.keys import service
from aimindserve.server.guards import Caller, feature_router, requires

router = feature_router("keys")


@router.get("/keys")
@requires(Policy.USER)
async def list_keys(caller: Caller, context: Context) -> ItemList[KeyView]:
    """Your keys; an administrator sees everybody's."""
    return ItemList[KeyView](items=await service.list_keys(context, caller))


@router.post("/keys", status_code=201)
@requires(Policy.USER)
async def create_key(body: KeyRequest, caller: Caller, context: Context) -> KeyCreated:
    """Makes a key. The answer is the only place that shows it whole."""
    return await service.create_key(context, caller, body)


@router.patch("/keys/{key_id}")
@requires(Policy.USER)
async def edit_key(key_id: str, body: KeyPatch, caller: Caller, context: Context) -> KeyView:
    """Changes what a key may do; fields that are left out stay. It is in force when the answer comes."""
    return await service.edit_key(context, caller, key_id, body)


@router.delete("/keys/{key_id}", status_code=204)
@requires(Policy.USER)
async def delete_key(key_id: str, caller: Caller, context: Context) -> None:
    """Deletes a key: it stops working at once."""
    await service.delete_key(context, caller, key_id)
