"""``/users``: people who may log in. For administrators."""

from pydantic import ConfigDict

from aimindserve.domain.access import Policy
from aimindserve.domain.views import ItemList, UserRequest, UserView, View
from aimindserve.server.context import Context
from aimindserve.server.features.users import service
from aimindserve.server.guards import Caller, feature_router, requires

router = feature_router("users")


class UserPatch(View):
    """Body of ``PATCH /users/{user_id}``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    disabled: bool


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
    """Keeps a person out, or lets them in again."""
    return await service.set_disabled(context, caller, user_id, disabled=body.disabled)


@router.delete("/users/{user_id}", status_code=204)
@requires(Policy.ADMIN)
async def delete_user(user_id: str, caller: Caller, context: Context) -> None:
    """Deletes a person with all their keys and sessions."""
    await service.delete_user(context, caller, user_id)
