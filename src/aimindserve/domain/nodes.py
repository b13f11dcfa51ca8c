"""Machines and their devices, as they report themselves."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from aimindserve.domain.reasons import Reason

CPU_DEVICE_ID = "cpu"


class DeviceKind(StrEnum):
    """Vendor families."""

    CPU = "cpu"
    NVIDIA = "nvidia"
    AMD = "amd"


class Device(BaseModel):
    """A GPU, or the CPU with the machine's memory. ``id`` is unique on the node (``cpu``, a GPU's UUID).

    Bytes throughout. ``allocatable`` is what replicas may claim together: memory that the product never uses (the
    system's own share) is taken off. ``shared``: several replicas may claim parts of it. ``compute_capability``:
    NVIDIA's generation of the GPU (``8.9``), which decides what engines can run on it; None where it is not known.
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
    driver: str | None = None
    compute_capability: str | None = None

    @property
    def is_slice(self) -> bool:
        """Whether it is a MIG slice: a program sees one of them at a time."""
        return self.id.startswith("MIG-")


class EngineInstall(BaseModel):
    """An engine program found on a node. ``flavour`` tells dialects of one engine apart (``llama-server``,
    ``llama-box``, ``xllamacpp``). ``gpu_kinds``: GPUs that it was built for and sees."""

    model_config = ConfigDict(frozen=True)

    engine: str
    flavour: str
    version: str
    path: str
    gpu_kinds: tuple[DeviceKind, ...] = ()


class NodeFacts(BaseModel):
    """What a node says of itself. ``notes`` are facts worth showing, like an absent GPU driver."""

    model_config = ConfigDict(frozen=True)

    node_id: str
    hostname: str
    boot_id: str
    devices: tuple[Device, ...] = ()
    engines: tuple[EngineInstall, ...] = ()
    notes: tuple[Reason, ...] = ()
