"""vLLM's arguments: the user's, and what the product chooses, each with its reason."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from aimindserve.domain.explanations import Explained, Why, explained
from aimindserve.domain.facts import CacheKind, ModelFacts
from aimindserve.domain.memory_constants import V0_ARCHITECTURES
from aimindserve.domain.nodes import Device, EngineInstall
from aimindserve.domain.params import EngineParameter, Origin
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.units import format_bytes
from aimindserve.engines._base import Machine, ParameterPlan
from aimindserve.engines.chat_templates import vllm_template
from aimindserve.engines.vllm_choices import Choice, Limits, Problem, choose
from aimindserve.engines.vllm_data import READ
from aimindserve.engines.vllm_devices import lacks_bfloat16
from aimindserve.engines.vllm_flags import before, has_flag
from aimindserve.engines.vllm_memory import (
    CONTEXT_UNKNOWN,
    cache_size,
    has_coarse_cache,
    is_on_cpu,
    sizing_of,
)
from aimindserve.engines.vllm_pictures import most_pixels, processor_words, seen_by, tiles_of
from aimindserve.engines.vllm_words import read_object

# Pictures in one request; the guide's deployments use four. Layers that look at pictures (Llama 3.2 Vision) keep about
# 1 GiB for each, and vLLM itself allows one there.
PICTURES = "--limit-mm-per-prompt"
_IMAGES, _IMAGES_CROSSING = 4, 1
# Devices without bfloat16, where they do not tell their generation themselves.
_OLD_GPU = re.compile(
    r"\b(T4|V100|P100|P40|P4|M\d\d|K80|(?:RTX |Quadro RTX )?20[678]0|GTX|TITAN|Quadro (?:RTX|[PM]))\b"
)
_CACHE, _SHARE = "--kv-cache-memory-bytes", "--gpu-memory-utilization"
# Shares are given so finely that rounding costs less than a page of the cache.
_SHARE_STEPS = 10_000


@dataclass(frozen=True, slots=True)
class Case:
    """What a plan is made from. ``yours``: the accepted parameters of the user by flag; ``off``: switches that he
    turned off."""

    facts: ModelFacts
    version: str
    machine: Machine
    install: EngineInstall | None
    yours: Mapping[str, EngineParameter]
    off: frozenset[str] = frozenset()

    @property
    def device(self) -> Device | None:
        """The device, where it is known."""
        return self.machine.device

    @property
    def on_cpu(self) -> bool:
        """Whether it will run on the CPU."""
        return is_on_cpu(self.machine, self.install)

    def value(self, flag: str) -> str | None:
        """The user's value."""
        given = self.yours.get(flag)
        return given.value if given else None

    def count(self, flag: str) -> int | None:
        """The user's whole number."""
        value = self.value(flag)
        return int(value) if value and value.isdigit() else None


def derive(case: Case) -> tuple[list[EngineParameter], list[Reason]]:
    """All arguments, the user's included, and why they cannot be as he wants them."""
    fixed = [item for item in _fixed(case) if item.flag not in case.yours]
    yours = [_with_videos_off(case, item) for item in case.yours.values()]
    problem = _problem(case, [*fixed, *yours])
    choice = choose(problem)
    chosen = [item for item in _chosen(case, problem, choice) if item.flag not in case.yours]
    refusals = [why for why in (_cache_refusal(problem, choice),) if why]
    return [*chosen, *fixed, *yours], refusals


def _problem(case: Case, items: list[EngineParameter]) -> Problem:
    values = {item.flag: item.value for item in items}
    facts = seen_by(case.facts, read_object(values.get("--mm-processor-kwargs")))
    plan = ParameterPlan(tuple(items), machine=case.machine)
    sizing = sizing_of(facts, plan, case.version, case.install)
    eager = True if "--enforce-eager" in case.yours else False if "--enforce-eager" in case.off else None
    decided = _SHARE in case.yours or _CACHE in case.yours
    limits = Limits(
        context=case.count("--max-model-len"),
        sequences=case.count("--max-num-seqs"),
        batch_tokens=case.count("--max-num-batched-tokens"),
        pixels=most_pixels(facts) if "--mm-processor-kwargs" not in case.yours and sizing.run.images else None,
        eager=eager,
        cache=not decided and (has_flag(case.version, _CACHE) or has_coarse_cache(sizing)),
        most_context=case.machine.lessons.context,
        most_sequences=case.machine.lessons.sequences,
    )
    return Problem(facts, sizing, limits, case.machine.budget)


