"""An engine ran out of memory at its start: whether, and with what, it is tried once more.

Only what nobody typed becomes smaller. A second failure of the same generation stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from aimindserve.domain.fit_knobs import KNOBS, Knob, with_values
from aimindserve.domain.lessons import HIGHEST_FAILED, NOTHING, RAISE, Correction, Lessons
from aimindserve.domain.params import EngineParameter, Origin
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.specs import DeploymentSpec, EngineName

Outcome = Literal["retried", "refused", "spent"]
Lever = Literal["context", "sequences"]
Levers = tuple[Lever, ...]

UNKNOWN = "unknown"
"""The log does not tell which part failed."""

# Tokens of context below which it is no use; steps in which it is shortened.
_LEAST_CONTEXT, _STEP = 1024, 256
# What makes room for the part that failed, the milder first. Nothing does for weights: they are loaded first. vLLM
# makes its cache after the profile run, so that a shorter context helps only what comes later, or, in old versions, a
# batch of a whole context.
_LEVERS: dict[EngineName, dict[str, Levers]] = {
    "llama.cpp": {"weights": ()},
    "vllm": {"weights": (), "kv_cache": ("context",), "profile": ("sequences", "context")},
}
_USUAL: dict[EngineName, Levers] = {"llama.cpp": ("sequences", "context"), "vllm": ("sequences", "context")}


class Smaller(BaseModel):
    """A parameter that became, or would have to become, smaller."""

    model_config = ConfigDict(frozen=True)

    flag: str
    before: int
    after: int


class Relief(BaseModel):
    """What was decided after a start of ``generation`` ran out of memory at ``item``. ``retried``: once more, with
    ``changes``; ``refused``: the user set what would have to change; ``spent``: the retry failed too. ``lessons`` hold
    for all later starts of the deployment."""

    model_config = ConfigDict(frozen=True)

    generation: int
    outcome: Outcome
    item: str
    lessons: Lessons = NOTHING
    changes: tuple[Smaller, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A start that ran out of memory. ``parameters``: all that the engine was given; ``lessons``: those it heeded.
    ``whole``: it was wholly on GPUs. ``longest``: the most tokens for which the engine says that there is room."""

    generation: int
    item: str
    engine: EngineName
    parameters: Sequence[EngineParameter]
    lessons: Lessons = NOTHING
    whole: bool = False
    longest: int | None = None


def failed_item(why: Reason | None) -> str | None:
    """The item at which a start ran out of memory, by its reason; None for other reasons."""
    if why is not None and why.code is ReasonCode.ENGINE_CACHE_TOO_SMALL:
        return "kv_cache"
    if why is not None and why.code is ReasonCode.START_MEMORY_SHORT:
        return str(why.params.get("part", UNKNOWN))
    return None


def makes_room(relief: Relief | None, generation: int, heeded: Lessons) -> bool:
    """Whether a replica that failed for lack of memory makes room for the retry: it was begun before the lesson."""
    retried = relief is not None and relief.outcome == "retried" and relief.generation == generation
    return retried and heeded.retry != generation


def decide_relief(failure: Failure, earlier: Relief | None) -> Relief | None:
    """What follows; None when it was decided already."""
    if earlier is not None and earlier.generation == failure.generation:
        if earlier.outcome != "retried" or failure.lessons.retry != failure.generation:
            return None
        return earlier.model_copy(update={"outcome": "spent", "item": failure.item, "changes": ()})
    before = earlier.lessons if earlier is not None else NOTHING
    lessons = _raised(before, failure)
    levers = _LEVERS[failure.engine].get(failure.item, _USUAL[failure.engine])
    known = _known(levers, failure)
    for lever, change in known:
        if not _is_typed(lever, failure):
            caps = {lever: _of_one(lever, change.after, failure)}
            retried = lessons.model_copy(update={**caps, "retry": failure.generation})
            return _relief(failure, "retried", retried, (change,))
    if not levers:
        return _relief(failure, "retried", lessons.model_copy(update={"retry": failure.generation}), ())
    return _relief(failure, "refused", lessons, tuple(change for _, change in known[:1]))


