"""Where a replica goes."""

from collections.abc import Sequence
from dataclasses import dataclass

from aimindserve.domain.nodes import Device, DeviceKind
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.replicas import Assignment, Claim
from aimindserve.domain.specs import EngineName, PlacementWishes
from aimindserve.domain.units import format_bytes


@dataclass(frozen=True, slots=True)
class DeviceSpace:
    """A device of a live node and the bytes on it that replicas claim already (stopping ones included).
    ``exclusively_claimed``: one of them wants it alone."""

    node_id: str
    device: Device
    claimed: int = 0
    exclusively_claimed: bool = False
    claims: int = 0

    @property
    def free(self) -> int:
        """Bytes that may still be claimed."""
        return 0 if self.exclusively_claimed else max(0, self.device.allocatable - self.claimed)


@dataclass(frozen=True, slots=True)
class Need:
    """What one replica asks of one device. ``kinds``: the device kinds that its engine can use, best first."""

    engine: EngineName
    bytes: int
    kinds: tuple[DeviceKind, ...]
    exclusive: bool = False


def place(need: Need, spaces: Sequence[DeviceSpace], wishes: PlacementWishes) -> Assignment | Reason:
    """The device for a replica: the best kind first, then the one with the most free memory (then by node and device
    id, so that the same input gives the same answer). A reason when there is none."""
    if not spaces:
        return reason(ReasonCode.NO_NODE)
    wished = [space for space in spaces if _wished(space, wishes)]
    if not wished:
        return reason(ReasonCode.NODE_UNKNOWN, wish=", ".join((*wishes.nodes, *wishes.devices)))
    usable = [space for space in wished if space.device.kind in need.kinds]
    if not usable:
        return reason(ReasonCode.NO_USABLE_DEVICE, engine=need.engine)
    fitting = [space for space in usable if _fits(need, space)]
    if fitting:
        best = min(fitting, key=lambda space: _rank(need, space))
        claim = Claim(device_id=best.device.id, bytes=need.bytes, exclusive=need.exclusive)
        return Assignment(node_id=best.node_id, claims=(claim,), engine=need.engine)
    return _too_large(need, usable)


def _wished(space: DeviceSpace, wishes: PlacementWishes) -> bool:
    node_fits = not wishes.nodes or space.node_id in wishes.nodes
    return node_fits and (not wishes.devices or space.device.id in wishes.devices)


def _fits(need: Need, space: DeviceSpace) -> bool:
    return not _is_taken(need, space) and space.free >= need.bytes


def _is_taken(need: Need, space: DeviceSpace) -> bool:
    """Whether somebody must leave the device first, however little memory is asked for."""
    return space.exclusively_claimed or (space.claims > 0 and (need.exclusive or not space.device.shared))


def _offer(need: Need, space: DeviceSpace) -> int:
    return 0 if _is_taken(need, space) else space.free


def _rank(need: Need, space: DeviceSpace) -> tuple[int, int, str, str]:
    return (need.kinds.index(space.device.kind), -space.free, space.node_id, space.device.id)


def _too_large(need: Need, usable: Sequence[DeviceSpace]) -> Reason:
    largest = max(space.device.allocatable for space in usable)
    if largest < need.bytes:
        return reason(ReasonCode.MEMORY_INSUFFICIENT, needed=format_bytes(need.bytes), largest=format_bytes(largest))
    large = [space for space in usable if space.device.allocatable >= need.bytes]
    best = max(large, key=lambda space: _offer(need, space))
    return reason(
        ReasonCode.MEMORY_CLAIMED,
        needed=format_bytes(need.bytes),
        free=format_bytes(_offer(need, best)),
        largest=format_bytes(best.device.allocatable),
    )
