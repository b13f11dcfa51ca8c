"""The search for devices on which a replica runs. Pure; used by the placement reconciler and by the fit preview."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.lessons import NOTHING_LEARNED, Learned, Lessons
from aimindserve.domain.nodes import Device, DeviceKind, EngineInstall, NodeFacts
from aimindserve.domain.placement import (
    Ask,
    Cell,
    Demand,
    Option,
    choose,
    could_hold,
    lacks,
    nearest_lack,
    precedence,
    wished,
)
from aimindserve.domain.placement_lacks import Lack
from aimindserve.domain.placement_nodes import all_left_out, left_out
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.replicas import Assignment, Replica
from aimindserve.domain.rooms import DeviceClass, Fleet, Group, Row, class_of, fleet_of
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.engines._base import Engine, Machine, machine_for
from aimindserve.engines._registry import choose_engine
from aimindserve.server.reconcile.planning import Program, RunPlan, cores_of, lessons_for, program_on, run_plan

# More GPUs than a machine has.
_MOST_GPUS = 64


@dataclass(frozen=True, slots=True)
class Placed:
    """Devices were found. ``plan`` is how the replica runs there."""

    assignment: Assignment
    plan: RunPlan


@dataclass(frozen=True, slots=True)
class Imagined:
    """How a replica would run on alike devices of one machine, whether or not there is room."""

    plan: RunPlan
    row: Row


@dataclass(frozen=True, slots=True)
class NodeRefusal:
    """Why one machine cannot take a replica."""

    node: NodeFacts
    reason: Reason


def find_place(
    spec: DeploymentSpec,
    facts: ModelFacts,
    nodes: Sequence[NodeFacts],
    replicas: Sequence[Replica],
    threads: int | None,
) -> Placed | Reason:
    """Devices on one of the live ``nodes`` for one more replica beside ``replicas``; a reason when there are none."""
    return search(spec, facts, fleet_of(nodes, replicas), threads)


def search(
    spec: DeploymentSpec,
    facts: ModelFacts,
    fleet: Fleet,
    threads: int | None,
    siblings: Mapping[str, int] | None = None,
    demands: "Demands | None" = None,
    learned: Learned = NOTHING_LEARNED,
) -> Placed | Reason:
    """As ``find_place``, on a fleet that was looked at already. ``siblings``: replicas of the same deployment by
    node; ``demands``: what is known from earlier searches for the same spec; ``learned``: by earlier starts."""
    engine = choose_engine(spec.engine, facts)
    if isinstance(engine, Reason):
        return engine
    known = {} if demands is None else demands
    return PlaceSearch(spec, facts, engine, fleet, threads, siblings or {}, known, learned).find()


def locate(
    spec: DeploymentSpec,
    facts: ModelFacts,
    fleet: Fleet,
    threads: int | None,
    demands: "Demands | None" = None,
    learned: Learned = NOTHING_LEARNED,
) -> Option | Reason:
    """As ``search``, for who wants to know where one replica would go and what it would take, but not how it is
    run."""
    engine = choose_engine(spec.engine, facts)
    if isinstance(engine, Reason):
        return engine
    known = {} if demands is None else demands
    return PlaceSearch(spec, facts, engine, fleet, threads, {}, known, learned).locate()


Demands = dict[tuple[EngineInstall | None, DeviceClass, int, int | None, Lessons], Demand]
"""What one replica of a spec takes: by program, device, number of GPUs, budget and lessons. Plans are dear."""


@dataclass(frozen=True)
class PlaceSearch:
    """The search for a place of one replica. A plan is made once for alike devices and budget."""

    spec: DeploymentSpec
    facts: ModelFacts
    engine: Engine
    fleet: Fleet
    threads: int | None = None
    siblings: Mapping[str, int] = field(default_factory=dict[str, int])
    demands: Demands = field(default_factory=Demands)
    learned: Learned = NOTHING_LEARNED

    def find(self) -> Placed | Reason:
        """Where it goes, or the most hopeful reason why nowhere."""
        found = self.locate()
        return found if isinstance(found, Reason) else self._placed(found)

    def locate(self) -> Option | Reason:
        """As ``find``, without the plan of how it is run there."""
        on_gpus = [cell for cell in self.cells if not cell.on_cpu]
        found = choose(self._ask, on_gpus)
        if found is None and self._may_use_cpu:
            found = choose(self._ask, [cell for cell in self.cells if cell.on_cpu])
        return found or self._refusal()

    def refusals(self) -> tuple[NodeRefusal, ...]:
        """Why each machine that cannot take the replica cannot, in the fleet's order."""
        nearest: dict[str, Lack] = {}
        able: set[str] = set()
        # Every machine is told of, also those of which a decision looks at another one of the same shape.
        for cell in self._cells_without(self._left_out, every=True):
            missing = lacks(self._ask, cell) if self._is_usable(cell) else self._on_cpu(cell)
            able.update(row.node_id for row in cell.rows if row.node_id not in missing)
            for node_id, lack in missing.items():
                known = nearest.get(node_id)
                nearest[node_id] = lack if known is None or lack.hope > known.hope else known
        return tuple(
            NodeRefusal(node, self._told(node, nearest.get(node.node_id)))
            for node in self.fleet.nodes.values()
            if node.node_id not in able
        )

    @cached_property
    def _may_use_cpu(self) -> bool:
        """Whether the CPU may be used: by itself only where no GPU could hold any of the model if it were empty."""
        wish = self.spec.placement.cpu
        return wish == "allow" or (wish == "auto" and not any(could_hold(self._ask, cell) for cell in self._to_come))

    def _is_usable(self, cell: Cell) -> bool:
        return not cell.on_cpu or self._may_use_cpu

    def _on_cpu(self, cell: Cell) -> dict[str, Lack]:
        return {row.node_id: Lack(ReasonCode.CPU_NOT_WISHED) for row in wished(self._ask, cell).rows}

    def imagined(self) -> Imagined | None:
        """How it would run on the best kind of device that is there, taking what it likes of an empty one; None when
        there is no device that the engine could use."""
        usable = filter(self._is_usable, self.cells)
        cell = min(usable, key=lambda cell: (cell.preference, cell.count), default=None)
        return self._imagined_in(cell, None) if cell else None

    def nearest(self) -> Imagined | None:
        """How it would run, taking as little as it can, where the refusal is told of: the most hopeful place."""
        lacks = [
            (cell, lack)
            for cell in filter(self._is_usable, self.cells)
            if (lack := nearest_lack(self._ask, cell)) is not None
        ]
        if not lacks:
            return self.imagined()
        cell, _ = max(lacks, key=lambda pair: pair[1].hope)
        row = self._freest(cell)
        return self._imagined_in(cell, max(row.room(cell.count), 0))

    def _freest(self, cell: Cell) -> Row:
        return wished(self._ask, cell).freest or cell.rows[0]

    def _imagined_in(self, cell: Cell, budget: int | None) -> Imagined:
        """On the freest row; ``budget`` None: all of an empty device."""
        row = self._freest(cell)
        node, device = self.fleet.nodes[row.node_id], row.spaces[0].device
        gpus = ("gpu",) * cell.count if device.kind is not DeviceKind.CPU else ()
        program = self._programs[self.fleet.numbers[node.node_id], class_of(device)]
        lessons = lessons_for(self.learned, program, self.facts, on_gpu=bool(gpus))
        size = device.allocatable if budget is None else budget
        machine = Machine(cores_of(node), self.threads, gpus, device=device, budget=size, lessons=lessons)
        return Imagined(run_plan(self.spec, self.facts, program, machine), row)

    def _told(self, node: NodeFacts, lack: Lack | None) -> Reason:
        if node.node_id in self._left_out:
            return self._left_out[node.node_id]
        number = self.fleet.numbers[node.node_id]
        kinds = {class_of(device): None for device in node.devices}
        programs = [self._programs[number, kind] for kind in kinds]
        return _told_of(lack, programs, self.engine)

    @cached_property
    def _left_out(self) -> dict[str, Reason]:
        """Machines that get no replica whatever is free on them, and why."""
        told = ((node.node_id, left_out(node, self.spec.placement)) for node in self.fleet.nodes.values())
        return {node_id: why for node_id, why in told if why is not None}

    @cached_property
    def _ask(self) -> Ask:
        return Ask(self.engine.name, self.spec.placement, self.siblings)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every kind of place that the engine's programs can use."""
        return self._cells_without(self._left_out)

    @cached_property
    def _to_come(self) -> tuple[Cell, ...]:
        """With those of drained machines: they are no reason to run on a CPU elsewhere for good."""
        away = {one for one, why in self._left_out.items() if why.code is not ReasonCode.NODE_DRAINED}
        return self.cells if len(away) == len(self._left_out) else self._cells_without(away)

    def _cells_without(self, nodes: Collection[str], *, every: bool = False) -> tuple[Cell, ...]:
        """``every``: with all rows rather than one of each shape."""
        every = every or bool(self.spec.placement.devices)
        return tuple(cell for group in self.fleet.groups for cell in self._cells_of(group, nodes, every=every))

    def _rows_of(self, group: Group, without: Collection[str], *, every: bool) -> tuple[Row, ...]:
        found: list[Row] = []
        for members in self.fleet.groups[group].values():
            kept = {name: row for name, row in members.items() if name not in without} if without else members
            if every or len(kept) < 2:
                found += kept.values()
            else:
                found.append(kept[min(kept, key=lambda node_id: precedence(self._ask, node_id))])
        return tuple(found)

    def _cells_of(self, group: Group, without: Collection[str], *, every: bool) -> list[Cell]:
        kind = group[1]
        program = self._programs[group]
        if kind.kind not in program.kinds or (self.learned.own.whole and kind.kind is DeviceKind.CPU):
            return []
        rows = self._rows_of(group, without, every=every)
        if not rows:
            return []
        device = rows[0].spaces[0].device
        preference = program.kinds.index(kind.kind)
        counts: tuple[int, ...] = (0,)
        if kind.kind is not DeviceKind.CPU:
            counts = self._gpu_counts(1 if device.is_slice else max(len(row.spaces) for row in rows))
        return [Cell(count or 1, rows, self._demand(program, device, count), preference) for count in counts]

    def _gpu_counts(self, most: int) -> tuple[int, ...]:
        """Numbers of GPUs to try; where no machine has as many as the user wants, that number, to be told."""
        found = self.engine.gpu_counts(self.facts, self.spec.parameters, most)
        return found or self.engine.gpu_counts(self.facts, self.spec.parameters, _MOST_GPUS)[:1]

    def _demand(self, program: Program, device: Device, gpus: int) -> Callable[[int | None], Demand]:
        kind, install = class_of(device), program.install
        lessons = lessons_for(self.learned, program, self.facts, on_gpu=gpus > 0)

        def demand(budget: int | None) -> Demand:
            key = (install, kind, gpus, budget, lessons)
            if key not in self.demands:
                # A place that nobody has yet has no ids; only their number counts here.
                ids = ("gpu",) * gpus
                machine = Machine(1, self.threads, ids, device=device, budget=budget, lessons=lessons)
                self.demands[key] = run_plan(self.spec, self.facts, program, machine).demand
            return self.demands[key]

        return demand

    @cached_property
    def _programs(self) -> dict[Group, Program]:
        """Which of the programs on each kind of place runs the model."""
        return {group: self._program(group) for group, shapes in self.fleet.groups.items() if shapes}

    def _program(self, group: Group) -> Program:
        row = next(iter(next(iter(self.fleet.groups[group].values())).values()))
        installs, wanted = self.fleet.nodes[row.node_id].engines, self.spec.engine_version
        return program_on(self.engine, self.facts, wanted, installs, row.spaces[0].device)

    def _placed(self, option: Option) -> Placed:
        node, device = self.fleet.nodes[option.row.node_id], option.row.spaces[0].device
        program = self._programs[self.fleet.numbers[node.node_id], class_of(device)]
        on_gpu = device.kind is not DeviceKind.CPU
        lessons = lessons_for(self.learned, program, self.facts, on_gpu=on_gpu)
        assignment = option.assignment.model_copy(update={"lessons": lessons})
        machine = machine_for(assignment.claims, node.devices, cores_of(node), self.threads, lessons)
        return Placed(assignment, run_plan(self.spec, self.facts, program, machine))

    def _refusal(self) -> Reason:
        fleet = self.fleet
        if not any(fleet.spaces.values()):
            return reason(ReasonCode.NO_NODE)
        missing = [program.missing for program in self._programs.values()]
        if all(missing):
            return next(why for why in reversed(missing) if why)
        if len(self._left_out) == len(fleet.nodes):
            return all_left_out(list(self._left_out.values()), self.spec.placement)
        usable = [cell for cell in self.cells if self._is_usable(cell)]
        if self.cells and not usable:
            return reason(ReasonCode.CPU_NOT_WISHED)
        found = [lack for cell in usable if (lack := nearest_lack(self._ask, cell)) is not None]
        nearest = max(found, key=lambda lack: lack.hope, default=None)
        return _told_of(nearest, list(self._programs.values()), self.engine)


def _told_of(lack: Lack | None, programs: Sequence[Program], engine: Engine) -> Reason:
    """What places with ``programs`` are refused for: that there is no program at all, what is missing, or that there is
    none for some of the devices."""
    missing = [program.missing for program in programs if program.missing is not None]
    if missing and (lack is None or len(missing) == len(programs)):
        return missing[-1]
    return lack.reason if lack else reason(ReasonCode.NO_USABLE_DEVICE, engine=engine.name)
