"""Where a replica goes: filters say where it cannot, scores say where it would be best."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cached_property

from aimindserve.domain.nodes import CPU_DEVICE_ID, DeviceKind
from aimindserve.domain.placement_lacks import Lack
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.domain.replicas import Assignment, Claim
from aimindserve.domain.rooms import DeviceSpace, Row, row_of
from aimindserve.domain.specs import EngineName, PlacementWishes

# Where the devices' memory suffices and the machine's does not, so many of the freest nodes are tried.
_MOST_TRIES = 24


class Level(IntEnum):
    """Where the model lies, the best first."""

    WHOLE = 0
    """All of it on GPUs."""
    PARTLY = 1
    """Some layers on a GPU, the rest in the machine's memory."""
    CPU = 2


@dataclass(frozen=True, slots=True)
class Demand:
    """What one replica takes: ``bytes`` on each of its devices, ``host_bytes`` of the machine's memory beside GPUs.
    ``shares``: bytes on each device in turn where they differ; ``bytes`` is the most of them. ``refused``: why it
    cannot run on such devices at all, however much is free."""

    bytes: int
    host_bytes: int = 0
    level: Level = Level.WHOLE
    refused: Reason | None = None
    shares: tuple[int, ...] = ()

    def on(self, at: int) -> int:
        """Bytes on the device at a place in their order."""
        return self.shares[at] if self.shares else self.bytes


@dataclass(frozen=True)
class Cell:
    """Places for which one plan holds: ``count`` alike devices of a node, in nodes with the same programs.

    ``demand`` tells what a replica takes there of a budget in bytes on each device, of None when it may take what it
    likes. It never takes more of a larger budget than of None, and if it fits a budget, it fits every larger one.
    ``rows``: one of each shape, the one that would be taken before the others. ``preference``: the kind of device among
    those that the engine uses, the best is 0.
    """

    count: int
    rows: tuple[Row, ...]
    demand: Callable[[int | None], Demand]
    preference: int = 0

    @property
    def on_cpu(self) -> bool:
        """Whether its devices are CPUs."""
        return bool(self.rows) and self.rows[0].spaces[0].device.kind is DeviceKind.CPU

    @cached_property
    def freest(self) -> Row | None:
        """The row with the most room; None where there is no row."""
        return max(self.rows, key=lambda row: row.room(self.count), default=None)

    @cached_property
    def largest(self) -> Row | None:
        """The row that could give the most if no replica claimed any."""
        return max(self.rows, key=lambda row: row.capacity(self.count), default=None)

    @property
    def room(self) -> int:
        """Bytes that are free on each of the freest devices of any row; -1 when there is no row with so many."""
        return self.freest.room(self.count) if self.freest else -1


@dataclass(frozen=True, slots=True)
class Ask:
    """What stays the same while places are looked at. ``siblings``: replicas of the same deployment by node.
    ``exclusive``: nobody else may use the devices meanwhile."""

    engine: EngineName
    wishes: PlacementWishes = field(default_factory=PlacementWishes)
    siblings: Mapping[str, int] = field(default_factory=dict[str, int])
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """A place and what the replica would take there. ``shrunk``: less than it would like."""

    ask: Ask
    cell: Cell
    row: Row
    demand: Demand
    shrunk: bool = False

    @property
    def spaces(self) -> tuple[DeviceSpace, ...]:
        """The devices: the freest of the row, or for who packs the fullest that suffice."""
        last = self.last
        return self.row.spaces[last - self.cell.count : last]

    @property
    def last(self) -> int:
        """One past the last device of the row that is used."""
        if not _packs(self.ask):
            return self.cell.count
        return sum(1 for space in self.row.spaces if space.free >= self.demand.bytes and not space.taken)

    @property
    def room(self) -> int:
        """Bytes that are free on the freest of the devices."""
        return self.row.rooms[self.last - self.cell.count]

    @property
    def assignment(self) -> Assignment:
        """The place as an assignment: claims on the devices in turn, and one on the machine's memory beside GPUs."""
        claims = [
            Claim(device_id=space.device.id, bytes=self.demand.on(at), exclusive=self.ask.exclusive)
            for at, space in enumerate(self.spaces)
        ]
        beside = self.demand.host_bytes and self.row.host is not None
        if beside and all(claim.device_id != CPU_DEVICE_ID for claim in claims):
            claims.append(Claim(device_id=CPU_DEVICE_ID, bytes=self.demand.host_bytes))
        return Assignment(node_id=self.row.node_id, claims=tuple(claims), engine=self.ask.engine)


