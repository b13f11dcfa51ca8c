"""``/metrics`` of the management API: deployments, replicas, nodes and devices. Requests are the gateway's to count."""

from fastapi.responses import PlainTextResponse

from aimindserve.domain.access import Policy
from aimindserve.domain.metrics import exposition
from aimindserve.server.context import Context
from aimindserve.server.features.metrics.service import samples
from aimindserve.server.guards import feature_router, requires

router = feature_router("metrics")
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/metrics", response_class=PlainTextResponse)
@requires(Policy.METRICS)
async def read_metrics(context: Context) -> PlainTextResponse:
    """Deployments, replicas, nodes and devices in Prometheus' text format."""
    return PlainTextResponse(exposition(await samples(context)), media_type=_PROMETHEUS)
