"""How a spec would run on given machines: engine, arguments, memory. Pure; used by the search for a place, by the fit
preview, and where a spec is accepted."""

from collections.abc import Sequence
from dataclasses import dataclass

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.lessons import NOTHING_LEARNED, Family, Learned, Lessons
from aimindserve.domain.memory import MemoryEstimate
from aimindserve.domain.nodes import Device, DeviceKind, EngineInstall, NodeFacts
from aimindserve.domain.placement import Demand, Level
from aimindserve.domain.reasons import Reason
from aimindserve.domain.replicas import Assignment
from aimindserve.domain.specs import DeploymentSpec, EngineName
from aimindserve.engines._base import Engine, Machine, ParameterPlan, machine_for
from aimindserve.engines._registry import choose_engine


@dataclass(frozen=True, slots=True)
class RunPlan:
    """How one replica would run: with which program (None: none is installed) and arguments, in how much memory on each
    of its devices (``gpus`` of them, 0 on the CPU)."""

    engine: EngineName
    install: EngineInstall | None
    parameters: ParameterPlan
    memory: MemoryEstimate
    gpus: int = 0

    @property
    def demand(self) -> Demand:
        """What it takes. On the CPU everything is the machine's memory."""
        level = Level.CPU if not self.gpus else Level.PARTLY if self.parameters.partly else Level.WHOLE
        refused = next(iter(self.parameters.refusals), None)
        high, beside = self.memory.high, self.memory.host_high
        return (
            Demand(high, beside, level, refused, self.memory.shares)
            if self.gpus
            else Demand(high + beside, 0, level, refused)
        )


@dataclass(frozen=True, slots=True)
class Program:
    """An engine's program on one machine. ``install`` None: there is none that runs the model; ``missing`` says why."""

    engine: Engine
    install: EngineInstall | None
    missing: Reason | None = None

    @property
    def kinds(self) -> tuple[DeviceKind, ...]:
        """Device kinds that it uses, best first; none when it is not installed."""
        return self.engine.device_kinds(self.install) if self.install else ()


def program_on(
    engine: Engine,
    facts: ModelFacts,
    version: str | None,
    installs: Sequence[EngineInstall],
    device: Device | None = None,
) -> Program:
    """The program of ``engine`` for a model among ``installs``: of that ``version``, or the best that runs it on such a
    ``device``."""
    found = engine.choose_install(facts, installs, version, device)
    return Program(engine, None, found) if isinstance(found, Reason) else Program(engine, found)


def run_plan(spec: DeploymentSpec, facts: ModelFacts, program: Program, machine: Machine) -> RunPlan:
    """Arguments and memory of one replica on ``machine``."""
    parameters = program.engine.plan(facts, spec.parameters, spec.env, machine, program.install)
    memory = program.engine.estimate(facts, parameters, program.install)
    return RunPlan(program.engine.name, program.install, parameters, memory, len(machine.gpus))


def cores_of(node: NodeFacts | None) -> int:
    """Physical cores of a machine; 1 where they are not known."""
    cpus = (device for device in (node.devices if node else ()) if device.kind is DeviceKind.CPU)
    return next((device.cores for device in cpus if device.cores), 1)


def plan_of(
    spec: DeploymentSpec,
    facts: ModelFacts,
    assignment: Assignment | None,
    node: NodeFacts | None,
    threads: int | None,
    learned: Learned = NOTHING_LEARNED,
) -> RunPlan | Reason:
    """How a replica runs where it was placed; without an assignment, how it would run on the CPU of ``node``."""
    engine = choose_engine(spec.engine, facts)
    if isinstance(engine, Reason):
        return engine
    claims, devices = assignment.claims if assignment else (), node.devices if node else ()
    device = machine_for(claims, devices, cores_of(node), threads).device
    program = program_on(engine, facts, spec.engine_version, node.engines if node else (), device)
    lessons = assignment.lessons if assignment else lessons_for(learned, program, facts, on_gpu=False)
    return run_plan(spec, facts, program, machine_for(claims, devices, cores_of(node), threads, lessons))


def lessons_for(learned: Learned, program: Program, facts: ModelFacts, *, on_gpu: bool) -> Lessons:
    """What earlier starts taught about a model in a program."""
    version = program.install.version if program.install else ""
    return learned.about(Family(program.engine.name, version, facts.architecture, on_gpu))


def refusals(
    spec: DeploymentSpec, facts: ModelFacts, nodes: Sequence[NodeFacts], threads: int | None
) -> tuple[Reason, ...]:
    """Why ``spec`` cannot be accepted as it is: engine, parameters, environment. Lack of memory is no such reason: it
    may come free."""
    engine = choose_engine(spec.engine, facts)
    if isinstance(engine, Reason):
        return (engine,)
    programs = [(program_on(engine, facts, spec.engine_version, node.engines), node) for node in nodes]
    installed = [(program, node) for program, node in programs if program.install]
    program, node = installed[0] if installed else (Program(engine, None), None)
    machine = Machine(physical_cores=cores_of(node), threads=threads)
    return run_plan(spec, facts, program, machine).parameters.refusals
