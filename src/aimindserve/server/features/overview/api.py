"""``/overview``, ``/traffic`` and ``/nodes/{id}/devices/{id}/history``: how the whole stands, and how it got there."""

from typing import Annotated

from fastapi import Query, Request

from aimindserve.domain.access import Policy
from aimindserve.domain.history import STEP_SECONDS, Span
from aimindserve.domain.views_overview import DeviceHistoryView, OverviewView, TrafficView
from aimindserve.server.context import Context
from aimindserve.server.errors import language
from aimindserve.server.features.overview import service
from aimindserve.server.guards import feature_router, requires

router = feature_router("overview")

Back = Annotated[Span, Query(description="The last hour in steps of 30 s, or the last day in steps of 10 minutes.")]
Model = Annotated[str | None, Query(max_length=255, description="Only requests to this model.")]


@router.get("/overview")
@requires(Policy.USER)
async def read_overview(request: Request, context: Context) -> OverviewView:
    """Devices, replicas and deployments in numbers, and what needs attention."""
    return await service.overview(context, language(request))


@router.get("/traffic")
@requires(Policy.USER)
async def read_traffic(context: Context, span: Back = Span.HOUR, model: Model = None) -> TrafficView:
    """Requests over time: how many, how fast, how many failed. What ran and waited is
    kept in memory only."""
    points = context.history.traffic_points(span, context.clock(), model)
    return TrafficView(span=span, step=STEP_SECONDS[span], points=points)


@router.get("/nodes/{node_id}/devices/{device_id}/history")
@requires(Policy.USER)
async def read_device_history(
    node_id: str, device_id: str, context: Context, span: Back = Span.HOUR
) -> DeviceHistoryView:
    """Memory, load, temperature and power of a device over time. Kept in memory: a restart forgets it."""
    points = context.history.device_points(span, context.clock(), node_id, device_id)
    return DeviceHistoryView(span=span, step=STEP_SECONDS[span], points=points)
