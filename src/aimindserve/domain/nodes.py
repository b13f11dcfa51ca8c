"""Machines and their devices, as they report themselves."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from aimindserve.domain.reasons import Reason

CPU_DEVICE_ID = "cpu"

LabelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$")]
LabelValue = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{0,63}$")]
Labels = Annotated[dict[LabelName, LabelValue], Field(max_length=64)]
"""What administrators call machines, for instance ``room=lab``: names and values of letters, digits, dots, dashes and
underscores."""


def labels_text(labels: dict[str, str]) -> str:
    """Labels as people write them: ``disk=ssd, room=lab``."""
    return ", ".join(f"{name}={value}" for name, value in sorted(labels.items()))


class DeviceKind(StrEnum):
    """Vendor families."""

    CPU = "cpu"
    NVIDIA = "nvidia"
    AMD = "amd"


class DeviceProcess(BaseModel):
    """A program that holds ``bytes`` of a device's memory, as the driver counts; ``name``: of its executable, "" where
    it cannot be read."""

    model_config = ConfigDict(frozen=True)

    pid: int
    name: str
    bytes: int


class Device(BaseModel):
    """A GPU, or the CPU with the machine's memory. ``id`` is unique on the node (``cpu``, a GPU's UUID).

    Bytes throughout. ``allocatable`` is what replicas may claim together: memory that the product never uses (the
    system's own share) is taken off. ``shared``: several replicas may claim parts of it. ``compute_capability``:
    NVIDIA's generation of the GPU (``8.9``), which decides what engines can run on it; None where it is not known.
    ``processes``: who holds memory there, the largest first; only GPUs tell.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    kind: DeviceKind
    name: str
    index: int = 0
    memory_total: int
    memory_free: int
    allocatable: int
    shared: bool = True
    cores: int | None = None
    threads: int | None = None
    utilization: float | None = None
    temperature_c: float | None = None
    power_w: float | None = None
    processes: tuple[DeviceProcess, ...] = ()
    driver: str | None = None
    compute_capability: str | None = None

    @property
    def is_slice(self) -> bool:
        """Whether it is a MIG slice: a program sees one of them at a time."""
        return self.id.startswith("MIG-")


class EngineInstall(BaseModel):
    """An engine program found on a node. ``flavour`` tells dialects of one engine apart (``llama-server``,
    ``llama-box``, ``xllamacpp``). ``gpu_kinds``: GPUs that it was built for and sees; ``cuda``: the CUDA that it
    brings, None where it brings none or that is not known."""

    model_config = ConfigDict(frozen=True)

    engine: str
    flavour: str
    version: str
    path: str
    gpu_kinds: tuple[DeviceKind, ...] = ()
    cuda: str | None = None


class NodeFacts(BaseModel):
    """What a node says of itself. ``notes`` are facts worth showing, like an absent GPU driver. To the ``labels`` of
    its own setting the server adds those that were given there; ``drained`` (no new replicas) is said by the server
    alone."""

    model_config = ConfigDict(frozen=True)

    node_id: str
    hostname: str
    boot_id: str
    devices: tuple[Device, ...] = ()
    engines: tuple[EngineInstall, ...] = ()
    notes: tuple[Reason, ...] = ()
    labels: Labels = Field(default_factory=dict)
    drained: bool = False
