"""Which machines may take replicas at all, whatever is free on them."""

from aimindserve.domain.nodes import NodeFacts, labels_text
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.specs import PlacementWishes


def left_out(node: NodeFacts, wishes: PlacementWishes) -> Reason | None:
    """Why a machine gets no replica with such wishes; None when it may get one."""
    if not _is_named(node, wishes):
        return reason(ReasonCode.NODE_NOT_WISHED)
    missing = {name: value for name, value in wishes.labels.items() if node.labels.get(name) != value}
    if missing:
        told = labels_text(missing)
        return reason(ReasonCode.NODE_LABELS_MISSING, node=node.hostname, labels=told, words=told.replace(", ", " "))
    return reason(ReasonCode.NODE_DRAINED, node=node.hostname) if node.drained else None


def _is_named(node: NodeFacts, wishes: PlacementWishes) -> bool:
    by_node = not wishes.nodes or node.node_id in wishes.nodes
    return by_node and (not wishes.devices or any(device.id in wishes.devices for device in node.devices))


def all_left_out(reasons: list[Reason], wishes: PlacementWishes) -> Reason:
    """Why no machine gets a replica, from what speaks against each: what ends by itself first."""
    drained = next((why for why in reasons if why.code is ReasonCode.NODE_DRAINED), None)
    words = (*wishes.nodes, *wishes.devices, *(f"{name}={value}" for name, value in wishes.labels.items()))
    return drained or reason(ReasonCode.NODE_UNKNOWN, wish=", ".join(words))
