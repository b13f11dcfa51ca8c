"""Usage as gateways report it is kept once, and nothing holds it up."""

from sqlalchemy import select
from tests.server_life.life import record

from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import ApiKeyRow, UsageRow
from aimindserve.server.usage_store import store_usage


async def _rows(context: ServerContext) -> list[UsageRow]:
    async with context.database.read() as session:
        return list(await session.scalars(select(UsageRow).order_by(UsageRow.started_at)))


async def test_usage_is_stored_once_however_often_it_comes(context: ServerContext) -> None:
    await store_usage(context.database, [record(1), record(2)])
    await store_usage(context.database, [record(1, completion_tokens=99), record(2), record(3)])
    await store_usage(context.database, [record(4), record(4)])
    await store_usage(context.database, [])
    rows = await _rows(context)
    assert [row.request_id for row in rows] == ["request-1", "request-2", "request-3", "request-4"]
    assert [row.completion_tokens for row in rows] == [1, 2, 3, 4]


async def test_no_record_can_hold_up_the_others(context: ServerContext) -> None:
    strange = record(1, request_id="x" * 500, model="a\0b" * 200, prompt_tokens=10**30, completion_tokens=-5)
    await store_usage(context.database, [strange, record(2)])
    rows = await _rows(context)
    assert [row.completion_tokens for row in rows] == [0, 2]
    assert len(rows[0].request_id) == 128
    assert rows[0].model.startswith("abab")


async def test_a_keys_last_use_only_moves_forward(context: ServerContext) -> None:
    async with context.database.read() as session:
        key = await session.scalar(select(ApiKeyRow))
    assert key is not None
    for number in (7, 3):
        await store_usage(context.database, [record(number, key_id=key.id)])
    async with context.database.read() as session:
        assert await session.scalar(select(ApiKeyRow.last_used_at)) == record(7).started_at
