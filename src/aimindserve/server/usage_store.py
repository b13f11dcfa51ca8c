"""Finished requests, as gateways report them: each is kept once however often it is sent."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import BigInteger, Dialect, Insert, Integer, String, update
from sqlalchemy.dialects import postgresql, sqlite

from aimindserve.domain.usage import UsageRecord
from aimindserve.server.db.engine import Database
from aimindserve.server.db.tables import ApiKeyRow, UsageRow

_COLUMNS = UsageRow.__table__.columns
_LENGTHS = {column.name: column.type.length for column in _COLUMNS if isinstance(column.type, String)}
_MOST = {
    column.name: 2**63 - 1 if isinstance(column.type, BigInteger) else 2**31 - 1
    for column in _COLUMNS
    if isinstance(column.type, Integer)
}


async def store_usage(database: Database, records: Sequence[UsageRecord]) -> None:
    """Stores ``records`` durably; those that are there already stay as they are. Keys' last use moves forward."""
    if not records:
        return
    async with database.unit_of_work("gateway", quiet=True) as work:
        statement = _insert_new(database.engine.dialect)
        await work.session.execute(statement, [_storable(record) for record in records])
        for key_id, used_at in _last_uses(records).items():
            newer = ApiKeyRow.last_used_at.is_(None) | (ApiKeyRow.last_used_at < used_at)
            await work.session.execute(
                update(ApiKeyRow).where(ApiKeyRow.id == key_id, newer).values(last_used_at=used_at)
            )


def _storable(record: UsageRecord) -> dict[str, Any]:
    """A row that no column refuses: one that could never be stored would hold up all that come after it."""
    return {name: _fitting(name, value) for name, value in asdict(record).items()}


def _fitting(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")[: _LENGTHS[name]]
    if isinstance(value, int):
        return min(max(value, 0), _MOST[name])
    return value


def _insert_new(dialect: Dialect) -> Insert:
    insert = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
    return insert(UsageRow).on_conflict_do_nothing(index_elements=["request_id"])


def _last_uses(records: Sequence[UsageRecord]) -> dict[str, float]:
    uses: dict[str, float] = {}
    for record in records:
        if record.key_id is not None:
            uses[record.key_id] = max(record.started_at, uses.get(record.key_id, 0.0))
    return uses
