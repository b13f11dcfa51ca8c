"""``/system`` and ``/settings``: what runs here."""

from fastapi import APIRouter

from aimindserve import __version__
from aimindserve.domain.access import Policy
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.views import ItemList, SystemView, View
from aimindserve.server.context import Context
from aimindserve.server.errors import refuse
from aimindserve.server.features.system import service
from aimindserve.server.guards import feature_router, requires
from aimindserve.server.settings import Settings

router = feature_router("system")
health: APIRouter = feature_router("health")
"""Mounted at the root, beside ``/api/v1``."""


class SettingView(View):
    """One setting: its value now, its default, and what it is for. Secrets show as ``set``."""

    name: str
    value: object
    default: object
    help: str


class Ready(View):
    """The server can serve."""

    status: str = "ready"


@router.get("/system")
@requires(Policy.USER)
async def read_system(context: Context) -> SystemView:
    """Version and surroundings of the running server."""
    return SystemView(
        version=__version__,
        database="sqlite" if context.database.is_sqlite else "postgresql",
        data_dir=context.settings.data_dir,
        gateways=context.readiness.gateways,
        started_at=context.started_at,
    )


@router.get("/settings")
@requires(Policy.ADMIN)
async def list_settings(context: Context) -> ItemList[SettingView]:
    """All settings. They are set by flag, environment or file, and take effect at a start."""
    values = service.shown_settings(context.settings)
    return ItemList[SettingView](
        items=tuple(
            SettingView(
                name=name,
                value=values[name],
                default=None if field.default_factory else field.default,
                help=field.description or "",
            )
            for name, field in Settings.model_fields.items()
        )
    )


@health.get("/readyz")
@requires(Policy.PUBLIC)
async def readiness(context: Context) -> Ready:
    """Whether requests can be served: the database answers, deployments were looked at, a gateway is connected."""
    missing = await service.not_ready_because(context)
    if missing is not None:
        refuse(ReasonCode.NOT_READY, detail=missing)
    return Ready()
