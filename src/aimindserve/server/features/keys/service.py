"""API keys: made, listed, changed, deleted. People see their own, administrators all."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Select, delete, select

from aimindserve.domain.access import Principal, Scope
from aimindserve.domain.changes import changes
from aimindserve.domain.limits import subject_of
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.views_access import KeyCreated, KeyPatch, KeyRequest, KeyView, limits_of, limits_view
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import ApiKeyRow, UserRow
from aimindserve.server.errors import refuse
from aimindserve.server.guards import actor_of
from aimindserve.server.tokens import new_key
from aimindserve.server.usage_store import spent_this_month


async def list_keys(context: ServerContext, caller: Principal) -> tuple[KeyView, ...]:
    """The keys that ``caller`` may see, newest first."""
    query = _visible(caller).order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.id)
    async with context.database.read() as session:
        rows = (await session.execute(query)).all()
        spent = await spent_this_month(session, context.clock())
    return tuple(_view(key, owner, spent) for key, owner in rows)


async def create_key(context: ServerContext, caller: Principal, body: KeyRequest) -> KeyCreated:
    """Makes a key for ``caller``. The token in the answer is stored nowhere."""
    made = new_key()
    async with context.database.unit_of_work(actor_of(caller)) as work:
        row = ApiKeyRow(
            id=made.id,
            digest=context.digester.digest(made.token),
            user_id=caller.user_id,
            name=body.name,
            scopes=_scopes(body.scopes),
            models=body.models,
            expires_at=None if body.expires_in is None else work.now + body.expires_in,
            disabled=False,
            system=False,
            created_at=work.now,
            last_used_at=None,
            networks=body.networks,
            limits=limits_of(body.limits),
        )
        work.session.add(row)
        work.record("key.created", subject=made.id, name=body.name, scopes=list(row.scopes))
        view = _view(row, caller.username, {})
    await context.in_force()
    return KeyCreated(**view.model_dump(), token=made.token)


async def edit_key(context: ServerContext, caller: Principal, key_id: str, body: KeyPatch) -> KeyView:
    """Changes a key; it works differently, or no longer, once this returns.

    Raises:
        RefusedError: there is no such key among those that ``caller`` may see.
    """
    async with context.database.unit_of_work(actor_of(caller)) as work:
        key, owner = await _existing(work, caller, key_id)
        before = _told(key)
        values = _changes(body, work.now)
        for name, value in values.items():
            setattr(key, name, value)
        changed = changes(before, _told(key))
        work.record(_what_happened(values), subject=key.id, name=key.name, changes=changed)
        spent = await spent_this_month(work.session, work.now)
        view = _view(key, owner, spent)
    await context.in_force()
    return view


def _changes(body: KeyPatch, now: float) -> dict[str, Any]:
    """New values by column, of the fields that were sent."""
    values: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if "scopes" in values:
        values["scopes"] = _scopes(body.scopes or ())
    if "limits" in values:
        values["limits"] = limits_of(body.limits)
    if "expires_in" in values:
        seconds = values.pop("expires_in")
        values["expires_at"] = None if seconds is None else now + seconds
    return values


def _told(key: ApiKeyRow) -> dict[str, Any]:
    """What an event may tell of a key."""
    listed = {name: list(value) for name in ("scopes", "models", "networks") if (value := getattr(key, name))}
    limits = limits_view(key.limits).model_dump(exclude_none=True)
    return {"name": key.name, "expires_at": key.expires_at, "disabled": key.disabled, "limits": limits, **listed}


def _what_happened(values: dict[str, Any]) -> str:
    if set(values) == {"disabled"}:
        return "key.disabled" if values["disabled"] else "key.enabled"
    return "key.changed"


def _scopes(scopes: Iterable[Scope]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(scope.value for scope in scopes))


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


def _view(row: ApiKeyRow, owner: str, spent: Mapping[str, int]) -> KeyView:
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
        networks=row.networks,
        limits=limits_view(row.limits),
        tokens_this_month=spent.get(subject_of(key_id=row.id), 0),
    )
