"""How large pictures a model's processor can be told to take (``--mm-processor-kwargs``).

Names and meanings: vLLM's ``model_executor/models/{qwen2_vl,internvl,phi3v,idefics3}.py`` (what ``get_hf_processor``
takes) and the processors that they call. Gemma 3 cuts nothing unless it is told to; LLaVA-NeXT and OneVision take their
grids from the configuration alone; Mllama, Pixtral and MiniCPM-V have no setting that every version takes."""

import math
from collections.abc import Mapping
from typing import Any, cast

from aimindserve.domain.facts import ModelFacts

# By architecture: families have other processors too (InternVL in transformers' own form takes other words).
_AREA = ("Qwen2VLForConditionalGeneration", "Qwen2_5_VLForConditionalGeneration", "Qwen3VLForConditionalGeneration")
_TILES = {"InternVLChatModel": "max_dynamic_patch", "Phi3VForCausalLM": "num_crops"}
_EDGE = ("Idefics3ForConditionalGeneration", "SmolVLMForConditionalGeneration")


def most_pixels(facts: ModelFacts) -> int | None:
    """Pixels of the largest picture that the processor takes; None where its size cannot be set."""
    vision = facts.vision
    if vision is None:
        return None
    if facts.architecture in _AREA:
        return vision.pixels_max
    tiles = (vision.tiles_max or 1) - 1
    if facts.architecture not in (*_TILES, *_EDGE) or tiles < 2 or not vision.image_size:
        return None
    return tiles * vision.image_size**2


def tiles_of(facts: ModelFacts, pixels: int) -> int | None:
    """Tiles into which a picture of that size is cut at most, the small whole one not counted; None where it is not
    cut."""
    side = facts.vision.image_size if facts.vision else None
    if not side or facts.architecture not in (*_TILES, *_EDGE):
        return None
    tiles = max(pixels // side**2, 1)
    return math.isqrt(tiles) ** 2 if facts.architecture in _EDGE else tiles


def processor_words(facts: ModelFacts, pixels: int) -> dict[str, object]:
    """What the processor is told, so that pictures are no larger."""
    tiles = tiles_of(facts, pixels)
    if tiles is None:
        return {"max_pixels": pixels}
    if facts.architecture in _EDGE:
        side = facts.vision.image_size or 0 if facts.vision else 0
        return {"size": {"longest_edge": math.isqrt(tiles) * side}}
    return {_TILES[facts.architecture]: tiles}


def with_pixels(facts: ModelFacts, pixels: int | None) -> ModelFacts:
    """The model as its processor sees with such a limit."""
    tiles = tiles_of(facts, pixels) if pixels else None
    return facts if tiles is None else _cut(facts, tiles)


def seen_by(facts: ModelFacts, kwargs: Mapping[str, object]) -> ModelFacts:
    """The model as its processor is told to cut pictures."""
    side = facts.vision.image_size if facts.vision else None
    if facts.architecture in _EDGE:
        edges = kwargs.get("size")
        longest = cast("dict[str, Any]", edges).get("longest_edge") if isinstance(edges, dict) else None
        return _cut(facts, (longest // side) ** 2) if isinstance(longest, int) and side and longest >= side else facts
    given = kwargs.get(_TILES.get(facts.architecture, ""))
    return _cut(facts, given) if isinstance(given, int) and given >= 1 else facts


def _cut(facts: ModelFacts, tiles: int) -> ModelFacts:
    """One more tile shows the whole picture."""
    if facts.vision is None:
        return facts
    return facts.model_copy(update={"vision": facts.vision.model_copy(update={"tiles_max": tiles + 1})})
