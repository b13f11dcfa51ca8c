"""``/usage``: what inference used."""

import csv
import io
from collections.abc import Iterable
from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from aimindserve.domain.access import Policy
from aimindserve.domain.views import ItemList
from aimindserve.domain.views_access import UsageView
from aimindserve.server.context import Context
from aimindserve.server.features.usage import service
from aimindserve.server.features.usage.service import By
from aimindserve.server.guards import Caller, feature_router, requires

router = feature_router("usage")

_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Days = Annotated[int, Query(ge=1, le=366, description="Days back from now, today included.")]
Grouping = Annotated[
    tuple[By, ...], Query(min_length=1, max_length=3, description="Sums for each model, key or user; repeat for more.")
]
ModelFilter = Annotated[str | None, Query(max_length=255, description="Only this model.")]
KeyFilter = Annotated[str | None, Query(max_length=32, description="Only the key with this id.")]
UserFilter = Annotated[str | None, Query(max_length=32, description="Only the person with this id.")]


@router.get("/usage")
@requires(Policy.USER)
async def list_usage(
    caller: Caller,
    context: Context,
    days: Days = 30,
    by: Grouping = (By.MODEL,),
    model: ModelFilter = None,
    key: KeyFilter = None,
    user: UserFilter = None,
) -> ItemList[UsageView]:
    """Requests and tokens by day (UTC). Administrators see everybody's, others their own."""
    asked = service.Asked(days, frozenset(by), model, key, user)
    return ItemList[UsageView](items=await service.by_day(context, caller, asked))


@router.get("/usage/export", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
@requires(Policy.USER)
async def export_usage(
    caller: Caller,
    context: Context,
    days: Days = 30,
    by: Grouping = (By.MODEL, By.KEY, By.USER),
    model: ModelFilter = None,
    key: KeyFilter = None,
    user: UserFilter = None,
) -> Response:
    """The same as a table (CSV, RFC 4180), ready for a spreadsheet."""
    asked = service.Asked(days, frozenset(by), model, key, user)
    rows = await service.by_day(context, caller, asked)
    headers = {"content-disposition": 'attachment; filename="aimindserve-usage.csv"'}
    return Response(_as_csv(rows), media_type="text/csv; charset=utf-8", headers=headers)


def _as_csv(rows: Iterable[UsageView]) -> str:
    """A line for each row, below the fields' names. A text that a spreadsheet would take for a formula gets a quote
    in front (OWASP, CSV injection): names are what people made up."""
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(UsageView.model_fields)
    for row in rows:
        table.writerow(_harmless(value) for value in row.model_dump().values())
    return written.getvalue()


def _harmless(value: str | int) -> str | int:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
