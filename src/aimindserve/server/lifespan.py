"""What runs beside the API, put together: this machine's node, the reconcilers, the gateways' channel."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from aimindserve.devices.machine import DeclaredProbe, MachineProbe
from aimindserve.domain.usage import DAY_SECONDS
from aimindserve.fabric.local import LocalFabric
from aimindserve.node.agent import NodeAgent
from aimindserve.node.config import NodeConfig
from aimindserve.server.channel import GatewayChannel
from aimindserve.server.context import ServerContext
from aimindserve.server.demo import ensure_demo
from aimindserve.server.errors import RefusedError
from aimindserve.server.files import create_private_file, read_private_file
from aimindserve.server.reconcile.life import Reconcilers
from aimindserve.server.settings import Settings
from aimindserve.server.tokens import new_id
from aimindserve.server.usage_store import usage_since

log = structlog.get_logger()

_MOST_REMEMBERED = 20_000


@asynccontextmanager
async def whole_life(context: ServerContext) -> AsyncIterator[None]:
    """Reconcilers, this machine's node and the gateways' channel, from before the first request until after the
    last."""
    agent = local_agent(context.settings)
    fabric = LocalFabric(agent)
    context.fabric = fabric
    channel = GatewayChannel(context)
    listener = channel.open()
    reconcilers = Reconcilers(context, fabric, channel)
    context.in_force = reconcilers.in_force
    await _offer_demo(context)
    await _remember_traffic(context)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(agent.run()),
            group.create_task(channel.serve(listener)),
            group.create_task(reconcilers.run()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


def local_agent(settings: Settings) -> NodeAgent:
    """The agent of this machine. Its engines outlive it.

    Raises:
        OSError: the node's name cannot be kept.
        FleetError: the declared fleet cannot be used.
    """
    probe = DeclaredProbe(Path(settings.declared_fleet)) if settings.declared_fleet else MachineProbe()
    config = NodeConfig(
        node_id=node_id(Path(settings.paths.node_id)),
        data_dir=Path(settings.data_dir),
        llama_server=settings.llama_server,
        llama_threads=settings.llama_threads,
        labels=settings.node_labels,
    )
    return NodeAgent(config, probe, probe.used_by)


def node_id(path: Path) -> str:
    """The name of this machine as a node, made once. It lies beside the replicas that belong to it, so that a change
    of host name or of database leaves them together.

    Raises:
        OSError: it can be neither read nor written.
    """
    try:
        return read_private_file(path).decode().strip()
    except FileNotFoundError:
        made = new_id()
        create_private_file(path, f"{made}\n".encode())
        return made


async def _remember_traffic(context: ServerContext) -> None:
    """The figures of the last day, as far as a start may take the time to read them."""
    context.history.count(await usage_since(context.database, context.clock() - DAY_SECONDS, _MOST_REMEMBERED))


async def _offer_demo(context: ServerContext) -> None:
    if not context.settings.demo:
        return
    try:
        await ensure_demo(context)
    except RefusedError as refused:
        log.warning("the demo model cannot be deployed", reason=refused.why.code, **refused.why.params)
