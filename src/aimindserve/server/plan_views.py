"""Memory items and parameters in words, as deployments and fit reports show them."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

from aimindserve.domain.explanations import sentence
from aimindserve.domain.memory import MemoryEstimate, MemoryItem, Place
from aimindserve.domain.params import EngineParameter
from aimindserve.domain.placement import Level
from aimindserve.domain.reasons import Language
from aimindserve.domain.specs import EngineName
from aimindserve.domain.views import MemoryItemView, ParameterView, PlanView
from aimindserve.engines._registry import ENGINES
from aimindserve.server.reconcile.planning import RunPlan

LEVELS: dict[Level, Literal["whole", "partly", "cpu"]] = {
    Level.WHOLE: "whole",
    Level.PARTLY: "partly",
    Level.CPU: "cpu",
}
"""Where a model lies, as answers call it."""


def memory_views(memory: MemoryEstimate, language: Language) -> tuple[MemoryItemView, ...]:
    """The estimate's lines: those on the device, then those beside it."""
    return device_views(sorted(memory.items, key=lambda item: item.place is Place.HOST), language)


def device_views(items: Iterable[MemoryItem], language: Language) -> tuple[MemoryItemView, ...]:
    """Lines of an estimate."""
    return tuple(
        MemoryItemView(
            item=item.item,
            bytes=item.bytes,
            high=item.high,
            place=item.place,
            source=item.source,
            why=sentence(item.why, language),
            base=item.base,
            corrections=tuple(sentence(one, language) for one in item.corrections),
        )
        for item in items
    )


@cache
def _flags(engine: EngineName) -> Mapping[str, Mapping[str, Any]]:
    """What an engine's flags take, by name."""
    schema: dict[str, Any] = ENGINES[engine].parameter_schema()
    return schema["properties"]


def parameter_views(
    parameters: tuple[EngineParameter, ...], engine: EngineName, language: Language
) -> tuple[ParameterView, ...]:
    """Each argument with its origin and why."""
    return tuple(_parameter_view(item, _flags(engine).get(item.flag, {}), language) for item in parameters)


def _parameter_view(item: EngineParameter, schema: Mapping[str, Any], language: Language) -> ParameterView:
    return ParameterView(
        flag=item.flag,
        value=item.value,
        origin=item.origin,
        why=sentence(item.why, language),
        names=tuple(schema.get("x-other-names", ())),
        choices=tuple(str(value) for value in schema.get("enum", ())),
    )


def plan_view(plan: RunPlan, language: Language) -> PlanView:
    """How a deployment is run."""
    return PlanView(
        engine=plan.engine,
        memory=memory_views(plan.memory, language),
        gpus=plan.gpus,
        memory_total=plan.memory.total,
        memory_high=plan.demand.bytes,
        host_high=plan.demand.host_bytes,
        parameters=parameter_views(plan.parameters.parameters, plan.engine, language),
    )
