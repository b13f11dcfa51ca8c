"""Sums of usage."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from aimindserve.domain.access import Principal
from aimindserve.domain.usage import DAY_SECONDS
from aimindserve.domain.views_access import UsageView
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import ApiKeyRow, UsageDayRow, UserRow

_SUMS = ("requests", "failed", "prompt_tokens", "completion_tokens", "cached_tokens", "image_tokens", "images")


class By(StrEnum):
    """What sums are made for, within each day."""

    MODEL = "model"
    KEY = "key"
    USER = "user"


_COLUMNS = {By.MODEL: UsageDayRow.model, By.KEY: UsageDayRow.key_id, By.USER: UsageDayRow.user_id}
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """Which usage: of the last ``days`` days (UTC), today included; None: of every model, key or person."""

    days: int
    by: frozenset[By]
    model: str | None = None
    key_id: str | None = None
    user_id: str | None = None


async def by_day(context: ServerContext, caller: Principal, asked: Asked) -> tuple[UsageView, ...]:
    """Sums by day and what else was asked for, newest day first. Administrators see everybody's, others their own."""
    query = _query(asked, int(context.clock() // DAY_SECONDS))
    if not caller.is_admin:
        query = query.where(UsageDayRow.user_id == caller.user_id)
    async with context.database.read() as session:
        rows = [dict(row) for row in (await session.execute(query)).mappings()]
        keys = await _names(session, ApiKeyRow.id, ApiKeyRow.name, {row.get("key_id", "") for row in rows})
        users = await _names(session, UserRow.id, UserRow.username, {row.get("user_id", "") for row in rows})
    return tuple(_view(row, keys, users) for row in rows)


def _query(asked: Asked, today: int) -> Any:
    day = UsageDayRow.day
    grouped = [day, *(column for by, column in _COLUMNS.items() if by in asked.by)]
    query = select(*grouped, *(func.sum(getattr(UsageDayRow, name)).label(name) for name in _SUMS))
    # A gateway whose clock is ahead may already count for tomorrow.
    query = query.where(day > today - asked.days, day <= today + 1)
    for column, wanted in zip(_COLUMNS.values(), (asked.model, asked.key_id, asked.user_id), strict=True):
        if wanted is not None:
            query = query.where(column == wanted)
    return query.group_by(*grouped).order_by(day.desc(), *grouped[1:])


async def _names(session: AsyncSession, identity: Any, name: Any, wanted: Collection[str]) -> dict[str, str]:
    """Names by id, of those that still exist."""
    ids = sorted(filter(None, wanted))
    names: dict[str, str] = {}
    for start in range(0, len(ids), _AT_ONCE):
        query = select(identity, name).where(identity.in_(ids[start : start + _AT_ONCE]))
        names |= {row[0]: row[1] for row in (await session.execute(query)).all()}
    return names


def _view(row: dict[str, Any], keys: dict[str, str], users: dict[str, str]) -> UsageView:
    key_id, user_id = row.get("key_id", ""), row.get("user_id", "")
    return UsageView(
        day=datetime.fromtimestamp(row["day"] * DAY_SECONDS, UTC).strftime("%Y-%m-%d"),
        model=row.get("model", ""),
        key_id=key_id,
        key=keys.get(key_id, ""),
        user_id=user_id,
        user=users.get(user_id, ""),
        **{name: int(row[name]) for name in _SUMS},
    )
