"""Which rule turns a picture into tokens, by what a model and its vision tower call themselves."""

import re
from enum import StrEnum
from functools import lru_cache

from aimindserve.domain.facts import ModelFacts


class ImageFamily(StrEnum):
    """The rules of ``image_tokens``."""

    RESIZED = "resized"
    """Any size between two areas, in multiples of merged patches: Qwen2/2.5/3-VL, GLM-4.1V and later."""
    MLLAMA = "mllama"
    PIXTRAL = "pixtral"
    """The longest side is bounded, a token ends each row: Pixtral, Mistral 3."""
    PHI3 = "phi3"
    LLAVA = "llava"
    """One square picture."""
    LLAVA_NEXT = "llava_next"
    ONEVISION = "onevision"
    INTERNVL = "internvl"
    FIXED = "fixed"
    """One square picture, pooled to a fixed number of tokens: Gemma 3, PaliGemma."""
    IDEFICS3 = "idefics3"
    """Tiles along the longest side: Idefics 3, SmolVLM."""
    MINICPM = "minicpm"


_RULES: tuple[tuple[ImageFamily, re.Pattern[str]], ...] = (
    (ImageFamily.MLLAMA, re.compile(r"mllama")),
    (ImageFamily.PIXTRAL, re.compile(r"pixtral|mistral3|lightonocr")),
    (ImageFamily.PHI3, re.compile(r"phi3v|phi35v")),
    (ImageFamily.ONEVISION, re.compile(r"onevision")),
    (ImageFamily.LLAVA_NEXT, re.compile(r"llavanext")),
    (ImageFamily.INTERNVL, re.compile(r"internvl|internvit")),
    (ImageFamily.IDEFICS3, re.compile(r"idefics3|smolvlm")),
    (ImageFamily.MINICPM, re.compile(r"minicpmv|minicpmo|resampler")),
    (ImageFamily.FIXED, re.compile(r"gemma3|paligemma")),
    (ImageFamily.RESIZED, re.compile(r"qwen(2|25|3|35)vl|qwen35|qwen36|qwen3omni|qwen25omni|glm4(1|5)?v|glmocr|keye")),
    (ImageFamily.LLAVA, re.compile(r"llava|mlp|ldp")),
)


def image_family(facts: ModelFacts) -> ImageFamily | None:
    """The family of a model that sees; None for one that does not, or whose rule is not known."""
    vision = facts.vision
    if vision is None:
        return None
    for name in (vision.kind, facts.architecture, facts.model_type or ""):
        found = _named(name)
        if found is not None:
            return _refined(found, facts)
    if vision.merge_size and vision.pixels_max:
        return ImageFamily.RESIZED
    return ImageFamily.FIXED if vision.tile_tokens and (vision.tiles_max or 1) == 1 else None


@lru_cache(maxsize=512)
def _named(name: str) -> ImageFamily | None:
    """By one name alone. Kept, since an estimate asks several times."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return next((family for family, pattern in _RULES if pattern.search(plain)), None)


def _refined(family: ImageFamily, facts: ModelFacts) -> ImageFamily:
    """A LLaVA with tiles is a LLaVA-NeXT."""
    tiled = facts.vision is not None and (facts.vision.tiles_max or 1) > 1
    return ImageFamily.LLAVA_NEXT if family is ImageFamily.LLAVA and tiled else family
