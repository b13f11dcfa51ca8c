"""The part of a Hugging Face checkpoint that sees: its tower, and how many tokens a picture takes.

Sources: ``transformers/models/*/configuration_*.py`` and ``image_processing_*.py`` of the families named below."""

from collections.abc import Callable
from typing import cast

from aimindserve.domain.facts import VisionFacts
from aimindserve.domain.hf_json import Json, numbers, section, size, text, texts

TokenBounds = tuple[int | None, int | None]
_TOWERS = ("vision_config", "vision_encoder", "visual", "img_processor", "vision_tower_config")
# CLIP ViT-L/14-336, which Phi-3-vision and the first LLaVA name without its sizes.
_CLIP_LARGE = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "image_size": 336,
    "patch_size": 14,
}
_EMPTY: Json = {}


def hf_vision(config: Json, processor: Json | None, architecture: str) -> VisionFacts | None:
    """The facts of the vision tower in ``config`` (a whole ``config.json``), with ``processor``
    (``preprocessor_config.json``) where it is there. None for a model that does not see."""
    tower = section(config, *_TOWERS)
    if tower is None:
        if text(config, "mm_vision_tower") is None:
            return None
        tower = _CLIP_LARGE
    if "vit_config" in tower:
        tower = section(tower, "vit_config") or tower
    if text(config, "model_type") in ("phi3_v", "phi3v"):
        tower = {**_CLIP_LARGE, **tower}
    kind = text(tower, "model_type") or text(config, "model_type") or architecture
    width = size(tower, "embed_dim") or size(tower, "hidden_size", "width", "d_model")
    ratio = tower.get("mlp_ratio")
    ratio = ratio if isinstance(ratio, int | float) and 0 < ratio < 64 else None
    base = VisionFacts(
        kind=kind,
        # Qwen2-VL calls the tower's own width embed_dim; its hidden_size is that of the language model.
        width=width,
        feed_forward_size=size(tower, "intermediate_size") or (round(width * ratio) if width and ratio else None),
        heads=size(tower, "num_heads", "num_attention_heads", "attention_heads"),
        layers=_layers(tower),
        image_size=_side(tower.get("image_size")),
        patch_size=_side(tower.get("patch_size")),
        merge_size=size(tower, "spatial_merge_size") or size(config, "spatial_merge_size"),
        deepstack_levels=len(numbers(tower, "deepstack_visual_indexes")),
    )
    family = _FAMILIES.get(text(config, "model_type") or "")
    return family(base, config, processor or _EMPTY) if family else _by_area(base, config, processor or _EMPTY)


