"""The demo model, deployed once."""

from sqlalchemy import select

from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import DeploymentRow, SettingRow
from aimindserve.server.errors import RefusedError
from aimindserve.server.features.deployments import service

DEMO = DeploymentSpec(name="tiny-vlm", source="demo://tiny-vlm", engine="llama.cpp")
_DONE = "demo_deployed"


async def ensure_demo(context: ServerContext) -> bool:
    """Deploys the demo model unless that was done before: who deletes it is not given it again. True when it was
    deployed now.

    Raises:
        RefusedError: it cannot be deployed here.
    """
    async with context.database.read() as session:
        done = await session.get(SettingRow, _DONE)
        present = await session.scalar(select(DeploymentRow.id).where(DeploymentRow.name == DEMO.name))
    if done is None and present is None:
        try:
            await service.create(context, DEMO, "system")
        except RefusedError as refused:
            if refused.why.code is not ReasonCode.NAME_TAKEN:
                raise
    if done is None:
        async with context.database.unit_of_work(quiet=True) as work:
            await work.session.merge(SettingRow(name=_DONE, value=True, updated_at=work.now))
    return done is None and present is None
