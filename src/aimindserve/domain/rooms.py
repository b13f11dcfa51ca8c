"""How much room devices have: what their machines report, what replicas claim, and what other programs use."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from aimindserve.domain.nodes import CPU_DEVICE_ID, Device, DeviceKind, EngineInstall, NodeFacts
from aimindserve.domain.replicas import Assignment, Claim, Replica, ReplicaState
from aimindserve.domain.units import MIB

# Replicas in these states use what they claim, or are about to; others' claims explain no memory that is in use.
_HOLDING = frozenset({ReplicaState.STARTING, ReplicaState.READY, ReplicaState.STOPPING})
# What other programs use is rounded up, so that it does not change with every report.
_FOREIGN_STEP = 64 * MIB


@dataclass(frozen=True, slots=True)
class DeviceSpace:
    """A device of a live node and the bytes on it that replicas claim already (stopping ones included).
    ``exclusively_claimed``: one of them wants it alone. ``foreign``: bytes that are in use and that no claim explains.
    """

    node_id: str
    device: Device
    claimed: int = 0
    exclusively_claimed: bool = False
    claims: int = 0
    foreign: int = 0

    @property
    def taken(self) -> bool:
        """Whether somebody must leave the device first, however little memory is asked for."""
        return self.exclusively_claimed or (self.claims > 0 and not self.device.shared)

    @property
    def free(self) -> int:
        """Bytes that may still be claimed."""
        return 0 if self.taken else max(0, self.device.allocatable - self.claimed - self.foreign)

    @property
    def capacity(self) -> int:
        """Bytes that could be claimed if no replica claimed any."""
        return max(0, self.device.allocatable - self.foreign)


class DeviceClass(NamedTuple):
    """Devices for which the same plan holds. All CPUs are alike: only their memory matters, and that is the budget."""

    kind: DeviceKind
    name: str
    memory_total: int


def class_of(device: Device) -> DeviceClass:
    """The class of a device."""
    if device.kind is DeviceKind.CPU:
        return DeviceClass(DeviceKind.CPU, "", 0)
    return DeviceClass(device.kind, device.name, device.memory_total)


@dataclass(frozen=True, slots=True)
class Row:
    """Alike devices of one node, the freest first. ``rooms``: bytes that are free on each of the first one, two, …
    ``capacities``: bytes that could be claimed on one, two, … of them if no replica claimed any; ``sizes``: if nothing
    at all were on them. ``host``: the machine's memory, None where it is not known."""

    node_id: str
    spaces: tuple[DeviceSpace, ...]
    rooms: tuple[int, ...]
    capacities: tuple[int, ...]
    sizes: tuple[int, ...]
    host: DeviceSpace | None = None

    @property
    def shape(self) -> "Shape":
        """All that decides what can be placed here, but for the node's name."""
        taken = tuple(space.taken for space in self.spaces)
        foreign = tuple(space.foreign for space in self.spaces)
        host = (self.host.free, self.host.capacity) if self.host else None
        return (self.rooms, self.capacities, self.sizes, taken, foreign, host)

    def room(self, count: int) -> int:
        """Bytes that are free on each of the ``count`` freest devices; -1 when there are fewer."""
        return self.rooms[count - 1] if count <= len(self.rooms) else -1

    def capacity(self, count: int) -> int:
        """Bytes that ``count`` devices could give each if no replica claimed any; -1 when there are fewer."""
        return self.capacities[count - 1] if count <= len(self.capacities) else -1


def row_of(spaces: Iterable[DeviceSpace], host: DeviceSpace | None) -> Row:
    """The row of alike devices (at least one) of one node."""
    ranked = sorted((space.taken, -space.free, space.device.index, space.device.id, space) for space in spaces)
    ordered = tuple(rank[-1] for rank in ranked)
    rooms = tuple(-rank[1] for rank in ranked)
    capacities = tuple(sorted((space.capacity for space in ordered), reverse=True))
    sizes = tuple(sorted((space.device.allocatable for space in ordered), reverse=True))
    return Row(ordered[0].node_id, ordered, rooms, capacities, sizes, host)


Group = tuple[int, DeviceClass]
"""Rows of one class on nodes with the same engine programs; the number stands for the programs."""
Shape = tuple[
    tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[bool, ...], tuple[int, ...], tuple[int, int] | None
]


