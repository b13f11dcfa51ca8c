"""``/usage``: what inference used."""

from typing import Annotated

from fastapi import Query

from aimindserve.domain.access import Policy
from aimindserve.domain.views import ItemList, UsageView
from aimindserve.server.context import Context
from aimindserve.server.features.usage import service
from aimindserve.server.guards import Caller, feature_router, requires

router = feature_router("usage")

_DAY_SECONDS = 86_400.0


@router.get("/usage")
@requires(Policy.USER)
async def list_usage(
    caller: Caller,
    context: Context,
    days: Annotated[int, Query(ge=1, le=366, description="Days back from now, today included.")] = 30,
) -> ItemList[UsageView]:
    """Requests and tokens by day (UTC) and model."""
    now = context.clock()
    first_day = (now // _DAY_SECONDS - days + 1) * _DAY_SECONDS
    items = await service.by_day(context, caller, first_day, now + _DAY_SECONDS)
    return ItemList[UsageView](items=items)
