"""Can this server serve? What is it set to?"""

import asyncio

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from aimindserve.server.context import ServerContext
from aimindserve.server.settings import SECRET_NAMES, Settings, without_password

_DATABASE_SECONDS = 2.0
_SHOWN_SECRET = "set"


async def not_ready_because(context: ServerContext) -> str | None:
    """What is missing before the server can serve, or None. Asks the database each time."""
    if not await _database_answers(context):
        return "the database does not answer"
    if not context.readiness.reconciled:
        return "the first look at deployments is not finished"
    if context.readiness.gateways < 1:
        return "no gateway is connected"
    return None


async def _database_answers(context: ServerContext) -> bool:
    try:
        async with asyncio.timeout(_DATABASE_SECONDS), context.database.read() as session:
            await session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError, TimeoutError):
        return False
    return True


def shown_settings(settings: Settings) -> dict[str, object]:
    """All settings, secrets as ``set``."""
    values = settings.model_dump(mode="json", exclude=SECRET_NAMES)
    values["database_url"] = without_password(settings.database_url)
    values["hub_proxy"] = without_password(settings.hub_proxy) if settings.hub_proxy else None
    values |= {name: _SHOWN_SECRET if getattr(settings, name) else None for name in sorted(SECRET_NAMES)}
    return values