def _packs(ask: Ask) -> bool:
    return ask.wishes.strategy == "pack"


def enough_devices(option: Option) -> Lack | None:
    """The node has as many alike devices as the replica is divided on."""
    have = len(option.row.spaces)
    return None if have >= option.cell.count else Lack(ReasonCode.GPUS_TOO_FEW, option.cell.count, have)


def can_run(option: Option) -> Lack | None:
    """The engine can run the model on such devices."""
    refused = option.demand.refused
    return Lack(refused.code, told=refused) if refused else None


def enough_memory(option: Option) -> Lack | None:
    """The devices have what the replica takes."""
    count, needed = option.cell.count, option.demand.bytes
    picked = option.row.spaces[:count]
    free = option.row.room(count)
    if needed <= free and not any(space.taken for space in picked):
        return None
    capacity = option.row.capacity(count)
    if needed > capacity:
        foreign = max(space.foreign for space in picked)
        in_use = foreign and needed <= capacity + foreign
        return Lack(ReasonCode.MEMORY_IN_USE if in_use else ReasonCode.MEMORY_INSUFFICIENT, needed, free, capacity)
    return Lack(ReasonCode.MEMORY_CLAIMED, needed, free, capacity)


def enough_host_memory(option: Option) -> Lack | None:
    """The machine has what the replica takes beside its GPUs."""
    host, needed = option.row.host, option.demand.host_bytes
    if host is None or not needed or option.row.spaces[0].device.kind is DeviceKind.CPU or needed <= host.free:
        return None
    return Lack(ReasonCode.HOST_MEMORY_INSUFFICIENT, needed, host.free, host.capacity)


FILTERS: tuple[Callable[[Option], Lack | None], ...] = (enough_devices, can_run, enough_memory, enough_host_memory)

RowScore = tuple[int, int, str]
Comparable = int | str | bool | RowScore


def precedence(ask: Ask, node_id: str) -> tuple[int, str]:
    """Which of machines with the same room is taken: the smallest."""
    return (0 if _packs(ask) else ask.siblings.get(node_id, 0), node_id)


def row_score(ask: Ask, row: Row, room: int) -> RowScore:
    """What differs between the rows of a cell; ``room``: bytes that are free on the freest of the devices."""
    if _packs(ask):
        return (0, room, row.node_id)
    return (ask.siblings.get(row.node_id, 0), -room, row.node_id)


def _row_score(option: Option) -> RowScore:
    return row_score(option.ask, option.row, option.room if _packs(option.ask) else option.row.room(option.cell.count))


# Smaller is better, the first that differs decides: the whole model on GPUs before a part of it before the CPU, on few
# GPUs, with all that it would like, on the better kind; then where fewer copies of the same model run, on the freest
# device (or the fullest, for who packs), and by name, so that the same world gives the same answer.
SCORES: tuple[Callable[[Option], Comparable], ...] = (
    lambda option: option.demand.level,
    lambda option: option.cell.count,
    lambda option: option.shrunk,
    lambda option: option.cell.preference,
    _row_score,
)


def score(option: Option) -> tuple[Comparable, ...]:
    """All scores of an option."""
    return tuple(one(option) for one in SCORES)


def lack_of(option: Option) -> Lack | None:
    """What the first filter misses that refuses the option."""
    return next((lack for one in FILTERS if (lack := one(option)) is not None), None)


def choose(ask: Ask, cells: Iterable[Cell]) -> Option | None:
    """The best place for one more replica; None when there is none now."""
    best: Option | None = None
    hopeless = False
    for cell in sorted(cells, key=lambda cell: (cell.count, cell.preference, -cell.room)):
        if best is not None and best.demand.level is Level.WHOLE and cell.count > best.cell.count:
            break
        if best is not None and not _may_win(ask, cell, best):
            continue
        found = _best_in(ask, cell, likely=not hopeless)
        hopeless = found is None
        if found is not None and (best is None or score(found) < score(best)):
            best = found
    return best


