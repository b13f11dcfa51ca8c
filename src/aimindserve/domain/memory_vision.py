"""Working memory of the vision tower: llama.cpp's compute buffer, and the peak of vLLM's encoder."""

from dataclasses import dataclass

from aimindserve.domain.facts import ModelFacts, VisionFacts
from aimindserve.domain.image_families import ImageFamily, image_family
from aimindserve.domain.image_tokens import ImageCost, largest_picture
from aimindserve.domain.memory_constants import LLAMA_IMAGE_TOKENS, VISION_WIDTHS
from aimindserve.domain.runs import LlamaRun, VllmRun

LLAMA_SOURCE = "llama.cpp: tools/mtmd/clip.cpp, fitted to published logs"
VLLM_SOURCE = "vllm/v1/worker/gpu_model_runner.py (profile_run), vllm/multimodal/encoder_budget.py"
# Its pictures go through llama.cpp's tower in their own size, the others as squares or tiles.
_ANY_SIZE = (ImageFamily.RESIZED, None)
# Pictures that the graph keeps beside the one that goes in, by projector: the one that is pooled from 896 pixels.
_PICTURE_COPIES = {"gemma3": 1}


@dataclass(frozen=True, slots=True)
class LlamaPicture:
    """What goes through llama.cpp's tower at once."""

    patches: int
    tokens: int


def llama_picture(facts: ModelFacts, run: LlamaRun) -> LlamaPicture | None:
    """The largest picture, or tile of one, that the deployment may be sent; None when the tower is not known."""
    vision = facts.vision
    if vision is None or not vision.width:
        return None
    merge = vision.merge_size
    if merge is not None and image_family(facts) in _ANY_SIZE:
        tokens = run.image_tokens or facts.image_tokens_max or LLAMA_IMAGE_TOKENS
        return LlamaPicture(tokens * merge**2, tokens)
    if not vision.image_size or not vision.patch_size:
        return None
    patches = (vision.image_size // vision.patch_size) ** 2
    return LlamaPicture(patches, vision.tile_tokens or patches // (merge or 1) ** 2)


def llama_vision_bytes(facts: ModelFacts, run: LlamaRun) -> float:
    """Compute buffer for one picture; 0 when the tower is not known.

    P patches, e width, f feed-forward width, h heads, w pixels: without flash attention
    4 · max(P²·h + 5·e·P, f·P + 2·e·P) + 12 · w bytes, with it 4 · (f·P + 2·e·P) + 12 · w. It gave 114,295.9 MiB where
    114,296.55 were logged (llama.cpp issue 12586), and 267.0 where 267 were measured (gguf-parser-go issue 44).
    """
    vision, picture = facts.vision, llama_picture(facts, run)
    if vision is None or picture is None:
        return 0.0
    patches, width = picture.patches, vision.width or 0
    feed_forward = vision.feed_forward_size or 4 * width
    levels = vision.deepstack_levels
    windows = _has_windows(facts, vision)
    narrow = feed_forward * patches + (4 if windows else 2) * width * patches + levels * width * patches
    masks = 6 * patches**2 if windows else 0
    if not run.flash_attention:
        scores = patches**2 * (vision.heads or width // 64)
        deep = (levels + 2) * width * patches if levels else 0
        narrow = max(narrow, scores + 5 * width * patches + deep)
        masks = 4 * patches**2 if windows else 0
    pixels = patches * (vision.patch_size or 14) ** 2
    return 4 * narrow + masks + 12 * pixels * (1 + _PICTURE_COPIES.get(vision.kind, 0))


def _has_windows(facts: ModelFacts, vision: VisionFacts) -> bool:
    """Qwen2.5-VL's tower masks windows of the picture."""
    names = (vision.kind, facts.architecture, facts.model_type or "")
    return any(mark in name.lower() for name in names for mark in ("qwen2.5vl", "qwen2_5_vl", "qwen25vl"))


@dataclass(frozen=True, slots=True)
class EncoderLoad:
    """What vLLM's encoder is profiled with: ``pictures`` of ``cost`` each; ``budget`` in tokens of its cache.

    Pictures are not rounded down to whole ones, so that larger pictures never seem to need less."""

    cost: ImageCost
    pictures: float
    budget: int


def encoder_load(facts: ModelFacts, run: VllmRun, scheduler: int, batch_tokens: int) -> EncoderLoad | None:
    """The profile batch: as many of the largest pictures as the budget takes, at most those of all sequences.

    Budget = max(tokens of a batch, tokens of one picture). V0 makes one picture for each sequence of an encoder and
    decoder in one (256 for Llama 3.2 Vision, unless ``--max-num-seqs`` says fewer). None for a model that sees none.
    """
    cost = largest_picture(facts, run.image_pixels)
    if cost is None or run.images < 1:
        return None
    if cost.encoder_tokens and scheduler == 0:
        return EncoderLoad(cost, run.sequences * run.images, 0)
    budget = max(batch_tokens, cost.tokens)
    most = run.sequences * max(1.0, min(run.images, run.context_tokens / max(cost.tokens, 1)))
    return EncoderLoad(cost, max(1.0, min(budget / max(cost.tokens, 1), most)), budget)


def encoder_bytes(facts: ModelFacts, load: EncoderLoad, ranks: int) -> tuple[float, float]:
    """Peak of the tower over all pictures of the profile, likely and at most.

    Patches · (5 · width + 2 · feed-forward width / GPUs) · 2 bytes, pictures as numbers of 16 bits in three colours,
    and the outputs. Mllama's masks add 2 · (tokens of all tiles)² bytes: 4.5 GiB for 16 sequences, 72 for 256, as the
    profiles of vLLM issue 10569 show.
    """
    vision = facts.vision
    patches = load.cost.patches
    if vision is None or not vision.width:
        return 0.0, 0.0
    wide = 2 * (vision.feed_forward_size or 4 * vision.width) / ranks
    pixels = patches * (vision.patch_size or 14) ** 2 * 3 * 2
    outputs = max(load.cost.tokens, load.cost.encoder_tokens) * (facts.embedding_size or vision.width) * 2
    masks = 2 * patches**2 if load.cost.encoder_tokens else 0
    likely, most = (2 * patches * (widths * vision.width + wide) + pixels + outputs + masks for widths in VISION_WIDTHS)
    return load.pictures * likely, load.pictures * most


def encoder_cache_bytes(facts: ModelFacts, load: EncoderLoad) -> int:
    """V1's cache of encoder outputs: budget · width of the language model · 2 bytes, for each level of features that
    is kept (Qwen3-VL's deepstack)."""
    levels = 1 + (facts.vision.deepstack_levels if facts.vision else 0)
    return load.budget * (facts.embedding_size or 0) * 2 * levels
