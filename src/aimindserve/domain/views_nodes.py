"""What the management API answers about machines, their devices and who holds memory there."""

from aimindserve.domain.lifecycle import Phase
from aimindserve.domain.nodes import Device, EngineInstall
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
    """A machine."""

    id: str
    hostname: str
    alive: bool
    last_report_at: float | None
    desired_revision: int
    acked_revision: int
    devices: tuple[DeviceView, ...] = ()
    engines: tuple[EngineInstall, ...] = ()
    notes: tuple[ReasonView, ...] = ()