def _known(levers: Levers, failure: Failure) -> list[tuple[Lever, Smaller]]:
    """The levers that can become smaller, with how much."""
    return [(lever, change) for lever in levers if (change := _smaller(lever, failure)) is not None]


def _relief(failure: Failure, outcome: Outcome, lessons: Lessons, changes: tuple[Smaller, ...]) -> Relief:
    return Relief(generation=failure.generation, outcome=outcome, item=failure.item, lessons=lessons, changes=changes)


def _raised(before: Lessons, failure: Failure) -> Lessons:
    """The lessons with the item raised that failed. An unknown one raises nothing."""
    whole = before.whole or failure.whole
    if failure.item == UNKNOWN:
        return before.model_copy(update={"whole": whole})
    known = {one.item: one for one in before.corrections}
    factor = known[failure.item].factor * RAISE if failure.item in known else RAISE
    known[failure.item] = Correction(item=failure.item, factor=min(factor, HIGHEST_FAILED), origin="failed")
    return before.model_copy(update={"corrections": tuple(known.values()), "whole": whole})


def _knob(lever: Lever, engine: EngineName) -> Knob:
    return KNOBS[engine].context if lever == "context" else KNOBS[engine].sequences


def _smaller(lever: Lever, failure: Failure) -> Smaller | None:
    """The parameter at half its value; None where it is not set or cannot become smaller."""
    knob = _knob(lever, failure.engine)
    before = knob.number(failure.parameters)
    if before is None or before <= 1:
        return None
    after = before // 2
    if lever == "context":
        after = min(after, failure.longest or after) // _STEP * _STEP
        if _of_one(lever, after, failure) < _LEAST_CONTEXT:
            return None
    return Smaller(flag=knob.names[0], before=before, after=after)


def _is_typed(lever: Lever, failure: Failure) -> bool:
    """Whether the user decided on it. llama.cpp divides a context that is given among the requests at a time: fewer of
    them save nothing then."""
    typed = {one.flag for one in failure.parameters if one.origin is Origin.YOURS}
    mine = set(_knob(lever, failure.engine).names)
    if failure.engine == "llama.cpp" and lever == "sequences":
        mine |= set(_knob("context", failure.engine).names)
    return bool(mine & typed)


def _of_one(lever: Lever, value: int, failure: Failure) -> int:
    """The value for one request: llama.cpp's context is that of all requests at a time."""
    if lever == "sequences" or failure.engine != "llama.cpp":
        return value
    return value // max(_knob("sequences", failure.engine).number(failure.parameters) or 1, 1)


def told(relief: Relief) -> Reason:
    """The decision as a reason."""
    change = next(iter(relief.changes), None)
    numbers = {"flag": change.flag, "before": change.before, "after": change.after} if change else {}
    if relief.outcome == "spent":
        return reason(ReasonCode.MEMORY_RETRY_FAILED, part=relief.item)
    if relief.outcome == "refused":
        code = ReasonCode.MEMORY_NOT_RETRIED if change else ReasonCode.MEMORY_NO_RETRY
        return reason(code, part=relief.item, **numbers)
    return reason(ReasonCode.MEMORY_RETRIED if change else ReasonCode.MEMORY_PLACED_ANEW, part=relief.item, **numbers)


def offered(relief: Relief, spec: DeploymentSpec, engine: EngineName) -> tuple[str, ...] | None:
    """The spec's parameters with the change that was refused for the user to decide; None when there is none."""
    if relief.outcome != "refused" or not relief.changes:
        return None
    knobs = {knob.names[0]: knob for knob in (KNOBS[engine].context, KNOBS[engine].sequences)}
    values = [(knobs[one.flag], one.after) for one in relief.changes if one.flag in knobs]
    return with_values(spec.parameters, *values)
