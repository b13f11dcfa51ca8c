"""Make, list, limit, disable and delete people. There is always one enabled administrator."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from aimindserve.domain.access import Principal, Role
from aimindserve.domain.changes import changes
from aimindserve.domain.limits import subject_of
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.views_access import UserPatch, UserRequest, UserView, limits_of, limits_view
from aimindserve.server.accounts import LOCAL_CLI, acceptable_hash, end_sessions, set_password, user_named
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import UserRow
from aimindserve.server.errors import refuse
from aimindserve.server.guards import actor_of
from aimindserve.server.tokens import new_id
from aimindserve.server.usage_store import spent_this_month


async def list_users(context: ServerContext) -> tuple[UserView, ...]:
    """All people, by name."""
    query = select(UserRow).where(UserRow.username != LOCAL_CLI).order_by(UserRow.username)
    async with context.database.read() as session:
        rows = list(await session.scalars(query))
        spent = await spent_this_month(session, context.clock())
    return tuple(_view(row, spent) for row in rows)


async def create_user(context: ServerContext, caller: Principal, body: UserRequest) -> UserView:
    """Makes a person, who must change the password at the first login.

    Raises:
        RefusedError: the name is taken, or the password is not good enough.
    """
    name = body.username.lower()
    stored = await acceptable_hash(context, body.password)
    async with context.database.unit_of_work(actor_of(caller)) as work:
        if await user_named(work.session, name) is not None:
            refuse(ReasonCode.NAME_TAKEN, name=name)
        row = UserRow(
            id=new_id(),
            username=name,
            password_hash=stored,
            role=body.role,
            disabled=False,
            must_change_password=True,
            created_at=work.now,
            limits=limits_of(body.limits),
        )
        work.session.add(row)
        work.record("user.created", subject=name, role=body.role)
        view = _view(row, {})
    await context.in_force()
    return view


async def edit_user(context: ServerContext, caller: Principal, user_id: str, body: UserPatch) -> UserView:
    """Changes a person: with ``disabled``, all their keys and sessions are kept out; after a new ``password`` they must
    log in with it and choose another.

    Raises:
        RefusedError: nobody has this id, it is the last enabled administrator, or the password is not good enough.
    """
    stored = None if body.password is None else await acceptable_hash(context, body.password)
    async with context.database.unit_of_work(actor_of(caller)) as work:
        row = await _existing(work.session, user_id)
        before = _told(row)
        await _apply(work, row, body)
        if stored is not None:
            await set_password(work, row.id, stored, must_change=True)
            await work.session.refresh(row)
            work.record("user.password_reset", subject=row.username)
        changed = changes(before, _told(row))
        if changed or stored is None:
            work.record(_what_happened(changed, row), subject=row.username, changes=changed)
        view = _view(row, await spent_this_month(work.session, work.now))
    await context.in_force()
    return view


async def _apply(work: UnitOfWork, row: UserRow, body: UserPatch) -> None:
    if body.disabled or body.role not in (None, Role.ADMIN):
        await _keep_one_admin(work.session, row)
    if body.disabled:
        await end_sessions(work.session, row.id)
    row.disabled = row.disabled if body.disabled is None else body.disabled
    row.role = row.role if body.role is None else body.role
    if "limits" in body.model_fields_set:
        row.limits = limits_of(body.limits)
    await work.session.flush()


def _told(row: UserRow) -> dict[str, Any]:
    """What an event may tell of a person."""
    limits = limits_view(row.limits).model_dump(exclude_none=True)
    return {"role": row.role, "disabled": row.disabled, "limits": limits}


def _what_happened(changed: Mapping[str, Any], row: UserRow) -> str:
    if set(changed) != {"disabled"}:
        return "user.changed"
    return "user.disabled" if row.disabled else "user.enabled"


async def delete_user(context: ServerContext, caller: Principal, user_id: str) -> None:
    """Deletes a person with all their keys and sessions. Usage stays.

    Raises:
        RefusedError: nobody has this id, or it is the last enabled administrator.
    """
    async with context.database.unit_of_work(actor_of(caller)) as work:
        row = await _existing(work.session, user_id)
        await _keep_one_admin(work.session, row)
        await work.session.execute(delete(UserRow).where(UserRow.id == row.id))
        work.record("user.deleted", subject=row.username)
    await context.in_force()


async def _existing(session: AsyncSession, user_id: str) -> UserRow:
    row = await session.get(UserRow, user_id)
    if row is None or row.username == LOCAL_CLI:
        refuse(ReasonCode.NOT_FOUND, kind="user", name=user_id)
    return row


async def _keep_one_admin(session: AsyncSession, row: UserRow) -> None:
    others = select(func.count()).where(
        UserRow.role == Role.ADMIN, ~UserRow.disabled, UserRow.id != row.id, UserRow.username != LOCAL_CLI
    )
    if row.role == Role.ADMIN and await session.scalar(others) == 0:
        refuse(ReasonCode.ACTION_NOT_ALLOWED, name=row.username, action="remove", phase="the last administrator")


def _view(row: UserRow, spent: Mapping[str, int]) -> UserView:
    return UserView(
        id=row.id,
        username=row.username,
        role=Role(row.role),
        disabled=row.disabled,
        must_change_password=row.must_change_password,
        created_at=row.created_at,
        last_login_at=row.last_login_at,
        limits=limits_view(row.limits),
        tokens_this_month=spent.get(subject_of(user_id=row.id), 0),
    )
