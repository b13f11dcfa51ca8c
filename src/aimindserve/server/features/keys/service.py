"""API keys: made, listed, disabled, deleted. People see their own, administrators all."""

from sqlalchemy import Select, delete, select, update

from aimindserve.domain.access import Principal, Scope
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.views import KeyCreated, KeyRequest, KeyView
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import ApiKeyRow, UserRow
from aimindserve.server.errors import refuse
from aimindserve.server.guards import actor_of
from aimindserve.server.tokens import new_key


async def list_keys(context: ServerContext, caller: Principal) -> tuple[KeyView, ...]:
    """The keys that ``caller`` may see, newest first."""
    query = _visible(caller).order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.id)
    async with context.database.read() as session:
        return tuple(_view(key, owner) for key, owner in (await session.execute(query)).all())


async def create_key(context: ServerContext, caller: Principal, body: KeyRequest) -> KeyCreated:
    """Makes a key for ``caller``. The token in the answer is stored nowhere."""
    made = new_key()
    async with context.database.unit_of_work(actor_of(caller)) as work:
        row = ApiKeyRow(
            id=made.id,
            digest=context.digester.digest(made.token),
            user_id=caller.user_id,
            name=body.name,
            scopes=tuple(dict.fromkeys(scope.value for scope in body.scopes)),
            models=body.models,
            expires_at=None if body.expires_in is None else work.now + body.expires_in,
            disabled=False,
            system=False,
            created_at=work.now,
            last_used_at=None,
        )
        work.session.add(row)
        work.record("key.created", subject=made.id, name=body.name, scopes=list(row.scopes))
        view = _view(row, caller.username)
    await context.in_force()
    return KeyCreated(**view.model_dump(), token=made.token)


async def set_disabled(context: ServerContext, caller: Principal, key_id: str, *, disabled: bool) -> KeyView:
    """Makes a key stop working, or work again.

    Raises:
        RefusedError: there is no such key among those that ``caller`` may see.
    """
    async with context.database.unit_of_work(actor_of(caller)) as work:
        key, owner = await _existing(work, caller, key_id)
        await work.session.execute(update(ApiKeyRow).where(ApiKeyRow.id == key.id).values(disabled=disabled))
        work.record("key.disabled" if disabled else "key.enabled", subject=key.id, name=key.name)
    await context.in_force()
    return _view(key, owner).model_copy(update={"disabled": disabled})


async def delete_key(context: ServerContext, caller: Principal, key_id: str) -> None:
    """Deletes a key.

    Raises:
        RefusedError: there is no such key among those that ``caller`` may see.
    """
    async with context.database.unit_of_work(actor_of(caller)) as work:
        key, _ = await _existing(work, caller, key_id)
        await work.session.execute(delete(ApiKeyRow).where(ApiKeyRow.id == key.id))
        work.record("key.deleted", subject=key.id, name=key.name)
    await context.in_force()


def _visible(caller: Principal) -> Select[ApiKeyRow, str]:
    query = select(ApiKeyRow, UserRow.username).join(UserRow).where(~ApiKeyRow.system)
    return query if caller.is_admin else query.where(ApiKeyRow.user_id == caller.user_id)


async def _existing(work: UnitOfWork, caller: Principal, key_id: str) -> tuple[ApiKeyRow, str]:
    found = (await work.session.execute(_visible(caller).where(ApiKeyRow.id == key_id))).one_or_none()
    if found is None:
        refuse(ReasonCode.NOT_FOUND, kind="key", name=key_id)
    key, owner = found
    return key, owner


def _view(row: ApiKeyRow, owner: str) -> KeyView:
    return KeyView(
        id=row.id,
        name=row.name,
        scopes=tuple(Scope(scope) for scope in row.scopes),
        models=row.models,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        disabled=row.disabled,
        owner=owner,
    )