def _may_win(ask: Ask, cell: Cell, best: Option) -> bool:
    """Whether a cell could have a better place than one that was found. Where it cannot, its plan need not be made."""
    if _packs(ask) or best.shrunk or best.demand.level is not Level.WHOLE or cell.count != best.cell.count:
        return True
    if cell.preference != best.cell.preference:
        return cell.preference < best.cell.preference
    known = _row_score(best)
    return any(row_score(ask, row, row.room(cell.count)) < known for row in wished(ask, cell).rows)


def _best_in(ask: Ask, cell: Cell, *, likely: bool = True) -> Option | None:
    """The best place of a cell. Plans are dear: where a place is not ``likely``, what the freest can give is tried
    first."""
    cell = wished(ask, cell)
    most = cell.room
    if most < 0 or (not likely and cell.demand(most).bytes > most):
        return None
    whole = cell.demand(None)
    roomy = [Option(ask, cell, row, whole) for row in cell.rows if row.room(cell.count) >= whole.bytes]
    found = min(roomy, key=_row_score, default=None)
    if found is not None and lack_of(found) is not None:
        found = next((option for option in sorted(roomy, key=_row_score) if lack_of(option) is None), None)
    return found or _shrunk_in(ask, cell, whole)


def _shrunk_in(ask: Ask, cell: Cell, whole: Demand) -> Option | None:
    """Nobody has room for all that the replica would like: as much as the freest can give."""
    count = cell.count
    if cell.demand(cell.room).bytes > cell.room:
        return None
    freest = sorted(cell.rows, key=lambda row: (-row.room(count), *precedence(ask, row.node_id)))
    for row in freest[:_MOST_TRIES]:
        room = row.room(count)
        demand = whole if room >= whole.bytes else cell.demand(max(room, 0))
        if demand.bytes > room:
            return None
        option = Option(ask, cell, row, demand, shrunk=demand != whole)
        if lack_of(option) is None:
            return option
    return None


def wished(ask: Ask, cell: Cell) -> Cell:
    """The cell without devices that the wishes leave out; rows of which nothing is left are left out too."""
    if not ask.wishes.devices and not ask.exclusive:
        return cell
    kept = (([space for space in row.spaces if _is_wished(ask, space)], row.host) for row in cell.rows)
    return replace(cell, rows=tuple(row_of(spaces, host) for spaces, host in kept if spaces))


def _is_wished(ask: Ask, space: DeviceSpace) -> bool:
    named = not ask.wishes.devices or space.device.id in ask.wishes.devices
    return named and not (ask.exclusive and space.claims)


def lacks(ask: Ask, cell: Cell) -> dict[str, Lack]:
    """What each node misses, by node; nodes that miss nothing, or that nobody wished, are left out."""
    found: dict[str, Lack] = {}
    cell = wished(ask, cell)
    for row in cell.rows:
        lack = lack_of(Option(ask, cell, row, cell.demand(max(row.room(cell.count), 0))))
        if lack is not None:
            found[row.node_id] = lack
    return found


def nearest_lack(ask: Ask, cell: Cell) -> Lack | None:
    """What the freest node misses, and the largest one: the more hopeful of the two. None when nobody was wished."""
    cell = wished(ask, cell)
    freest, largest = cell.freest, cell.largest
    if freest is None or largest is None:
        return None
    demand = cell.demand(max(cell.room, 0))
    missing = [lack_of(Option(ask, cell, row, demand)) for row in (freest, largest)]
    return max((lack for lack in missing if lack is not None), default=None, key=lambda lack: lack.hope)


def could_hold(ask: Ask, cell: Cell) -> bool:
    """Whether GPUs of a cell could hold a replica, or some of its layers, if nothing else were on them."""
    if cell.on_cpu:
        return False
    sizes = {row.sizes for row in wished(ask, cell).rows if len(row.sizes) >= cell.count}
    most = max((of_row[cell.count - 1] for of_row in sizes), default=-1)
    if most < 0:
        return False
    demand = cell.demand(most)
    return demand.refused is None and demand.bytes <= most
