"""What one picture costs: tokens in the language model, patches in the vision tower.

Sources: ``transformers/models/*/image_processing_*.py`` and ``processing_*.py`` of the families, vLLM's
``model_executor/models`` where it counts differently. Sizes are in pixels."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from aimindserve.domain.facts import ModelFacts, VisionFacts
from aimindserve.domain.image_families import ImageFamily, image_family

# Qwen2-VL's own bounds; GLM and Qwen3-VL declare others in their processors.
_PIXELS_MIN, _PIXELS_MAX = 56 * 56, 28 * 28 * 16384
# Pictures of odd shapes that reach the most tiles: in both directions, and all in a row.
_SHAPES = (
    *((across, down) for across in range(1, 13) for down in range(1, 13)),
    *((along, 1) for along in range(13, 65)),
    *((1, along) for along in range(13, 65)),
)


@dataclass(frozen=True, slots=True)
class ImageCost:
    """``tokens``: in the language model's context. ``patches``: through the tower, all tiles together.
    ``encoder_tokens``: kept by layers with cross-attention (Mllama). ``tiles``: pictures that the tower sees."""

    tokens: int
    patches: int
    encoder_tokens: int = 0
    tiles: int = 1


def image_cost(facts: ModelFacts, width: int, height: int) -> ImageCost | None:
    """The cost of one picture; None for a model that sees none, or whose rule or sizes are not known."""
    family, vision = image_family(facts), facts.vision
    if family is None or vision is None or width < 1 or height < 1:
        return None
    return _cost(family, vision, width, height)


def _cost(family: ImageFamily, vision: VisionFacts, width: int, height: int) -> ImageCost | None:
    if family is not ImageFamily.MINICPM and not vision.patch_size:
        return None
    if family is not ImageFamily.RESIZED and not vision.image_size:
        return None
    return _COSTS[family](vision, width, height)


def largest_picture(facts: ModelFacts, pixels: int | None = None) -> ImageCost | None:
    """The dearest picture of at most ``pixels`` (None: of any size). It never falls with more pixels.

    A bound on pixels helps where pictures keep their size; the families that scale every picture up to their tiles
    cost as much for a small one of an odd shape.
    """
    family = image_family(facts)
    return _largest(family, facts.vision, pixels) if family is not None and facts.vision is not None else None


@lru_cache(maxsize=1024)
def _largest(family: ImageFamily, vision: VisionFacts, pixels: int | None) -> ImageCost | None:
    """Kept, since estimates of one model ask for it again and again and some families try a hundred shapes."""
    if family is ImageFamily.RESIZED:
        return _largest_resized(vision, pixels) if vision.patch_size else None
    if family is ImageFamily.PIXTRAL:
        return _largest_pixtral(vision, pixels) if vision.patch_size and vision.image_size else None
    side = vision.image_size or _MINICPM_SIDE
    if family is ImageFamily.MINICPM:
        area = min(pixels or side**2 * 16, side**2 * 16)
        return _minicpm(vision, area, 1)
    costs: Iterable[ImageCost | None] = (_cost(family, vision, x * side, y * side) for x, y in _SHAPES)
    found = max((cost for cost in costs if cost), key=_dearness, default=None)
    if found is None or family is not ImageFamily.ONEVISION:
        return found
    # Features just below the limit are not scaled down; such shapes lie between those of whole tiles.
    unscaled = int(_UNSCALED**2 * _ANYRES * _square(vision)) + 6 * math.isqrt(_square(vision)) + _square(vision)
    return replace(found, tokens=max(found.tokens, unscaled))


def _dearness(cost: ImageCost) -> tuple[int, int, int]:
    return cost.patches, cost.encoder_tokens, cost.tokens


def _square(vision: VisionFacts) -> int:
    """Patches of one tile."""
    return ((vision.image_size or 0) // (vision.patch_size or 1)) ** 2


def smart_resize(width: int, height: int, factor: int, smallest: int, largest: int) -> tuple[int, int]:
    """Both sides as multiples of ``factor``, with an area between the bounds and about the same shape
    (``image_processing_qwen2_vl.smart_resize``)."""
    across, down = (max(factor, round(side / factor) * factor) for side in (width, height))
    if across * down > largest:
        shrink = math.sqrt(width * height / largest)
        across, down = (max(factor, math.floor(side / shrink / factor) * factor) for side in (width, height))
    elif across * down < smallest:
        grow = math.sqrt(smallest / (width * height))
        across, down = (math.ceil(side * grow / factor) * factor for side in (width, height))
    return across, down


def resized_to(facts: ModelFacts, width: int, height: int) -> tuple[int, int] | None:
    """The size that a picture is brought to before it is seen, both sides in pixels; None for a model that cuts it into
    tiles, sees a square of it, or whose rule is not known."""
    vision = facts.vision
    if image_family(facts) is not ImageFamily.RESIZED or vision is None or width < 1 or height < 1:
        return None
    return smart_resize(width, height, _factor(vision), *_bounds(vision)) if vision.patch_size else None


def _factor(vision: VisionFacts) -> int:
    """Pixels along one side of a token."""
    return (vision.patch_size or 14) * (vision.merge_size or 2)


def _bounds(vision: VisionFacts) -> tuple[int, int]:
    return vision.pixels_min or _PIXELS_MIN, vision.pixels_max or _PIXELS_MAX


def _resized(vision: VisionFacts, width: int, height: int) -> ImageCost:
    merge, factor = vision.merge_size or 2, _factor(vision)
    across, down = smart_resize(width, height, factor, *_bounds(vision))
    tokens = (across // factor) * (down // factor)
    return ImageCost(tokens, tokens * merge**2)


def _largest_resized(vision: VisionFacts, pixels: int | None) -> ImageCost:
    merge, factor = vision.merge_size or 2, _factor(vision)
    smallest, largest = _bounds(vision)
    # A picture of few pixels may be long: each side is at least one token, and is rounded up to the next.
    tokens = min(pixels or largest, largest) // factor**2
    tokens = max(tokens, -(-smallest // factor**2), 1)
    return ImageCost(tokens, tokens * merge**2)


def _mllama(vision: VisionFacts, width: int, height: int) -> ImageCost:
    """The canvas of tiles that shrinks the picture least, else enlarges it least. The tower sees all tiles, empty ones
    too; crossing layers keep patches + 1 of each used tile."""
    most, side = vision.tiles_max or 4, vision.image_size or 560
    shapes = [(x, y) for x in range(1, most + 1) for y in range(1, most + 1) if x * y <= most]
    scales = {shape: min(shape[0] * side / width, shape[1] * side / height) for shape in shapes}
    larger = [scale for scale in scales.values() if scale >= 1]
    chosen = min(larger) if larger else max(scales.values())
    tiles = min(x * y for (x, y), scale in scales.items() if scale == chosen)
    return ImageCost(1, most * _square(vision), tiles * (_square(vision) + 1), most)


def _pixtral(vision: VisionFacts, width: int, height: int) -> ImageCost:
    merge, longest = vision.merge_size or 1, vision.image_size or 1024
    step = (vision.patch_size or 16) * merge
    shrink = max(width / longest, height / longest, 1.0)
    across, down = (-(-max(round(side / shrink), 1) // step) for side in (width, height))
    return ImageCost((across + 1) * down, across * down * merge**2)


def _largest_pixtral(vision: VisionFacts, pixels: int | None) -> ImageCost:
    merge, longest = vision.merge_size or 1, vision.image_size or 1024
    step = (vision.patch_size or 16) * merge
    most = -(-longest // step)
    if pixels is None or pixels >= longest**2:
        return ImageCost((most + 1) * most, most**2 * merge**2)
    # Most patches and most tokens need not come from one shape: thin pictures have more ends of rows.
    tokens, patches = 2, 1
    for down in range(1, most + 1):
        # The least area that reaches so many rows and columns: one pixel over the one before in each.
        across = min(most, (pixels // (step * (down - 1) + 1) - 1) // step + 1)
        if across >= 1:
            tokens, patches = max(tokens, (across + 1) * down), max(patches, across * down)
    return ImageCost(tokens, patches * merge**2)


def _phi3(vision: VisionFacts, width: int, height: int) -> ImageCost:
    """Crops of 336 pixels along the longer side as many as allowed, and the whole picture; 144 tokens each, and one at
    the end of each row of 12 (``image_processing_phi3_v.py``). 781 tokens at most with 4 crops, 2653 with 16."""
    crops = (vision.tiles_max or 5) - 1
    shape = max(width, height) / min(width, height)
    scale = 1
    while scale * math.ceil(scale / shape) <= crops:
        scale += 1
    along = max(scale - 1, 1)
    across, down = along, math.ceil(along / shape)
    if height > width:
        across, down = down, across
    side = math.isqrt(_square(vision)) // 2
    tokens = (across * down + 1) * side**2 + 1 + (down + 1) * side
    return ImageCost(tokens, (across * down + 1) * _square(vision), 0, across * down + 1)


def _fixed(vision: VisionFacts, _width: int, _height: int) -> ImageCost:
    return ImageCost(vision.tile_tokens or _square(vision), _square(vision))


def _best_grid(width: int, height: int, grids: Iterable[tuple[int, int]], side: int) -> tuple[int, int]:
    """The grid that keeps most of the picture, then wastes least (``select_best_resolution``)."""

    def rank(grid: tuple[int, int]) -> tuple[float, float]:
        across, down = grid[0] * side, grid[1] * side
        scale = min(across / width, down / height)
        kept = min(int(width * scale) * int(height * scale), width * height)
        return kept, -(across * down - kept)

    return max(grids, key=rank)


def _unpadded(width: int, height: int, across: int, down: int) -> int:
    """Tokens of a grid of ``across`` · ``down`` patches without the padding, and one at the end of each row."""
    if width / height > across / down:
        down -= 2 * ((down - int(height * across / width)) // 2)
    else:
        across -= 2 * ((across - int(width * down / height)) // 2)
    return max(across, 1) * max(down, 1) + max(down, 1)


def _llava_next(vision: VisionFacts, width: int, height: int) -> ImageCost:
    """The whole picture and a grid of tiles: up to 2 x 2, 1 x 3 or 3 x 1."""
    side = vision.image_size or 336
    most = (vision.tiles_max or 5) - 1
    grids = [(1, 2), (2, 1), (2, 2), (3, 1), (1, 3)] if most <= 4 else _grids(most)
    across, down = _best_grid(width, height, [grid for grid in grids if grid[0] * grid[1] <= most] or [(1, 1)], side)
    patches = math.isqrt(_square(vision))
    tokens = _square(vision) + _unpadded(width, height, across * patches, down * patches)
    tiles = across * down + 1
    return ImageCost(tokens, tiles * _square(vision), 0, tiles)


# Tiles whose features OneVision keeps, and by how much along a side they may be more before they are scaled down.
_ANYRES, _UNSCALED = 9, 1.1


def _onevision(vision: VisionFacts, width: int, height: int) -> ImageCost:
    """As LLaVA-NeXT with up to 6 x 6 tiles, whose features are scaled down to those of 9 (``anyres_max_9``)."""
    most, patches = (vision.tiles_max or 37) - 1, math.isqrt(_square(vision))
    across, down = _best_grid(width, height, _grids(most), vision.image_size or 384)
    tokens = _unpadded(width, height, across * patches, down * patches)
    ratio = math.sqrt(tokens / (_ANYRES * _square(vision)))
    if ratio > _UNSCALED:
        tokens = _unpadded(width, height, int(across * patches / ratio), int(down * patches / ratio))
    tiles = across * down + 1
    return ImageCost(tokens + _square(vision), tiles * _square(vision), 0, tiles)


def _grids(most: int) -> list[tuple[int, int]]:
    along = max(math.isqrt(most), 1)
    return [(x, y) for x in range(1, along + 1) for y in range(1, along + 1) if x * y <= most]


def _internvl(vision: VisionFacts, width: int, height: int) -> ImageCost:
    """The grid of the nearest shape, and the whole picture small where there is more than one tile
    (``dynamic_preprocess``); 2 x 2 patches become one token."""
    most = max((vision.tiles_max or 13) - 1, 1)
    side, shape = vision.image_size or 448, width / height
    best, nearest = (1, 1), math.inf
    pairs = [(x, y) for x in range(1, most + 1) for y in range(1, most + 1) if x * y <= most]
    for across, down in sorted(pairs, key=lambda pair: pair[0] * pair[1]):
        distance = abs(shape - across / down)
        if distance < nearest or (distance == nearest and width * height > 0.5 * side**2 * across * down):
            best, nearest = (across, down), distance
    tiles = best[0] * best[1]
    tiles += tiles > 1
    return ImageCost(tiles * (vision.tile_tokens or _square(vision) // 4), tiles * _square(vision), 0, tiles)


def _idefics3(vision: VisionFacts, width: int, height: int) -> ImageCost:
    """The longest side is brought to as many tiles as there are along it, and the whole picture is seen small."""
    along = max(math.isqrt(max((vision.tiles_max or 17) - 1, 1)), 1)
    shape = max(width, height) / min(width, height)
    tiles = along * max(math.ceil(along / shape), 1) + 1 if along > 1 else 1
    merge = vision.merge_size or 2
    return ImageCost(tiles * (vision.tile_tokens or _square(vision) // merge**2), tiles * _square(vision), 0, tiles)


_MINICPM_SIDE = 448


def _minicpm(vision: VisionFacts, width: int, height: int) -> ImageCost:
    """Slices of about 448 x 448 pixels, and the whole picture where there are more than one."""
    side = _MINICPM_SIDE
    slices = min(-(-width * height // side**2), max((vision.tiles_max or 10) - 1, 1))
    tiles = slices + 1 if slices > 1 else 1
    patches = (side // (vision.patch_size or 14)) ** 2
    return ImageCost(tiles * ((vision.tile_tokens or 64) + 2), tiles * patches, 0, tiles)


_COSTS: dict[ImageFamily, Callable[[VisionFacts, int, int], ImageCost]] = {
    ImageFamily.RESIZED: _resized,
    ImageFamily.MLLAMA: _mllama,
    ImageFamily.PIXTRAL: _pixtral,
    ImageFamily.PHI3: _phi3,
    ImageFamily.LLAVA: _fixed,
    ImageFamily.FIXED: _fixed,
    ImageFamily.LLAVA_NEXT: _llava_next,
    ImageFamily.ONEVISION: _onevision,
    ImageFamily.INTERNVL: _internvl,
    ImageFamily.IDEFICS3: _idefics3,
    ImageFamily.MINICPM: _minicpm,
}
