"""Sums of usage."""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, case, cast, func, select

from aimindserve.domain.access import Principal
from aimindserve.domain.views import UsageView
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import UsageRow

_DAY_SECONDS = 86_400


async def by_day(context: ServerContext, caller: Principal, since: float, until: float) -> tuple[UsageView, ...]:
    """Sums by day (UTC) and model over requests started in ``[since, until)``, newest day first. Administrators see
    everybody's, others their own."""
    day = cast(func.floor(UsageRow.started_at / _DAY_SECONDS), BigInteger)
    query = (
        select(
            day.label("day"),
            UsageRow.model,
            func.count(),
            func.sum(case((UsageRow.status >= 400, 1), else_=0)),
            func.sum(UsageRow.prompt_tokens),
            func.sum(UsageRow.completion_tokens),
        )
        .where(UsageRow.started_at >= since, UsageRow.started_at < until)
        .group_by(day, UsageRow.model)
        .order_by(day.desc(), UsageRow.model)
    )
    if not caller.is_admin:
        query = query.where(UsageRow.user_id == caller.user_id)
    async with context.database.read() as session:
        rows = (await session.execute(query)).all()
    return tuple(
        UsageView(
            day=datetime.fromtimestamp(number * _DAY_SECONDS, UTC).strftime("%Y-%m-%d"),
            model=model,
            requests=requests,
            failed=int(failed),
            prompt_tokens=int(prompt),
            completion_tokens=int(completion),
        )
        for number, model, requests, failed, prompt, completion in rows
    )
