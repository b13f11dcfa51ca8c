"""What the management API answers about machines, their devices and who holds memory there."""

from pydantic import BaseModel, ConfigDict, Field

from aimindserve.domain.lifecycle import Phase
from aimindserve.domain.nodes import Device, EngineInstall, LabelName, LabelValue
from aimindserve.domain.views import ReasonView, View


class HolderView(View):
    """A replica that claims ``bytes`` on a device."""

    deployment: str
    replica_id: str
    phase: Phase
    bytes: int


class DeviceView(View):
    """A device with the memory that replicas claim on it, and which of them how much (``holders``).

    Of its ``allocatable`` bytes: ``used`` are in use as measured, ``foreign`` of them by other programs, ``free`` can
    still be claimed.
    """

    node_id: str
    device: Device
    claimed: int
    used: int = 0
    foreign: int = 0
    free: int = 0
    holders: tuple[HolderView, ...] = ()


class NodeView(View):
    """A machine. ``labels``: all of them; ``given_labels``: those of them that were given here rather than by the
    machine's own setting. ``drained_at``: since when it takes no new replicas."""

    id: str
    hostname: str
    alive: bool
    last_report_at: float | None
    desired_revision: int
    acked_revision: int
    devices: tuple[DeviceView, ...] = ()
    engines: tuple[EngineInstall, ...] = ()
    notes: tuple[ReasonView, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)
    given_labels: dict[str, str] = Field(default_factory=dict)
    drained_at: float | None = None


class NodePatch(BaseModel):
    """Body of ``PATCH /nodes/{node}``: labels to give, and with null those to take back. What is not named stays. A
    label of the machine's own setting shows again when the one that was given over it is taken back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: dict[LabelName, LabelValue | None] = Field(min_length=1, max_length=64)
