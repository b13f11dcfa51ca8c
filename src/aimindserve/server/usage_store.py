"""Finished requests, as gateways report them: each is kept once however often it is sent, and summed up by day."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import BigInteger, Integer, String, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from aimindserve.domain.limits import month_begins, subject_of
from aimindserve.domain.usage import DAY_SECONDS, UsageRecord, UsageSum, sums_by_day
from aimindserve.server.db.engine import Database
from aimindserve.server.db.tables import ApiKeyRow, UsageDayRow, UsageRow, UserRow

_COLUMNS = UsageRow.__table__.columns
_NAMES = tuple(each.name for each in fields(UsageRecord))
_LENGTHS = {column.name: column.type.length for column in _COLUMNS if isinstance(column.type, String)}
_MOST = {
    column.name: 2**63 - 1 if isinstance(column.type, BigInteger) else 2**31 - 1
    for column in _COLUMNS
    if isinstance(column.type, Integer)
}
_LATEST = 1e11  # as Unix seconds the year 5138, and its day fits any column
# Rows of one statement: PostgreSQL takes 32,767 values, SQLite as many.
_AT_ONCE = 500


async def store_usage(database: Database, records: Sequence[UsageRecord]) -> list[UsageRecord]:
    """Stores ``records`` durably and returns those that were new; the others stay as they are. Sums by day and keys'
    last use move on in the same transaction."""
    new: list[UsageRecord] = []
    if not records:
        return new
    async with database.unit_of_work("gateway", quiet=True) as work:
        dialect = sqlite if database.engine.dialect.name == "sqlite" else postgresql
        for start in range(0, len(records), _AT_ONCE):
            new += await _insert(work.session, dialect, [_storable(one) for one in records[start : start + _AT_ONCE]])
        for total in sums_by_day(new):
            await _add(work.session, dialect, total)
        for key_id, used_at in _last_uses(new).items():
            newer = ApiKeyRow.last_used_at.is_(None) | (ApiKeyRow.last_used_at < used_at)
            await work.session.execute(
                update(ApiKeyRow).where(ApiKeyRow.id == key_id, newer).values(last_used_at=used_at)
            )
    return new


async def usage_since(database: Database, since: float, most: int) -> list[UsageRecord]:
    """The latest ``most`` records from ``since`` (Unix seconds) on."""
    query = select(UsageRow).where(UsageRow.started_at >= since).order_by(UsageRow.started_at.desc()).limit(most)
    async with database.read() as session:
        rows = await session.scalars(query)
        return [UsageRecord(**{name: getattr(row, name) for name in _NAMES}) for row in rows]


async def _insert(session: AsyncSession, dialect: Any, records: Sequence[UsageRecord]) -> list[UsageRecord]:
    """Stores what is not there yet, and returns it."""
    once = {record.request_id: record for record in reversed(records)}
    statement = dialect.insert(UsageRow).values([asdict(record) for record in once.values()])
    statement = statement.on_conflict_do_nothing(index_elements=["request_id"]).returning(UsageRow.request_id)
    return [once[stored] for stored in await session.scalars(statement)]


async def _add(session: AsyncSession, dialect: Any, total: UsageSum) -> None:
    insert = dialect.insert(UsageDayRow).values(asdict(total))
    keys = [column.name for column in UsageDayRow.__table__.primary_key]
    sums = {
        column.name: column + insert.excluded[column.name]
        for column in UsageDayRow.__table__.columns
        if column.name not in keys
    }
    await session.execute(insert.on_conflict_do_update(index_elements=keys, set_=sums))


def _storable(record: UsageRecord) -> UsageRecord:
    """A row that no column refuses: one that could never be stored would hold up all that come after it."""
    return UsageRecord(**{name: _fitting(name, value) for name, value in asdict(record).items()})


def _fitting(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")[: _LENGTHS[name]]
    if isinstance(value, int):
        return min(max(value, 0), _MOST[name])
    if isinstance(value, float):
        return min(max(value, 0.0), _LATEST)
    return value


def _last_uses(records: Sequence[UsageRecord]) -> dict[str, float]:
    uses: dict[str, float] = {}
    for record in records:
        if record.key_id is not None:
            uses[record.key_id] = max(record.started_at, uses.get(record.key_id, 0.0))
    return uses


async def spent_this_month(session: AsyncSession, now: float) -> dict[str, int]:
    """Tokens that everybody has used in the month (UTC) of ``now``, by ``subject_of``."""
    tokens = func.sum(UsageDayRow.prompt_tokens + UsageDayRow.completion_tokens)
    query = select(UsageDayRow.key_id, UsageDayRow.user_id, tokens).where(_this_month(now))
    rows = (await session.execute(query.group_by(UsageDayRow.key_id, UsageDayRow.user_id))).all()
    return _by_subject(rows)


async def spent_of_limited(database: Database, now: float, records: Sequence[UsageRecord] | None) -> dict[str, int]:
    """The same of those who have a limit of tokens for it: all of them, or those whose requests ``records`` are."""
    async with database.read() as session:
        keys = list(await session.execute(select(ApiKeyRow.id, ApiKeyRow.limits).where(ApiKeyRow.limits.is_not(None))))
        users = list(await session.execute(select(UserRow.id, UserRow.limits).where(UserRow.limits.is_not(None))))
        limited_keys, limited_users = _with_month(keys), _with_month(users)
        if records is not None:
            limited_keys &= {record.key_id for record in records}
            limited_users &= {record.user_id for record in records}
        if not limited_keys and not limited_users:
            return {}
        tokens = func.sum(UsageDayRow.prompt_tokens + UsageDayRow.completion_tokens)
        whose = or_(UsageDayRow.key_id.in_(limited_keys), UsageDayRow.user_id.in_(limited_users))
        query = select(UsageDayRow.key_id, UsageDayRow.user_id, tokens).where(and_(_this_month(now), whose))
        rows = (await session.execute(query.group_by(UsageDayRow.key_id, UsageDayRow.user_id))).all()
    wanted = {subject_of(key_id=key) for key in limited_keys} | {subject_of(user_id=user) for user in limited_users}
    return {subject: tokens for subject, tokens in _by_subject(rows).items() if subject in wanted}


def _with_month(rows: Iterable[Any]) -> set[str]:
    return {row[0] for row in rows if row[1] is not None and row[1].tokens_per_month is not None}


def _this_month(now: float) -> Any:
    return UsageDayRow.day.between(int(month_begins(now) // DAY_SECONDS), int(now // DAY_SECONDS) + 1)


def _by_subject(rows: Iterable[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for key_id, user_id, tokens in rows:
        for subject in (subject_of(key_id=key_id), subject_of(user_id=user_id)):
            found[subject] = found.get(subject, 0) + int(tokens)
    return found
