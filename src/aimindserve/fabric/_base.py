"""What the server needs of the machines it runs models on."""

from typing import Protocol

from aimindserve.domain.replicas import DesiredState, LogChunk, NodeRef, NodeReport


class Fabric(Protocol):
    """Reaches nodes. Every method may be called at any time and as often as wanted."""

    async def nodes(self) -> list[NodeRef]:
        """Identity, address and liveness of every node."""
        ...

    async def sync(self, node: str, desired: DesiredState) -> NodeReport:
        """Send the whole desired state, get the whole observed state.

        Level-triggered: what ``desired`` does not name is stopped. A revision below the acknowledged one is ignored
        and answered with the present report. An order reaches the agent that lives when it is sent, or none: a later
        one has acknowledged nothing yet and would follow it (docs/adr/0007).
        """
        ...

    async def report(self, node: str) -> NodeReport:
        """The whole observed state, without an order. ``acked_revision`` is 0 until the node's first ``sync``."""
        ...

    async def wait_change(self, node: str, seen: int) -> int:
        """Wait until the node's observations have changed since change number ``seen`` (0: return at once).

        Returns the present change number, to be given the next time.
        """
        ...

    async def read_log(self, node: str, replica: str, attempt: int, offset: int) -> LogChunk | None:
        """A piece of a replica's log; None when there is no such replica or attempt.

        ``attempt`` counts from 1, 0 means the latest. ``offset`` in bytes; a negative one counts from the end.
        """
        ...
