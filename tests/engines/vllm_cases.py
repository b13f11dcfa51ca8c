"""Devices, programs and plans that the tests of vLLM's recipe share."""

from typing import Any

from tests.domain import memory_models as models

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.nodes import Device, DeviceKind, EngineInstall
from aimindserve.domain.reasons import Reason
from aimindserve.domain.units import GIB
from aimindserve.engines._base import Machine, ParameterPlan
from aimindserve.engines.vllm import Vllm

ENGINE = Vllm()
GUIDE = models.GUIDE


def device(gib: float = 79.6, name: str = "NVIDIA H100 80GB HBM3", kind: DeviceKind = DeviceKind.NVIDIA) -> Device:
    size = int(gib * GIB)
    return Device(id="GPU-1", kind=kind, name=name, memory_total=size, memory_free=size, allocatable=size)


def machine(gib: float = 79.6, budget: int | None = None, gpus: int = 1, **named: Any) -> Machine:
    names = tuple(f"GPU-{number}" for number in range(gpus))
    return Machine(physical_cores=8, gpus=names, device=device(gib, **named), budget=budget)


def install(version: str = "0.33.0", kind: DeviceKind | None = DeviceKind.NVIDIA) -> EngineInstall:
    kinds = (kind,) if kind else ()
    path = f"/engines/{version}/bin/vllm"
    return EngineInstall(engine="vllm", flavour="vllm", version=version, path=path, gpu_kinds=kinds)


def plan(
    facts: ModelFacts, *parameters: str, on: Machine | None = None, program: EngineInstall | None = None
) -> ParameterPlan:
    return ENGINE.plan(facts, parameters, {}, on or machine(), program)


def refusals(facts: ModelFacts, *parameters: str, program: EngineInstall | None = None) -> list[Reason]:
    return list(plan(facts, *parameters, program=program).refusals)


def values(made: ParameterPlan) -> dict[str, str | None]:
    return {item.flag: item.value for item in made.parameters}
