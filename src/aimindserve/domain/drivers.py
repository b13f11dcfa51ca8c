"""Which driver an engine's CUDA needs, and what is too old."""

import re

from aimindserve.domain.nodes import EngineInstall
from aimindserve.domain.reasons import Reason, ReasonCode, reason

# Lowest Linux driver of each CUDA major version ("minor version compatibility" in NVIDIA's CUDA release notes).
_LOWEST_DRIVER = {11: "450.80.02", 12: "525.60.13", 13: "580.65.06"}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def lowest_driver(cuda: str) -> str | None:
    """The lowest driver for a CUDA version such as ``12.8``; None where that is not known."""
    numbers = _numbers(cuda)
    return _LOWEST_DRIVER.get(numbers[0]) if numbers else None


def too_old(driver: str, cuda: str) -> str | None:
    """The driver that is needed at least, when ``driver`` is older; None when it will do or nothing is known."""
    wanted = lowest_driver(cuda)
    return wanted if wanted is not None and driver and _numbers(driver) < _numbers(wanted) else None


def driver_lack(driver: str, install: EngineInstall) -> Reason | None:
    """Why ``driver`` does not do for an engine's CUDA; None when it does or nothing is known."""
    cuda = install.cuda
    wanted = too_old(driver, cuda) if cuda else None
    if cuda is None or wanted is None:
        return None
    named = {"engine": install.engine, "version": install.version, "cuda": cuda}
    return reason(ReasonCode.DRIVER_BELOW_ENGINE, driver=driver, wanted=wanted, **named)
