"""``/users``: people who may log in. For administrators."""

from aimindserve.domain.access import Policy
from aimindserve.domain.views import ItemList
from aimindserve.domain.views_access import UserPatch, UserRequest, UserView
from aimindserve.server.context import Context
from aimindserve.server.features.users import service
from aimindserve.server.guards import Caller, feature_router, requires

router = feature_router("users")


@router.get("/users")
@requires(Policy.ADMIN)
async def list_users(context: Context) -> ItemList[UserView]:
    """All people."""
    return ItemList[UserView](items=await service.list_users(context))


@router.post("/users", status_code=201)
@requires(Policy.ADMIN)
async def create_user(body: UserRequest, caller: Caller, context: Context) -> UserView:
    """Makes a person."""
    return await service.create_user(context, caller, body)


@router.patch("/users/{user_id}")
@requires(Policy.ADMIN)
async def edit_user(user_id: str, body: UserPatch, caller: Caller, context: Context) -> UserView:
    """Keeps a person out or lets them in again, gives another role or a new first password, and limits what all their
    keys and sessions use together."""
    return await service.edit_user(context, caller, user_id, body)


@router.delete("/users/{user_id}", status_code=204)
@requires(Policy.ADMIN)
async def delete_user(user_id: str, caller: Caller, context: Context) -> None:
    """Deletes a person with all their keys and sessions."""
    await service.delete_user(context, caller, user_id)