def image_tokens(vision: VisionFacts) -> TokenBounds:
    """The fewest and the most tokens of one picture; None where they do not follow from the facts."""
    if vision.tile_tokens:
        return vision.tile_tokens, vision.tile_tokens * (vision.tiles_max or 1)
    side = (vision.patch_size or 0) * (vision.merge_size or 1)
    if not side:
        return None, None
    # A bound of fewer pixels than one token has been misread.
    bounds = (vision.pixels_min, vision.pixels_max)
    smallest, largest = (pixels // side**2 if pixels and pixels >= side**2 else None for pixels in bounds)
    return smallest, largest


def _layers(tower: Json) -> int | None:
    layers = size(tower, "depth", "num_hidden_layers", "layers")
    return (layers + (size(tower, "num_global_layers") or 0)) if layers else None


def _side(value: object) -> int | None:
    """A side in pixels that is given as one number or as a list of two."""
    if isinstance(value, list):
        values = cast("list[object]", value)
        value = values[0] if values else None
    return size({"side": value}, "side")


def _by_area(base: VisionFacts, _config: Json, processor: Json) -> VisionFacts:
    """Pictures of any size between two areas: Qwen2-VL, Qwen2.5-VL, Qwen3-VL, GLM-4.1V and what resembles them."""
    edges = section(processor, "size") or _EMPTY
    return base.model_copy(
        update={
            "pixels_min": size(processor, "min_pixels") or _area(size(edges, "shortest_edge")),
            "pixels_max": size(processor, "max_pixels") or _area(size(edges, "longest_edge")),
            "merge_size": base.merge_size or size(processor, "merge_size"),
        }
    )


def _area(value: int | None) -> int | None:
    """An edge that is really an area. Small numbers are edges, of processors of another kind."""
    return value if value and value > 2048 else None


def _glm(base: VisionFacts, config: Json, processor: Json) -> VisionFacts:
    """GLM-4.1V counts two frames for each picture in its areas (``image_processing_glm4v.py``)."""
    found = _by_area(base, config, processor)
    frames = size(processor, "temporal_patch_size") or 2
    update = {
        "pixels_min": found.pixels_min // frames if found.pixels_min else None,
        "pixels_max": found.pixels_max // frames if found.pixels_max else None,
    }
    return found.model_copy(update=update)


def _pixtral(base: VisionFacts, _config: Json, processor: Json) -> VisionFacts:
    """The longest side is brought to ``image_size``; one token for each patch (or 2 x 2 of them: Mistral 3) and one at
    the end of each row, which is counted as a wider picture."""
    edges = section(processor, "size") or _EMPTY
    longest = size(edges, "longest_edge") or base.image_size
    patch = (base.patch_size or 16) * (base.merge_size or 1)
    if longest is None:
        return base
    return base.model_copy(update={"pixels_max": longest * (longest + patch), "pixels_min": 2 * patch**2})


def _mllama(base: VisionFacts, config: Json, processor: Json) -> VisionFacts:
    tower = section(config, "vision_config") or _EMPTY
    tiles = size(processor, "max_image_tiles") or size(tower, "max_num_tiles") or 4
    patches = _patches(base, 1)
    return _tiled(base, tiles, patches + 1 if patches else None)


def _llava(base: VisionFacts, config: Json, _processor: Json) -> VisionFacts:
    """One picture, or with ``image_grid_pinpoints`` (LLaVA-NeXT, OneVision) the best grid of tiles and the whole."""
    side, grids = base.image_size, config.get("image_grid_pinpoints")
    tiles = 1
    if side and isinstance(grids, list):
        for grid in cast("list[object]", grids)[:1024]:
            pair = cast("list[object]", grid) if isinstance(grid, list) else []
            sides = [size({"n": item}, "n") or 0 for item in pair]
            if len(sides) == 2:
                tiles = max(tiles, -(-sides[0] // side) * -(-sides[1] // side) + 1)
    return _tiled(base, min(tiles, 1024), _patches(base, 1))


def _llava_or_pixtral(base: VisionFacts, config: Json, processor: Json) -> VisionFacts:
    """Pixtral in the Hugging Face form calls itself LLaVA; its tower tells."""
    return (_pixtral if base.kind == "pixtral" else _llava)(base, config, processor)


def _internvl(base: VisionFacts, config: Json, processor: Json) -> VisionFacts:
    """Tiles of 448 pixels and the whole picture small; pixels are shuffled 2 x 2 into one token."""
    tiles = size(config, "max_dynamic_patch") or size(processor, "max_patches") or 12
    thumbnail = config.get("use_thumbnail", True) is True
    return _tiled(base, tiles + thumbnail, _patches(base, 2)).model_copy(update={"merge_size": 2})


def _gemma3(base: VisionFacts, config: Json, _processor: Json) -> VisionFacts:
    return _tiled(base, 1, size(config, "mm_tokens_per_image") or 256)


def _paligemma(base: VisionFacts, config: Json, _processor: Json) -> VisionFacts:
    return _tiled(base, 1, size(section(config, "text_config") or _EMPTY, "num_image_tokens") or _patches(base, 1))


def _idefics3(base: VisionFacts, config: Json, processor: Json) -> VisionFacts:
    """Tiles along both sides up to the longest edge, and the whole picture small; ``scale_factor`` patches a side
    become one token."""
    scale = size(config, "scale_factor") or 2
    tile = size(section(processor, "max_image_size") or _EMPTY, "longest_edge") or base.image_size
    longest = size(section(processor, "size") or _EMPTY, "longest_edge")
    along = -(-longest // tile) if longest and tile else 4
    found = _tiled(base, along * along + 1 if along > 1 else 1, _patches(base, scale))
    return found.model_copy(update={"merge_size": scale})


def _minicpm(base: VisionFacts, config: Json, processor: Json) -> VisionFacts:
    slices = size(section(config, "slice_config") or _EMPTY, "max_slice_nums")
    slices = slices or size(processor, "max_slice_nums") or 9
    return _tiled(base, slices + 1, size(config, "query_num") or 64)


def _phi3(base: VisionFacts, config: Json, processor: Json) -> VisionFacts:
    """Crops of 336 pixels and the whole picture; a token more for each row of crops and one between, which are
    counted as part of a tile (12 rows of 12 tokens: 144 + 12)."""
    tower = section(config, "img_processor") or _EMPTY
    crops = size(processor, "num_crops") or size(config, "num_crops") or 4
    tokens = size(tower, "num_img_tokens") or size(processor, "num_img_tokens") or 144
    return _tiled(base, crops + 1, tokens + 12).model_copy(update={"merge_size": 2})


def _patches(base: VisionFacts, merge: int) -> int | None:
    if not base.image_size or not base.patch_size:
        return None
    return (base.image_size // base.patch_size // merge) ** 2 or None


def _tiled(base: VisionFacts, tiles: int, tokens: int | None) -> VisionFacts:
    return base.model_copy(update={"tiles_max": tiles, "tile_tokens": tokens})


_FAMILIES: dict[str, Callable[[VisionFacts, Json, Json], VisionFacts]] = {
    "glm4v": _glm,
    "glm4v_moe": _glm,
    "pixtral": _pixtral,
    "mistral3": _pixtral,
    "mllama": _mllama,
    "llava": _llava_or_pixtral,
    "llava_next": _llava,
    "llava_onevision": _llava,
    "llava_llama": _llava,
    "internvl_chat": _internvl,
    "internvl": _internvl,
    "gemma3": _gemma3,
    "paligemma": _paligemma,
    "idefics3": _idefics3,
    "smolvlm": _idefics3,
    "minicpmv": _minicpm,
    "minicpmo": _minicpm,
    "phi3_v": _phi3,
    "phi3v": _phi3,
}


def hears(config: Json) -> bool:
    """Whether a configuration has a part that hears."""
    return section(config, "audio_config", "audio_processor", "audio_encoder") is not None or any(
        "Audio" in name for name in texts(config, "architectures")
    )
