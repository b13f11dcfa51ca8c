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
    memory = program.engine.estimate(facts, parameters)
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
    by_id = {node.node_id: node for node in nodes}
    refused: Reason | None = None
    for gpu in (True, False):
        spaces = [
            space
            for space in spaces_of(nodes, replicas)
            if (space.device.kind is not DeviceKind.CPU) == gpu and space.device.kind in programs[space.node_id].kinds
        ]
        if spaces or not gpu:
            found = _place_among(spec, facts, spaces, programs, by_id, threads, gpu=gpu)
            if isinstance(found, Placed):
                return found
            refused = _hopeful(refused, found)
    return refused or reason(ReasonCode.NO_NODE)


def _place_among(
    spec: DeploymentSpec,
    facts: ModelFacts,
    spaces: Sequence[DeviceSpace],
    programs: dict[str, Program],
    nodes: dict[str, NodeFacts],
    threads: int | None,
    *,
    gpu: bool,
) -> Placed | Reason:
    """Places with the largest need of the machines in question; programs of one engine hardly differ in it."""
    plans = {
        space.node_id: run_plan(spec, facts, programs[space.node_id], nodes[space.node_id], threads, gpu=gpu)
        for space in spaces
    }
    most = max((plan.memory.total for plan in plans.values()), default=0)
    kinds = tuple(dict.fromkeys(kind for node_id in plans for kind in programs[node_id].kinds))
    name = next(iter(programs.values())).engine.name if programs else "llama.cpp"
    found = place(Need(engine=name, bytes=most, kinds=kinds), spaces, spec.placement)
    if isinstance(found, Reason):
        return found
    return Placed(found, plans[found.node_id])


def _hopeful(first: Reason | None, second: Reason) -> Reason:
    """Of two refusals the one that ends by waiting, else the later (the device with more memory comes last)."""
    if first is not None and first.code is ReasonCode.MEMORY_CLAIMED:
        return first
    return second


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
