"""What a node does with a desired state: the decision, without the doing."""

from collections.abc import Collection
from dataclasses import dataclass

from aimindserve.domain.replicas import DesiredReplica, DesiredState


@dataclass(frozen=True, slots=True)
class AgentPlan:
    """``start``: replicas that run nowhere yet; ``stop``: ids of replicas that nobody wants; ``acked``: the revision
    that the node acts on from now on."""

    acked: int
    start: tuple[DesiredReplica, ...] = ()
    stop: tuple[str, ...] = ()


def plan_agent(desired: DesiredState, acked: int, present: Collection[str], stopping: Collection[str]) -> AgentPlan:
    """What to start and stop so that exactly the desired replicas remain.

    ``present``: ids of every replica that the node holds (found ledgers included); ``stopping``: those of them that
    have their stop order already. A stale revision changes nothing: an order that was overtaken must not bring back
    what a later one stopped.
    """
    if desired.revision < acked:
        return AgentPlan(acked=acked)
    wanted = {replica.id for replica in desired.replicas}
    return AgentPlan(
        acked=desired.revision,
        start=tuple(replica for replica in desired.replicas if replica.id not in present),
        stop=tuple(sorted(replica for replica in present if replica not in wanted and replica not in stopping)),
    )
