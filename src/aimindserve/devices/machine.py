"""Everything that one machine can compute with."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from aimindserve.devices._base import DeviceFamily, combine
from aimindserve.devices.cpu import Cpu
from aimindserve.devices.declared import read_fleet
from aimindserve.devices.nvidia import Nvidia
from aimindserve.domain.nodes import Device
from aimindserve.domain.reasons import Reason

Devices = tuple[Sequence[Device], Sequence[Reason]]


class MachineProbe:
    """Asks every family; call it in a thread, it may take as long as the slowest family (NVIDIA: 5 s)."""

    def __init__(self, families: Sequence[DeviceFamily] | None = None) -> None:
        self._families = (Cpu(), Nvidia()) if families is None else tuple(families)

    def __call__(self) -> Devices:
        found = combine([family.probe() for family in self._families])
        return found.devices, found.notes

    def used_by(self, pids: Collection[int]) -> Mapping[str, int]:
        """Bytes that processes hold on devices, by device; call it in a thread too."""
        return {device: size for family in self._families for device, size in family.used_by(pids).items()}


class DeclaredProbe:
    """Answers what a fleet file declares for its first node, always the same.

    Raises:
        FleetError: when it is made, for a file that declares nothing usable.
    """

    def __init__(self, path: Path) -> None:
        node = read_fleet(path).nodes[0]
        self._answer = (node.devices, node.notes)

    def __call__(self) -> Devices:
        return self._answer

    def used_by(self, pids: Collection[int]) -> Mapping[str, int]:  # noqa: ARG002
        """Nothing: what is declared runs nothing."""
        return {}
