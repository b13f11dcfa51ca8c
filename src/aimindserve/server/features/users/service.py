"""Make, list, limit, disable and delete people. There is always one enabled administrator."""

from collections.abc import Mapping

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from aimindserve.domain.access import Principal
from aimindserve.domain.limits import subject_of
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.views_access import UserPatch, UserRequest, UserView, limits_of, limits_view
from aimindserve.server.accounts import LOCAL_CLI, acceptable_hash, end_sessions, user_named
from aimindserve.server.context import ServerContext
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
            is_admin=body.is_admin,
            disabled=False,
            must_change_password=True,
            created_at=work.now,
            limits=limits_of(body.limits),
        )
        work.session.add(row)
        work.record("user.created", subject=name, is_admin=body.is_admin)
        view = _view(row, {})
    await context.in_force()
    return view


async def edit_user(context: ServerContext, caller: Principal, user_id: str, body: UserPatch) -> UserView:
    """Changes a person: with ``disabled``, all their keys and sessions are kept out.

    Raises:
        RefusedError: nobody has this id, or it is the last enabled administrator.
    """
    async with context.database.unit_of_work(actor_of(caller)) as work:
        row = await _existing(work.session, user_id)
        changed = sorted(body.model_fields_set)
        if body.disabled is not None:
            if body.disabled:
                await _keep_one_admin(work.session, row)
                await end_sessions(work.session, row.id)
            row.disabled = body.disabled
        if "limits" in changed:
            row.limits = limits_of(body.limits)
        kind = "user.changed"
        if changed == ["disabled"]:
            kind = "user.disabled" if body.disabled else "user.enabled"
        work.record(kind, subject=row.username, changed=changed)
        view = _view(row, await spent_this_month(work.session, work.now))
    await context.in_force()
    return view


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
        UserRow.is_admin, ~UserRow.disabled, UserRow.id != row.id, UserRow.username != LOCAL_CLI
    )
    if row.is_admin and await session.scalar(others) == 0:
        refuse(ReasonCode.ACTION_NOT_ALLOWED, name=row.username, action="remove", phase="the last administrator")


def _view(row: UserRow, spent: Mapping[str, int]) -> UserView:
    return UserView(
        id=row.id,
        username=row.username,
        is_admin=row.is_admin,
        disabled=row.disabled,
        must_change_password=row.must_change_password,
        created_at=row.created_at,
        limits=limits_view(row.limits),
        tokens_this_month=spent.get(subject_of(user_id=row.id), 0),
    )
