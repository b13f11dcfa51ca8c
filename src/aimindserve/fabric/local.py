"""The fabric of a single machine: the agent in this very process."""

from aimindserve.domain.replicas import DesiredState, LogChunk, NodeRef, NodeReport
from aimindserve.node.agent import NodeAgent


class LocalFabric:
    """Calls one agent directly. The agent's ``run`` is somebody else's to keep running."""

    def __init__(self, agent: NodeAgent) -> None:
        self._agent = agent

    async def nodes(self) -> list[NodeRef]:
        """This machine."""
        return [NodeRef(node_id=self._agent.config.node_id, address="127.0.0.1")]

    async def sync(self, node: str, desired: DesiredState) -> NodeReport:
        """See ``Fabric.sync``."""
        self._check(node)
        return await self._agent.sync(desired)

    async def report(self, node: str) -> NodeReport:
        """See ``Fabric.report``."""
        self._check(node)
        return await self._agent.report()

    async def wait_change(self, node: str, seen: int) -> int:
        """See ``Fabric.wait_change``."""
        self._check(node)
        return await self._agent.wait_change(seen)

    async def read_log(self, node: str, replica: str, attempt: int, offset: int) -> LogChunk | None:
        """See ``Fabric.read_log``."""
        self._check(node)
        return await self._agent.read_log(replica, attempt, offset)

    def _check(self, node: str) -> None:
        if node != self._agent.config.node_id:
            raise LookupError(f"no node {node}")
