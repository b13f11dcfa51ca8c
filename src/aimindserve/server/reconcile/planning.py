"""How a spec would run on given machines: engine, arguments, memory, device. Pure; used by the placement reconciler, by
the fit preview, and where a spec is accepted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.memory import MemoryEstimate
from aimindserve.domain.nodes import Device, DeviceKind, EngineInstall, NodeFacts
from aimindserve.domain.placement import DeviceSpace, Need, place
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.replicas import Assignment, Replica
from aimindserve.domain.specs import DeploymentSpec, EngineName
from aimindserve.engines._base import Engine, Machine, ParameterPlan
from aimindserve.engines._registry import choose_engine

_INSTALL_HINT = "pip install 'aimindserve[llama-cpp]'"


@dataclass(frozen=True, slots=True)
class RunPlan:
    """How one replica would run: with which program (None: none is installed) and arguments, in how much memory."""

    engine: EngineName
    install: EngineInstall | None
    parameters: ParameterPlan
    memory: MemoryEstimate


@dataclass(frozen=True, slots=True)
class Placed:
    """A device was found. ``plan`` is how the replica runs there."""

    assignment: Assignment
    plan: RunPlan


@dataclass(frozen=True, slots=True)
class Program:
    """An engine's program on one machine (None: it is not installed there)."""

    engine: Engine
    install: EngineInstall | None

    @property
    def kinds(self) -> tuple[DeviceKind, ...]:
        """Device kinds that it uses, best first; none when it is not installed."""
        return self.engine.device_kinds(self.install) if self.install else ()


def program_on(engine: Engine, version: str | None, node: NodeFacts | None) -> Program:
    """The program of ``engine`` on ``node``: of that ``version``, or the one that the node prefers."""
    installs = node.engines if node else ()
    fitting = (item for item in installs if item.engine == engine.name and version in (None, item.version))
    return Program(engine, next(fitting, None))


def run_plan(
    spec: DeploymentSpec, facts: ModelFacts, program: Program, node: NodeFacts | None, threads: int | None, *, gpu: bool
) -> RunPlan:
    """Arguments and memory of one replica on ``node`` (None: a small machine is assumed), on a GPU or on the CPU."""
    machine = Machine(physical_cores=_cores(node), threads=threads, gpus=("gpu",) if gpu else ())
    parameters = program.engine.plan(facts, spec.parameters, spec.env, machine, program.install)
    memory = program.engine.estimate(facts, parameters, program.install)
    return RunPlan(program.engine.name, program.install, parameters, memory)


def _cores(node: NodeFacts | None) -> int:
    cpus = (device for device in (node.devices if node else ()) if device.kind is DeviceKind.CPU)
    return next((device.cores for device in cpus if device.cores), 1)


def spaces_of(nodes: Iterable[NodeFacts], replicas: Sequence[Replica]) -> list[DeviceSpace]:
    """The devices of ``nodes`` with what ``replicas`` (stopping ones included) claim on them."""
    return [_space(node.node_id, device, replicas) for node in nodes for device in node.devices]


def _space(node_id: str, device: Device, replicas: Sequence[Replica]) -> DeviceSpace:
    claims = [
        claim
        for replica in replicas
        if replica.assignment is not None and replica.assignment.node_id == node_id
        for claim in replica.assignment.claims
        if claim.device_id == device.id
    ]
    return DeviceSpace(
        node_id=node_id,
        device=device,
        claimed=sum(claim.bytes for claim in claims),
        exclusively_claimed=any(claim.exclusive for claim in claims),
        claims=len(claims),
    )


def find_place(
    spec: DeploymentSpec,
    facts: ModelFacts,
    nodes: Sequence[NodeFacts],
    replicas: Sequence[Replica],
    threads: int | None,
) -> Placed | Reason:
    """A device on one of the live ``nodes`` for one more replica beside ``replicas``: a GPU if one fits, else the CPU.

    A reason when there is none now.
    """
    engine = choose_engine(spec.engine, facts)
    if isinstance(engine, Reason):
        return engine
    programs = {node.node_id: program_on(engine, spec.engine_version, node) for node in nodes}
    if nodes and not any(program.install for program in programs.values()):
        return reason(ReasonCode.ENGINE_NOT_INSTALLED, engine=engine.name, install=_INSTALL_HINT)
    run = _Search(spec, facts, {node.node_id: node for node in nodes}, programs, threads)
    spaces = spaces_of(nodes, replicas)
    refused = place(Need(engine=engine.name, bytes=0, kinds=()), spaces, spec.placement)
    for gpu in (True, False):
        usable = [space for space in spaces if run.can_use(space, gpu=gpu)]
        if usable:
            found = run.place_among(usable, engine.name, gpu=gpu)
            if isinstance(found, Placed):
                return found
            refused = max(found, refused, key=_hope)
    return refused if isinstance(refused, Reason) else reason(ReasonCode.NO_NODE)


# What a person is told when several kinds of devices refuse: that which ends by waiting, then that which says how much
# is missing.
_HOPES = (
    ReasonCode.NODE_UNKNOWN,
    ReasonCode.NO_USABLE_DEVICE,
    ReasonCode.MEMORY_INSUFFICIENT,
    ReasonCode.MEMORY_CLAIMED,
)


def _hope(refused: Reason | Assignment) -> int:
    return _HOPES.index(refused.code) if isinstance(refused, Reason) and refused.code in _HOPES else -1


@dataclass(frozen=True, slots=True)
class _Search:
    """What stays the same while places are looked at."""

    spec: DeploymentSpec
    facts: ModelFacts
    nodes: dict[str, NodeFacts]
    programs: dict[str, Program]
    threads: int | None

    def can_use(self, space: DeviceSpace, *, gpu: bool) -> bool:
        kind = space.device.kind
        return (kind is not DeviceKind.CPU) == gpu and kind in self.programs[space.node_id].kinds

    def place_among(self, spaces: Sequence[DeviceSpace], engine: EngineName, *, gpu: bool) -> Placed | Reason:
        """Places with the largest need of the machines in question; programs of one engine hardly differ in it."""
        plans = {
            node_id: run_plan(self.spec, self.facts, self.programs[node_id], self.nodes[node_id], self.threads, gpu=gpu)
            for node_id in {space.node_id for space in spaces}
        }
        kinds = tuple(dict.fromkeys(kind for node_id in sorted(plans) for kind in self.programs[node_id].kinds))
        need = Need(engine=engine, bytes=max(plan.memory.total for plan in plans.values()), kinds=kinds)
        found = place(need, spaces, self.spec.placement)
        return found if isinstance(found, Reason) else Placed(found, plans[found.node_id])


def refusals(
    spec: DeploymentSpec, facts: ModelFacts, nodes: Sequence[NodeFacts], threads: int | None
) -> tuple[Reason, ...]:
    """Why ``spec`` cannot be accepted as it is: engine, parameters, environment. Lack of memory is no such reason: it
    may come free."""
    engine = choose_engine(spec.engine, facts)
    if isinstance(engine, Reason):
        return (engine,)
    programs = [(program_on(engine, spec.engine_version, node), node) for node in nodes]
    installed = [(program, node) for program, node in programs if program.install]
    program, node = installed[0] if installed else (Program(engine, None), None)
    return run_plan(spec, facts, program, node, threads, gpu=False).parameters.refusals
