"""What a vendor's file offers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aimindserve.domain.nodes import Device
from aimindserve.domain.reasons import Reason


@dataclass(frozen=True, slots=True)
class Found:
    """Devices, and facts worth showing (an absent driver, a device that cannot be read)."""

    devices: tuple[Device, ...] = ()
    notes: tuple[Reason, ...] = ()


class DeviceFamily(Protocol):
    """One vendor. Both may block for their documented time at most, and never raise for what a machine lacks.
    ``used_by``: bytes that processes hold on its devices, by device."""

    def probe(self) -> Found: ...

    def used_by(self, pids: Collection[int]) -> Mapping[str, int]: ...


def combine(parts: Sequence[Found]) -> Found:
    """All devices and notes, in order."""
    return Found(tuple(d for part in parts for d in part.devices), tuple(n for part in parts for n in part.notes))
