"""Which generation of NVIDIA's GPUs a version of vLLM and a form of the weights need."""

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.memory_constants import Version, parse_version
from aimindserve.domain.nodes import Device, DeviceKind
from aimindserve.domain.reasons import Reason, ReasonCode, reason

Capability = tuple[int, int]

# Compute capability of the published builds, by version: those that depend on CUDA 13 (the requirements of 0.25.1 and
# later on PyPI) have no code for Volta any more.
_BUILDS: tuple[tuple[Version, Capability], ...] = (((0,), (7, 0)), ((0, 25), (7, 5)))
# Compute capability of kernels for packed weights, by version (docs/features/quantization of 0.9.2, 0.15.1, 0.32.0).
_WEIGHTS: dict[str, tuple[tuple[Version, Capability], ...]] = {
    "awq": (((0,), (7, 5)),),
    "fp8": (((0,), (8, 0)), ((0, 32), (7, 5))),
    "mxfp4": (((0,), (8, 0)),),
}
_BFLOAT16: Capability = (8, 0)


def capability_of(device: Device | None) -> Capability | None:
    """Major and minor number of an NVIDIA GPU's generation; None where it is not known."""
    if device is None or device.kind is not DeviceKind.NVIDIA or device.compute_capability is None:
        return None
    major, _, minor = device.compute_capability.partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None


def lacks_bfloat16(device: Device | None) -> bool | None:
    """Whether the device cannot compute in bfloat16; None where its generation is not known."""
    found = capability_of(device)
    return None if found is None else found < _BFLOAT16


def too_old(facts: ModelFacts, version: str, device: Device | None, method: str | None = None) -> Reason | None:
    """Why the device is too old for ``version`` or for the weights; None when it is not, or when that is not known.
    ``method``: how weights are packed while they are loaded."""
    found = capability_of(device)
    if found is None or device is None:
        return None
    method = facts.quantized.method if facts.quantized else method
    needs = [(f"vLLM {version}", _since(_BUILDS, version))]
    if method in _WEIGHTS:
        needs.append((f"{method} (vLLM {version})", _since(_WEIGHTS[method], version)))
    for what, needed in needs:
        if found < needed:
            told = {"device": device.name, "found": _written(found), "needed": _written(needed)}
            return reason(ReasonCode.DEVICE_TOO_OLD, what=what, **told)
    return None


def _since(rows: tuple[tuple[Version, Capability], ...], version: str) -> Capability:
    number = parse_version(version)
    return next(needed for since, needed in reversed(rows) if since <= number)


def _written(capability: Capability) -> str:
    return f"{capability[0]}.{capability[1]}"