def _chosen(case: Case, problem: Problem, choice: Choice) -> list[EngineParameter]:
    """What follows from the memory."""
    best = problem.wish
    found = [_context(case, choice, best), _sequences(problem, choice, best)]
    batch = problem.batch_tokens(choice)
    if batch:
        found.append(_item("--max-num-batched-tokens", batch, Origin.DEFAULT, Why.BATCH_DEFAULT))
    if choice.pixels:
        found.append(_picture_size(problem.facts, choice.pixels))
    if choice.eager and "--enforce-eager" not in case.off:
        why = Why.EAGER_CPU if case.on_cpu else Why.EAGER_PICTURES if best.eager else Why.EAGER_FITS
        found.append(_item("--enforce-eager", None, Origin.DERIVED, why))
    return [*found, *_memory(case, problem, choice)]


def _picture_size(facts: ModelFacts, pixels: int) -> EngineParameter:
    value, tiles = json.dumps(processor_words(facts, pixels)), tiles_of(facts, pixels)
    if tiles is None:
        return _item("--mm-processor-kwargs", value, Origin.DERIVED, Why.PIXELS_FIT, pixels=pixels)
    return _item("--mm-processor-kwargs", value, Origin.DERIVED, Why.TILES_FIT, tiles=tiles)


def _context(case: Case, choice: Choice, best: Choice) -> EngineParameter:
    trained = case.facts.context_length or CONTEXT_UNKNOWN
    why = Why.CONTEXT_WHOLE if choice.context >= trained else Why.CONTEXT_SENSIBLE
    if choice.context < best.context:
        why = Why.CONTEXT_FITS
    elif choice.context == case.machine.lessons.context:
        why = Why.CONTEXT_RELIEVED
    numbers = {"tokens": choice.context, "trained": trained, "wished": best.context}
    return _item("--max-model-len", choice.context, Origin.DERIVED, why, **numbers)


def _sequences(problem: Problem, choice: Choice, best: Choice) -> EngineParameter:
    if choice.sequences < best.sequences:
        return _item("--max-num-seqs", choice.sequences, Origin.DERIVED, Why.SEQUENCES_FIT, wished=best.sequences)
    if choice.sequences == problem.limits.most_sequences:
        return _item("--max-num-seqs", choice.sequences, Origin.DERIVED, Why.SEQUENCES_RELIEVED, count=choice.sequences)
    if problem.is_v0 and problem.facts.sees_images:
        return _item("--max-num-seqs", choice.sequences, Origin.DERIVED, Why.SEQUENCES_PICTURES)
    return _item("--max-num-seqs", choice.sequences, Origin.DEFAULT, Why.SEQUENCES_DEFAULT)


