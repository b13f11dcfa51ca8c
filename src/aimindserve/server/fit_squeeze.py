"""A running deployment with less: the parameters that keep it within a smaller number of bytes. Pure."""

from collections.abc import Callable, Mapping

from aimindserve.domain.fit_knobs import without
from aimindserve.domain.nodes import CPU_DEVICE_ID, NodeFacts
from aimindserve.domain.params import EngineParameter, Origin
from aimindserve.domain.reasons import Reason
from aimindserve.domain.replicas import Assignment, Replica
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.server.reconcile.planning import plan_of

# Eighths of what it holds now, the mildest first.
_STEPS = tuple(range(7, 0, -1))
# How much of the device it is told to take, and what lies on which, follows from the rest.
_FOLLOWS = frozenset({"--gpu-memory-utilization", "--tensor-split"})


def least_of(replica: Replica, beside: Callable[[int], DeploymentSpec | None]) -> DeploymentSpec | None:
    """The mildest spec that ``beside`` finds for a number of bytes on each device: first whether any will do."""
    if beside(1) is None:
        return None
    claims = replica.assignment.claims if replica.assignment else ()
    on_gpus = [claim.bytes for claim in claims if claim.device_id != CPU_DEVICE_ID]
    held = max(on_gpus or [claim.bytes for claim in claims], default=0)
    found = (spec for eighths in _STEPS if (spec := beside(held * eighths // 8)) is not None)
    return next(found, None) or beside(1)


def pinned(replica: Replica, budget: int, nodes: Mapping[str, NodeFacts], threads: int | None) -> DeploymentSpec | None:
    """The replica's spec with what its plan would choose for ``budget`` bytes on each device written down, so that it
    takes no more when more is free. None when that changes nothing."""
    assignment = replica.assignment
    if assignment is None or assignment.node_id not in nodes:
        return None
    node = nodes[assignment.node_id]
    smaller = plan_of(replica.spec, replica.facts, _within(assignment, budget), node, threads)
    now = plan_of(replica.spec, replica.facts, assignment, node, threads)
    if isinstance(smaller, Reason) or isinstance(now, Reason):
        return None
    before = {item.flag: item.value for item in now.parameters.parameters}
    changed = [item for item in smaller.parameters.parameters if _is_less(item, before)]
    if not changed:
        return None
    kept = without(replica.spec.parameters, {item.flag for item in changed})
    return replica.spec.model_copy(update={"parameters": (*kept, *map(_written, changed))})


def _within(assignment: Assignment, budget: int) -> Assignment:
    """The assignment with ``budget`` bytes on each device; the machine's memory beside GPUs stays."""
    on_gpus = any(claim.device_id != CPU_DEVICE_ID for claim in assignment.claims)
    claims = tuple(
        claim.model_copy(update={"bytes": budget}) if (claim.device_id != CPU_DEVICE_ID) == on_gpus else claim
        for claim in assignment.claims
    )
    return assignment.model_copy(update={"claims": claims})


def _is_less(item: EngineParameter, before: Mapping[str, str | None]) -> bool:
    """Whether the smaller plan says something else, and by its own choice."""
    said_before = item.flag in before and before[item.flag] == item.value
    return item.origin is not Origin.YOURS and item.flag not in _FOLLOWS and not said_before


def _written(item: EngineParameter) -> str:
    return item.flag if item.value is None else f"{item.flag}={item.value}"
