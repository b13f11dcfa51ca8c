"""What a recipe of an engine offers. Recipes are pure: they say how to run, they run nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aimindserve.domain.explanations import Explained
from aimindserve.domain.facts import ModelFacts, ModelFormat
from aimindserve.domain.lessons import NOTHING, Lessons
from aimindserve.domain.measured import LogReadings
from aimindserve.domain.memory import MemoryEstimate
from aimindserve.domain.nodes import CPU_DEVICE_ID, Device, DeviceKind, EngineInstall
from aimindserve.domain.params import EngineParameter
from aimindserve.domain.reasons import Reason
from aimindserve.domain.replicas import Claim
from aimindserve.domain.specs import EngineName
from aimindserve.engines._diagnosis import Diagnosis
from aimindserve.engines._steps import Steps


@dataclass(frozen=True, slots=True)
class Machine:
    """What parameters follow from. ``threads``: the administrator's setting, None to choose. ``gpus``: ids of the
    claimed GPUs, empty on the CPU; ``gpu_numbers``: theirs in the driver's order, where they are known. ``device``: one
    of the devices in question (they are alike), None when it is not known yet. ``budget``: bytes that the replica may
    take on each of them, None for as many as it likes. A plan made with the bytes that an earlier plan needs is that
    plan: so the node finds what placement decided. ``lessons``: what earlier starts taught."""

    physical_cores: int
    threads: int | None = None
    gpus: tuple[str, ...] = ()
    gpu_numbers: tuple[int, ...] = ()
    device: Device | None = None
    budget: int | None = None
    lessons: Lessons = NOTHING


def machine_for(
    claims: Sequence[Claim],
    devices: Sequence[Device],
    physical_cores: int,
    threads: int | None = None,
    lessons: Lessons = NOTHING,
) -> Machine:
    """The machine of a replica that holds ``claims``: with its GPUs, or the CPU, and the most bytes on one of them as
    the budget. The claim on the machine's memory beside GPUs is no part of it."""
    gpus = [claim for claim in claims if claim.device_id != CPU_DEVICE_ID]
    used = gpus or claims
    known = {device.id: device for device in devices}
    return Machine(
        physical_cores=physical_cores,
        threads=threads,
        gpus=tuple(claim.device_id for claim in gpus),
        gpu_numbers=tuple(known[claim.device_id].index for claim in gpus if claim.device_id in known),
        device=next((known[claim.device_id] for claim in used if claim.device_id in known), None),
        budget=max((claim.bytes for claim in used), default=None),
        lessons=lessons,
    )


@dataclass(frozen=True, slots=True)
class ParameterPlan:
    """The engine's arguments with their origin, and why some of what the user gave was refused. ``machine``: what
    they were chosen for, where the memory depends on it. ``partly``: some of the model stays in the machine's memory
    although GPUs are used."""

    parameters: tuple[EngineParameter, ...]
    refusals: tuple[Reason, ...] = ()
    machine: Machine | None = field(default=None, compare=False)
    partly: bool = False

    @property
    def lessons(self) -> Lessons:
        """What the machine's earlier starts taught."""
        return self.machine.lessons if self.machine else NOTHING

    def has(self, flag: str) -> bool:
        """Whether a flag is passed at all."""
        return any(p.flag == flag for p in self.parameters)

    def value(self, flag: str) -> str | None:
        """The value of a flag; None when it is not set or takes none."""
        return next((p.value for p in self.parameters if p.flag == flag), None)


@dataclass(frozen=True, slots=True)
class Sight:
    """``facts``: a model as an engine is told to see pictures. ``exact``: the engine counts like ``image_tokens``."""

    facts: ModelFacts
    exact: bool


@dataclass(frozen=True, slots=True)
class LaunchOrder:
    """All that a command line depends on. ``parameters``, ``env``: the user's. ``alias``: the public model name.
    ``key_file``: a file that holds the engine's key. The engine listens on ``host`` (loopback), ``port``."""

    facts: ModelFacts
    parameters: tuple[str, ...]
    env: Mapping[str, str]
    machine: Machine
    install: EngineInstall
    alias: str
    port: int
    key_file: str
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Launch:
    """A command line, what it adds to the environment, and whether the engine asks for the key. ``key_variable``: the
    environment variable that brings the key, where the engine does not read it from a file."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    wants_key: bool = True
    key_variable: str | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """Paths that tell whether an engine serves: ``health`` answers 200, then ``models`` lists the alias."""

    health: str = "/health"
    models: str = "/v1/models"


class Engine(Protocol):
    """One engine's recipe."""

    @property
    def name(self) -> EngineName: ...

    @property
    def formats(self) -> tuple[ModelFormat, ...]: ...

    @property
    def probe(self) -> Probe: ...

    @property
    def steps(self) -> Steps: ...

    def parameter_schema(self, flavour: str | None = None) -> dict[str, object]:
        """JSON Schema of what a user may set, by flag."""
        ...

    def device_kinds(self, install: EngineInstall | None) -> tuple[DeviceKind, ...]:
        """Device kinds that the installed program can use, best first."""
        ...

    def choose_install(
        self,
        facts: ModelFacts,
        installs: Sequence[EngineInstall],
        wanted: str | None,
        device: Device | None = None,
    ) -> EngineInstall | Reason:
        """The program for a model among those on one machine: of the version ``wanted``, else the best that runs the
        model, on ``device`` where that is known. A reason when there is none: it says what to install, or which version
        the model needs."""
        ...

    def why_install(self, facts: ModelFacts, install: EngineInstall, wanted: str | None) -> Explained | None:
        """Why this program was chosen; None where there is no more to say than that it is there."""
        ...

    def gpu_counts(self, facts: ModelFacts, parameters: Sequence[str], most: int) -> tuple[int, ...]:
        """Numbers of alike GPUs of one machine, up to ``most``, that one replica can be divided on, smallest first."""
        ...

    def plan(
        self,
        facts: ModelFacts,
        parameters: Sequence[str],
        env: Mapping[str, str],
        machine: Machine,
        install: EngineInstall | None = None,
    ) -> ParameterPlan:
        """The arguments that will be passed, apart from those that only the product sets."""
        ...

    def estimate(self, facts: ModelFacts, plan: ParameterPlan, install: EngineInstall | None = None) -> MemoryEstimate:
        """Memory of one replica, in bytes by item. ``install``: the program, on whose version it depends."""
        ...

    def sight(self, facts: ModelFacts, plan: ParameterPlan) -> Sight:
        """How the engine sees pictures with the planned arguments."""
        ...

    def pictures_per_request(self, facts: ModelFacts, parameters: Sequence[str]) -> int | None:
        """The most pictures that the engine takes in one request, 0 when it is told to see none; None when it sets no
        limit."""
        ...

    def launch(self, order: LaunchOrder) -> Launch:
        """The command line. The order's parameters were accepted by ``plan``."""
        ...

    def explain(self, lines: Sequence[str], facts: ModelFacts, install: EngineInstall | None) -> Diagnosis:
        """Why an engine ended, from its log."""
        ...

    def read_memory(self, lines: Sequence[str], *, on_gpu: bool) -> LogReadings:
        """The memory that the log of a start tells of, by item; nothing where it tells of none."""
        ...
