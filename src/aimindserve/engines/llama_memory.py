"""llama.cpp's arguments in the quantities that its memory depends on."""

import re

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.image_families import ImageFamily, image_family
from aimindserve.domain.llama_split import layers_by_device
from aimindserve.domain.nodes import EngineInstall
from aimindserve.domain.runs import LlamaRun
from aimindserve.domain.units import MIB
from aimindserve.engines._base import ParameterPlan, Sight
from aimindserve.engines.llama_dialects import LLAMA_BOX

# Where the header does not tell what the model was trained on.
CONTEXT_UNKNOWN = 4096
# The server's own defaults: requests at a time when it may choose, micro-batch, and MiB of finished prompts.
_AUTO_SLOTS, _MICRO_BATCH, _PROMPT_CACHE = 4, 512, 8192
# llama-box stopped in 2025; its builds have numbers of their own.
_OLD_BUILD = 0


def llama_run(facts: ModelFacts, plan: ParameterPlan, install: EngineInstall | None) -> LlamaRun:
    """How the server will run with the planned arguments."""
    asked, slots = _number(plan, "--ctx-size", 0), _number(plan, "--parallel", 1)
    layers = (plan.value("--n-gpu-layers") or "").lower()
    has_prompt_cache = install is None or install.flavour != LLAMA_BOX
    kept = _number(plan, "--cache-ram", _PROMPT_CACHE) if has_prompt_cache else 0
    return LlamaRun(
        context_tokens=asked or facts.context_length or CONTEXT_UNKNOWN,
        slots=slots if slots > 0 else _AUTO_SLOTS,
        unified_cache=slots <= 0 or plan.has("--kv-unified"),
        batch_tokens=_number(plan, "--ubatch-size", _MICRO_BATCH),
        gpu=layers != "0",
        gpu_layers=int(layers) if layers.isdigit() and facts.layers and int(layers) <= facts.layers else None,
        flash_attention=plan.value("--flash-attn") != "off" and not plan.has("--no-flash-attn"),
        cache_types=(plan.value("--cache-type-k") or "f16", plan.value("--cache-type-v") or "f16"),
        image_tokens=_number(plan, "--image-max-tokens", 0) or None,
        projector_on_gpu=not plan.has("--no-mmproj-offload"),
        mmap=not plan.has("--no-mmap"),
        build=_build(install),
        split=_split(facts, plan),
        prompt_cache_bytes=max(kept, 0) * MIB if kept >= 0 else _PROMPT_CACHE * MIB,
    )


def shares_of(value: str | None) -> tuple[float, ...]:
    """Of ``--tensor-split``: parts of the layers by GPU (``3,1``); empty where it is none."""
    parts = re.split(r"[,/]", value or "")
    if not all(re.fullmatch(r" *\d{1,6}(\.\d{1,6})? *", part) for part in parts):
        return ()
    shares = tuple(float(part) for part in parts)
    return shares if sum(shares) else ()


def _split(facts: ModelFacts, plan: ParameterPlan) -> tuple[int, ...]:
    shares, layers = shares_of(plan.value("--tensor-split")), plan.value("--n-gpu-layers") or ""
    if len(shares) < 2 or plan.value("--split-mode") in ("none", "row") or not facts.layers:
        return ()
    slots = min(int(layers), facts.layers + 1) if layers.isdigit() else facts.layers + 1
    return layers_by_device(slots, shares) if slots else ()


def seen_by(facts: ModelFacts, plan: ParameterPlan) -> ModelFacts:
    """The model as the server loads it: without its projector when it is told so."""
    if not plan.has("--no-mmproj"):
        return facts
    return facts.model_copy(update={"vision": None, "projector_bytes": 0, "weights": _text_weights(facts)})


# Pictures of these families go through llama.cpp's tower as one, as they do elsewhere; it cuts others its own way.
_COUNTED_ALIKE = (ImageFamily.RESIZED, ImageFamily.FIXED, ImageFamily.LLAVA)


def sight(facts: ModelFacts, plan: ParameterPlan) -> Sight:
    """How the server sees pictures: their area is bounded by the tokens that they may take
    (``clip.cpp: set_limit_image_tokens``)."""
    seen = seen_by(facts, plan)
    vision, family = seen.vision, image_family(seen)
    exact = family in _COUNTED_ALIKE
    if vision is None or family is not ImageFamily.RESIZED:
        return Sight(seen, exact)
    area = ((vision.patch_size or 14) * (vision.merge_size or 2)) ** 2
    least, most = (_number(plan, flag, 0) for flag in ("--image-min-tokens", "--image-max-tokens"))
    bounds = {"pixels_min": least * area or vision.pixels_min, "pixels_max": most * area or vision.pixels_max}
    return Sight(seen.model_copy(update={"vision": vision.model_copy(update=bounds)}), exact)


def _text_weights(facts: ModelFacts) -> tuple[object, ...]:
    return tuple(group for group in facts.weights if group.part not in ("vision", "projector", "audio"))


def _number(plan: ParameterPlan, flag: str, otherwise: int) -> int:
    value = plan.value(flag)
    return int(value) if value and re.fullmatch(r"-?\d{1,12}", value) else otherwise


def _build(install: EngineInstall | None) -> int | None:
    """llama.cpp's build number in a version such as ``b11434`` or ``2026.10.11549``; None: the newest."""
    if install is None:
        return None
    if install.flavour == LLAMA_BOX:
        return _OLD_BUILD
    found = re.match(r"b?(\d{3,6})\b(?!\.)", install.version) or re.search(r"\.(\d{3,6})$", install.version)
    return int(found[1]) if found else None
