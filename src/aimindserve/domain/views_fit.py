"""What the fit preview answers."""

from typing import Literal

from pydantic import Field

from aimindserve.domain.fit_changes import ChangeKind
from aimindserve.domain.nodes import DeviceKind
from aimindserve.domain.views import MemoryItemView, ParameterView, ReasonView, View


class TenantView(View):
    """A deployment that claims ``bytes`` on a device by now."""

    deployment: str
    bytes: int


class PlacedDeviceView(View):
    """A device that a replica would use. ``bytes`` are claimed; ``before``, ``after``: claimed in all; ``tenants``: who
    claimed before (what is missing there are earlier replicas of this one); ``foreign``: what other programs use;
    ``free``: what could be claimed before. ``index``: the device's number in its machine. ``memory``: its own items
    where the devices of a replica differ; else those of the report hold for each."""

    device_id: str
    device: str
    kind: DeviceKind
    bytes: int
    before: int
    after: int
    foreign: int
    free: int
    allocatable: int
    index: int = 0
    tenants: tuple[TenantView, ...] = ()
    memory: tuple[MemoryItemView, ...] = ()


class PlacementView(View):
    """Where a replica would go. ``level``: the whole model on GPUs, a part of it, or on the CPU. The fields of a device
    are those of the first one. ``host``: the machine's memory beside GPUs."""

    node_id: str
    node: str
    level: Literal["whole", "partly", "cpu"]
    device_id: str
    device: str
    kind: DeviceKind
    bytes: int
    free: int
    allocatable: int
    devices: tuple[PlacedDeviceView, ...]
    host: PlacedDeviceView | None = None


class AlternativeView(View):
    """A change that was seen to make it fit: a sentence, the fields of the spec to set, deployments to stop first, and
    fields to set in the specs of other deployments, by name. A change of ``kind`` ``card`` has none of them: it names a
    card that would do."""

    kind: ChangeKind
    message: str
    patch: dict[str, object] = Field(default_factory=dict)
    stop: tuple[str, ...] = ()
    others: dict[str, dict[str, object]] = Field(default_factory=dict)


class NodeRefusalView(View):
    """Why one machine cannot take a replica."""

    node_id: str
    node: str
    reason: ReasonView


class FitReport(View):
    """What deploying a spec would mean. ``verdict``: ``fits`` now; ``waits`` until claimed memory is free;
    ``no`` for the ``reasons`` given. ``engine_why``: why this version of the engine.

    Memory as in a deployment's plan. ``certain``: False where the model's sizes are not known, so that the intervals
    are wide. ``placements``: of all replicas that find a place, ``placement`` of the first; ``nearest``: where the
    next one would go if there were room, None when all have a place. ``refusals``: machines that cannot take one (the
    next one), at most 100. ``notes``: what a person should know of a place that was found (that it is the CPU).
    """

    verdict: Literal["fits", "waits", "no"]
    engine: str | None = None
    engine_version: str | None = None
    engine_why: str | None = None
    architecture: str | None = None
    capabilities: tuple[str, ...] = ()
    context_length: int | None = None
    gpus: int = 0
    memory: tuple[MemoryItemView, ...] = ()
    memory_total: int = 0
    memory_high: int = 0
    host_high: int = 0
    certain: bool = True
    parameters: tuple[ParameterView, ...] = ()
    placement: PlacementView | None = None
    placements: tuple[PlacementView, ...] = ()
    nearest: PlacementView | None = None
    refusals: tuple[NodeRefusalView, ...] = ()
    alternatives: tuple[AlternativeView, ...] = ()
    reasons: tuple[ReasonView, ...] = ()
    notes: tuple[ReasonView, ...] = ()