@dataclass(slots=True)
class Fleet:
    """All live nodes with what is free on them, in the order in which decisions look at them.

    Made once for many decisions: ``book`` takes down what one of them gave away. ``groups``: rows by shape and node, so
    that a decision looks at one of many alike.
    """

    nodes: dict[str, NodeFacts] = field(default_factory=dict[str, NodeFacts])
    spaces: dict[str, tuple[DeviceSpace, ...]] = field(default_factory=dict[str, tuple[DeviceSpace, ...]])
    programs: dict[tuple[EngineInstall, ...], int] = field(default_factory=dict[tuple[EngineInstall, ...], int])
    groups: dict[Group, dict[Shape, dict[str, Row]]] = field(default_factory=dict[Group, dict[Shape, dict[str, Row]]])
    numbers: dict[str, int] = field(default_factory=dict[str, int])

    def book(self, assignment: Assignment) -> None:
        """Take down the claims of a new assignment."""
        added = {claim.device_id: claim for claim in assignment.claims}
        spaces = self.spaces[assignment.node_id]
        self._take_out(assignment.node_id, spaces)
        self._put(assignment.node_id, tuple(_with(space, added.get(space.device.id)) for space in spaces))

    def rows(self, group: Group) -> dict[str, Row]:
        """All rows of a group, by node."""
        return {name: row for members in self.groups[group].values() for name, row in members.items()}

    def copy(self) -> "Fleet":
        """A fleet in which something can be booked without a trace in this one."""
        groups = {group: {shape: dict(rows) for shape, rows in shapes.items()} for group, shapes in self.groups.items()}
        return Fleet(self.nodes, dict(self.spaces), self.programs, groups, self.numbers)

    def add(self, node: NodeFacts, spaces: tuple[DeviceSpace, ...]) -> None:
        """Add a node."""
        self.nodes[node.node_id] = node
        self.numbers[node.node_id] = self.programs.setdefault(node.engines, len(self.programs))
        self._put(node.node_id, spaces)

    def _put(self, node_id: str, spaces: tuple[DeviceSpace, ...]) -> None:
        self.spaces[node_id] = spaces
        for kind, row in _rows(spaces):
            shapes = self.groups.setdefault((self.numbers[node_id], kind), {})
            shapes.setdefault(row.shape, {})[node_id] = row

    def _take_out(self, node_id: str, spaces: tuple[DeviceSpace, ...]) -> None:
        for kind, row in _rows(spaces):
            shapes = self.groups[self.numbers[node_id], kind]
            del shapes[row.shape][node_id]
            if not shapes[row.shape]:
                del shapes[row.shape]


def _rows(spaces: Sequence[DeviceSpace]) -> Iterable[tuple[DeviceClass, Row]]:
    """The devices of one node by class."""
    host = next((space for space in spaces if space.device.id == CPU_DEVICE_ID), None)
    alike: dict[DeviceClass, list[DeviceSpace]] = defaultdict(list)
    for space in spaces:
        alike[class_of(space.device)].append(space)
    return ((kind, row_of(members, host)) for kind, members in alike.items())


def _with(space: DeviceSpace, claim: Claim | None) -> DeviceSpace:
    if claim is None:
        return space
    return DeviceSpace(
        space.node_id,
        space.device,
        space.claimed + claim.bytes,
        space.exclusively_claimed or claim.exclusive,
        space.claims + 1,
        space.foreign,
    )


def fleet_of(nodes: Iterable[NodeFacts], replicas: Sequence[Replica]) -> Fleet:
    """``nodes`` with what ``replicas`` (stopping ones included) claim on them."""
    fleet = Fleet()
    held = _claims(replicas)
    for node in nodes:
        fleet.add(node, tuple(_space(node.node_id, device, held) for device in node.devices))
    return fleet


def given_back(nodes: Iterable[NodeFacts], leaving: Sequence[Replica]) -> list[NodeFacts]:
    """``nodes`` as they will be once ``leaving`` replicas have ended: what these use is free then."""
    held = _claims(leaving)

    def after(node_id: str, device: Device) -> Device:
        back = sum(claim.bytes for claim, uses in held.get((node_id, device.id), ()) if uses)
        return device.model_copy(update={"memory_free": min(device.memory_free + back, device.memory_total)})

    return [
        node.model_copy(update={"devices": tuple(after(node.node_id, device) for device in node.devices)})
        for node in nodes
    ]


def spaces_of(nodes: Iterable[NodeFacts], replicas: Sequence[Replica]) -> list[DeviceSpace]:
    """The devices of ``nodes`` with what ``replicas`` (stopping ones included) claim on them."""
    held = _claims(replicas)
    return [_space(node.node_id, device, held) for node in nodes for device in node.devices]


_Held = Mapping[tuple[str, str], Sequence[tuple[Claim, bool]]]


def _claims(replicas: Sequence[Replica]) -> _Held:
    """Claims by node and device, each with whether its replica uses the memory by now."""
    held: dict[tuple[str, str], list[tuple[Claim, bool]]] = defaultdict(list)
    for replica in replicas:
        if replica.assignment is not None:
            seen = replica.observation
            uses = seen is not None and seen.state in _HOLDING
            for claim in replica.assignment.claims:
                held[replica.assignment.node_id, claim.device_id].append((claim, uses))
    return held


def _space(node_id: str, device: Device, held: _Held) -> DeviceSpace:
    claims = held.get((node_id, device.id))
    if claims is None:
        return DeviceSpace(node_id, device, foreign=foreign_bytes(device, 0))
    return DeviceSpace(
        node_id=node_id,
        device=device,
        claimed=sum(claim.bytes for claim, _ in claims),
        exclusively_claimed=any(claim.exclusive for claim, _ in claims),
        claims=len(claims),
        foreign=foreign_bytes(device, sum(claim.bytes for claim, uses in claims if uses)),
    )


def foreign_bytes(device: Device, explained: int) -> int:
    """Bytes in use on ``device`` beyond ``explained``, those of our own replicas, rounded up to 64 MiB."""
    unexplained = max(0, device.allocatable - device.memory_free - explained)
    return min(-(-unexplained // _FOREIGN_STEP) * _FOREIGN_STEP, device.allocatable)