def _memory(case: Case, problem: Problem, choice: Choice) -> list[EngineParameter]:
    """The cache in bytes where the version takes them, and the share of the device: vLLM refuses to start where less
    than that is free, and old versions measure the cache by it."""
    sizing = problem.sized(choice)
    found: list[EngineParameter] = []
    if problem.limits.cache and not has_coarse_cache(sizing):
        numbers = {"requests": choice.requests, "tokens": choice.context}
        found.append(_item(_CACHE, sizing.cache_bytes, Origin.DERIVED, Why.CACHE_FOR_REQUESTS, **numbers))
    device = case.device
    needed = problem.estimate(choice).high
    # Of a plan that needs more than there is, no share can be told; it is never started.
    if device is not None and needed <= device.memory_total and not sizing.on_cpu and _SHARE not in case.yours:
        share = max(needed * _SHARE_STEPS // device.memory_total, 1) / _SHARE_STEPS
        numbers = {"needed": format_bytes(needed), "total": format_bytes(device.memory_total)}
        found.append(_item(_SHARE, share, Origin.DERIVED, Why.SHARE_OF_DEVICE, **numbers))
    return found


def _cache_refusal(problem: Problem, choice: Choice) -> Reason | None:
    """The user's cache holds no request of his context."""
    given = problem.sizing.cache_bytes
    if given is None:
        return None
    needed = cache_size(problem.facts, problem.sized(replace(choice, requests=1)))
    if needed <= given:
        return None
    numbers = {"given": format_bytes(given), "needed": format_bytes(needed), "bytes": needed}
    return reason(ReasonCode.CACHE_TOO_SMALL, tokens=choice.context, **numbers)


def _fixed(case: Case) -> list[EngineParameter]:
    """What follows from the model, the version and the devices alone."""
    format_and_code = (*_format(case), *_template(case), *_code(case))
    return [*_parallel(case), _dtype(case), *_pictures(case), *format_and_code, *_log(case)]


def _parallel(case: Case) -> list[EngineParameter]:
    stages = case.count("--pipeline-parallel-size") or 1
    gpus = max(len(case.machine.gpus) // stages, 1)
    why = explained(Why.TENSOR_PARALLEL, gpus=gpus)
    return [EngineParameter(flag="--tensor-parallel-size", value=str(gpus), origin=Origin.DERIVED, why=why)]


def _dtype(case: Case) -> EngineParameter:
    dtype = (case.facts.dtype or "bfloat16").removeprefix("torch.")
    device = case.device.name if case.device and not case.on_cpu else ""
    old = lacks_bfloat16(case.device)
    if dtype != "float16" and (_OLD_GPU.search(device) if old is None else old):
        return _item("--dtype", "float16", Origin.DERIVED, Why.DTYPE_OLD_GPU, device=device)
    if dtype == "float32":
        return _item("--dtype", "bfloat16", Origin.DERIVED, Why.DTYPE_HALVED)
    return _item("--dtype", "auto", Origin.DEFAULT, Why.DTYPE_AS_MODEL, dtype=dtype)


def _pictures(case: Case) -> list[EngineParameter]:
    if not case.facts.sees_images or "--language-model-only" in case.yours:
        return []
    images = usual_pictures(case.facts)
    limits = {"image": images} if _knows_one_kind(case) else {"image": images, "video": 0}
    value = json.dumps(limits)
    return [_item(PICTURES, value, Origin.DEFAULT, Why.IMAGES_DEFAULT, images=images)]


def usual_pictures(facts: ModelFacts) -> int:
    """Pictures of one request unless the user gives their number. Models that cross over to them take one."""
    crossing = any(group.kind is CacheKind.CROSS for group in facts.caches)
    return _IMAGES_CROSSING if crossing or facts.architecture in V0_ARCHITECTURES else _IMAGES


def _knows_one_kind(case: Case) -> bool:
    """V0's models refuse limits of what they do not take."""
    return case.facts.architecture in V0_ARCHITECTURES


def _with_videos_off(case: Case, item: EngineParameter) -> EngineParameter:
    limits = read_object(item.value) if item.flag == "--limit-mm-per-prompt" else {}
    if not limits or "video" in limits or _knows_one_kind(case):
        return item
    value = json.dumps({**limits, "video": 0})
    return item.model_copy(update={"value": value, "why": explained(Why.IMAGES_YOURS)})


def _format(case: Case) -> list[EngineParameter]:
    if case.facts.config_format != "mistral":
        return []
    flags = ("--tokenizer-mode", "--config-format", "--load-format")
    return [_item(flag, "mistral", Origin.DERIVED, Why.MISTRAL_FORMAT) for flag in flags]


def _template(case: Case) -> list[EngineParameter]:
    template = vllm_template(case.facts)
    return [_item("--chat-template", template, Origin.DERIVED, Why.TEMPLATE_KNOWN)] if template else []


def _code(case: Case) -> list[EngineParameter]:
    """A hub's code is confirmed before a deployment is accepted; code in a local folder by the user's own flag."""
    if not case.facts.code_files or case.facts.origin is None or "--trust-remote-code" in case.off:
        return []
    files = ", ".join(case.facts.code_files[:3])
    return [_item("--trust-remote-code", None, Origin.DERIVED, Why.CODE_CONFIRMED, files=files)]


def code_refusal(case: Case) -> Reason | None:
    """A local model brings code, and the user has not said that he trusts it."""
    if not case.facts.code_files or case.facts.origin is not None or "--trust-remote-code" in case.yours:
        return None
    return reason(ReasonCode.CODE_NOT_TRUSTED, files=", ".join(case.facts.code_files[:5]))


def _log(case: Case) -> list[EngineParameter]:
    there = [flag for flag in ("--disable-uvicorn-access-log",) if has_flag(case.version, flag)]
    closed = [_item(flag, "none.invalid", Origin.MANAGED, Why.NO_FETCHING) for flag in _fetched_from(case)]
    if before(case.version, READ[0]):
        # Prompts were in the log unless one said this; later versions leave them out by themselves.
        there.append("--disable-log-requests")
    counted = [flag for flag in ("--enable-force-include-usage",) if has_flag(case.version, flag)]
    return [
        *closed,
        *(_item(flag, None, Origin.MANAGED, Why.USAGE_TOLD) for flag in counted),
        *(_item(flag, None, Origin.MANAGED, Why.QUIET_LOG) for flag in there),
    ]


def _fetched_from(case: Case) -> list[str]:
    """The gateway fetches pictures; an engine that may fetch from no host cannot be made to, whoever reaches it."""
    flag = "--allowed-media-domains"
    return [flag] if case.facts.sees_images and has_flag(case.version, flag) else []


def _item(flag: str, value: object, origin: Origin, why: Why, **numbers: str | int) -> EngineParameter:
    text = None if value is None else str(value)
    return EngineParameter(flag=flag, value=text, origin=origin, why=_explained(why, numbers))


def _explained(why: Why, numbers: Mapping[str, str | int]) -> Explained:
    return explained(why, **numbers)
