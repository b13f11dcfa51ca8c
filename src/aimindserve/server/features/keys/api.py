"""``/keys``: API keys."""

from pydantic import ConfigDict

from aimindserve.domain.access import Policy
from aimindserve.domain.views import ItemList, KeyCreated, KeyRequest, KeyView, View
from aimindserve.server.context import Context
from aimindserve.server.features.keys import service
from aimindserve.server.guards import Caller, feature_router, requires

router = feature_router("keys")


class KeyPatch(View):
    """Body of ``PATCH /keys/{key_id}``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    disabled: bool


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
    """Disables a key, or enables it again."""
    return await service.set_disabled(context, caller, key_id, disabled=body.disabled)


@router.delete("/keys/{key_id}", status_code=204)
@requires(Policy.USER)
async def delete_key(key_id: str, caller: Caller, context: Context) -> None:
    """Deletes a key: it stops working at once."""
    await service.delete_key(context, caller, key_id)
