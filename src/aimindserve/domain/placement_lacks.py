"""What a place misses, and how it is told."""

from dataclasses import dataclass

from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.units import format_bytes

# What a person is told when several places refuse: what ends by waiting, then what says how much is missing.
_HOPES = (
    ReasonCode.CPU_NOT_WISHED,
    ReasonCode.ENGINE_NOT_INSTALLED,
    ReasonCode.NO_USABLE_DEVICE,
    ReasonCode.GPUS_TOO_FEW,
    ReasonCode.HOST_MEMORY_INSUFFICIENT,
    ReasonCode.MEMORY_INSUFFICIENT,
    ReasonCode.MEMORY_IN_USE,
    ReasonCode.MEMORY_CLAIMED,
)


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a place is refused. ``needed``, ``free`` and ``capacity`` (free if no replica claimed any) in bytes on each
    device, or numbers of devices. ``told``: the reason where it is known already."""

    code: ReasonCode
    needed: int = 0
    free: int = 0
    capacity: int = 0
    told: Reason | None = None

    @property
    def hope(self) -> tuple[int, int, int]:
        """Larger for what is nearer to be mended: by its kind, then by what is missing."""
        kind = _HOPES.index(self.code) if self.code in _HOPES else -1
        return (kind, self.free - self.needed, self.capacity)

    @property
    def reason(self) -> Reason:
        """The lack as a reason."""
        if self.told is not None:
            return self.told
        if self.code is ReasonCode.GPUS_TOO_FEW:
            return reason(self.code, needed=self.needed, found=self.free)
        sizes = {"needed": format_bytes(self.needed), "largest": format_bytes(self.capacity)}
        if self.code is ReasonCode.MEMORY_INSUFFICIENT:
            return reason(self.code, **sizes)
        return reason(self.code, free=format_bytes(max(self.free, 0)), **sizes)
