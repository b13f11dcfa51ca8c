"""All reconcilers together, from the first look to the end."""

import asyncio
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from aimindserve.fabric._base import Fabric
from aimindserve.server.channel import GatewayChannel
from aimindserve.server.context import ServerContext
from aimindserve.server.reconcile.cleanup import reconcile_cleanup
from aimindserve.server.reconcile.demand import Demand
from aimindserve.server.reconcile.environments import reconcile_environments
from aimindserve.server.reconcile.files import reconcile_files
from aimindserve.server.reconcile.loop import Loop, wake_after_commits
from aimindserve.server.reconcile.nodes import NodeLoops
from aimindserve.server.reconcile.placement import reconcile_placement
from aimindserve.server.reconcile.relief import reconcile_relief
from aimindserve.server.reconcile.replicas import reconcile_replicas
from aimindserve.server.reconcile.routes import read_table

# Commits and nodes wake the loops; the periods are for what only time changes (silence, expiry) and for lost wakes.
_DISCOVER_SECONDS = 5.0
_PLAN_SECONDS = 10.0
_DEMAND_SECONDS = 2.0
_ROUTES_SECONDS = 5.0
_CLEANUP_SECONDS = 3600.0
# A gateway takes a table in milliseconds. One that does not is stuck, and holds nobody up for longer than this.
_GATEWAY_SECONDS = 1.0


class Reconcilers:
    """Keeps nodes, replicas and gateways as the database says."""

    def __init__(self, context: ServerContext, fabric: Fabric, channel: GatewayChannel) -> None:
        self._context = context
        self._channel = channel
        self._publishing = asyncio.Lock()
        self._nodes = NodeLoops(context, fabric)
        self._plan = Loop("plan", self._plan_once, period=_PLAN_SECONDS)
        self._demand = Loop("demand", Demand(context, channel.loads).step, period=_DEMAND_SECONDS)
        self._routes = Loop("routes", self._publish, period=_ROUTES_SECONDS)
        self._cleanup = Loop("cleanup", lambda: reconcile_cleanup(context), period=_CLEANUP_SECONDS)

    async def run(self) -> None:
        """Runs until it is cancelled.

        Nodes come first: a table made before they were heard would take away routes of engines that run.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(wake_after_commits(self._context.bus, self._woken))
            group.create_task(wake_after_commits(self._channel.moves, lambda: [self._plan, self._demand]))
            discover = Loop("nodes", lambda: self._nodes.discover(group), period=_DISCOVER_SECONDS)
            group.create_task(discover.run())
            await self._nodes.settled()
            group.create_task(self._plan.run())
            await self._plan.tried.wait()
            group.create_task(self._routes.run())
            group.create_task(self._demand.run())
            group.create_task(self._cleanup.run())

    def _woken(self) -> list[Loop]:
        return [self._plan, self._demand, self._routes, *self._nodes.all()]

    async def _plan_once(self) -> None:
        await reconcile_relief(self._context)
        await reconcile_replicas(self._context, self._channel.is_idle)
        await reconcile_placement(self._context)
        await reconcile_files(self._context)
        await reconcile_environments(self._context)

    async def in_force(self) -> None:
        """See ``ServerContext``. Before the first table there is none to bring up to date."""
        if not self._routes.rounds:
            return
        # What was committed stays so: the loop tries again.
        with suppress(SQLAlchemyError, OSError):
            await self._publish()
            await self._channel.acknowledged(_GATEWAY_SECONDS)

    async def _publish(self) -> None:
        # One at a time, so that a table that was read earlier never replaces one that was read later.
        async with self._publishing:
            self._channel.publish(await read_table(self._context))
        self._context.readiness.reconciled = True
