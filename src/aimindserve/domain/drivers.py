"""Which driver an engine's CUDA needs, and what is too old."""

import re

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
