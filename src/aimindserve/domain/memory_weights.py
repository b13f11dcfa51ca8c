"""Weights as they lie in memory: by part and type, cast, quantised while loading, and divided among GPUs.

Sources: vllm/model_executor/layers/{linear,vocab_parallel_embedding,rotary_embedding}.py and layers/quantization; the
formats' own block sizes."""

from collections.abc import Iterable

from aimindserve.domain.facts import ModelFacts, ModelPart, WeightGroup
from aimindserve.domain.runs import VllmRun

SOURCE = "safetensors and GGUF headers; vllm/model_executor/layers/quantization"
_FLOATS = {"F64": 8.0, "F32": 4.0, "F16": 2.0, "BF16": 2.0}
_DTYPES = {"float64": 8.0, "float32": 4.0, "float": 4.0, "float16": 2.0, "half": 2.0, "bfloat16": 2.0}
_SIGHT = (ModelPart.VISION, ModelPart.PROJECTOR, ModelPart.AUDIO)
_TABLES = (ModelPart.EMBEDDING, ModelPart.OUTPUT)
# Rows of the vocabulary are padded to a multiple of this on each GPU.
_VOCABULARY_STEP = 64


def dtype_bytes(name: str) -> float:
    """Bytes of one number of a type of computation (``bfloat16``)."""
    return _DTYPES.get(name.removeprefix("torch."), 2.0)


def quantized_bytes(method: str, bits: int | None = None, group_size: int | None = None) -> float:
    """Bytes of one weight of a linear layer, its share of scales and zero points included.

    Groups of g weights have a scale of 16 bits and a zero point of the weights' own bits: AWQ and GPTQ 4-bit g128
    0.5195, GPTQ 8-bit 1.0234. NF4: a scale of 32 bits for 64 weights. fp8: one of 32 bits for 128 x 128.
    """
    name = method.lower()
    if "bitsandbytes" in name or name == "bnb":
        return 1.0 if bits == 8 else 0.5 + 4 / 64
    if "fp8" in name or (bits == 8 and not group_size):
        return 1.0 + 4 / (128 * 128)
    if "mxfp4" in name:
        return 17 / 32
    if "nvfp4" in name or "fp4" in name:
        return 0.5 + 1 / 16
    if "int8" in name:
        return 1.0
    width = (bits or 4) / 8
    group = group_size if group_size and group_size > 0 else 128
    return width + (2 + width) / group


def weight_groups(facts: ModelFacts) -> tuple[WeightGroup, ...]:
    """The weights by part; without ``facts.weights`` from their bytes, and without those from the model's sizes."""
    if facts.weights:
        return facts.weights
    if facts.weight_bytes:
        return _from_bytes(facts)
    return _from_sizes(facts)


def language_groups(facts: ModelFacts) -> tuple[WeightGroup, ...]:
    """Those of the language model."""
    return tuple(group for group in weight_groups(facts) if group.part not in _SIGHT)


def sight_groups(facts: ModelFacts) -> tuple[WeightGroup, ...]:
    """Those of what sees and hears, the projector's included."""
    return tuple(group for group in weight_groups(facts) if group.part in _SIGHT)


def _from_bytes(facts: ModelFacts) -> tuple[WeightGroup, ...]:
    """One group for the layers and, where the sizes are known, one for each table of the vocabulary."""
    elements = facts.parameters or facts.weight_bytes // 2
    each = facts.weight_bytes / elements
    dtype = next((name for name, size in (("F32", 4.0), ("BF16", 2.0)) if abs(each - size) < 0.05 * size), "packed")
    rows = (facts.vocabulary_size or 0) * (facts.embedding_size or 0)
    tables = (ModelPart.EMBEDDING,) if facts.tied_embeddings else _TABLES
    if not facts.parameters or not rows or 2 * rows * len(tables) > elements:
        tables = ()
    table = round(rows * each)
    layers = WeightGroup(
        part=ModelPart.LAYERS,
        dtype=dtype,
        elements=elements - rows * len(tables),
        bytes=facts.weight_bytes - table * len(tables),
    )
    return (layers, *(WeightGroup(part=part, dtype=dtype, elements=rows, bytes=table) for part in tables))


def layer_elements(facts: ModelFacts) -> int:
    """Weights of all layers of a dense transformer: attention E · head · (2 · heads + 2 · kv_heads) and a gated MLP
    3 · E · F in each. 0 when a size is not known."""
    embedding, heads, size = facts.embedding_size, facts.heads, facts.head_size
    if not facts.layers or not embedding or not heads or not size:
        return 0
    attention = embedding * size * 2 * (heads + (facts.kv_heads or heads))
    return facts.layers * (attention + 3 * embedding * (facts.feed_forward_size or 4 * embedding))


def vision_elements(facts: ModelFacts) -> int:
    """Weights of a vision tower: attention 4 · e², MLP 2 · e · f in each layer. 0 when it is not known."""
    vision = facts.vision
    if vision is None or not vision.width or not vision.layers:
        return 0
    return vision.layers * (4 * vision.width**2 + 2 * vision.width * (vision.feed_forward_size or 4 * vision.width))


def _from_sizes(facts: ModelFacts) -> tuple[WeightGroup, ...]:
    rows = (facts.vocabulary_size or 0) * (facts.embedding_size or 0)
    tables = (ModelPart.EMBEDDING,) if facts.tied_embeddings else _TABLES
    vision = vision_elements(facts)
    others = rows * len(tables) + vision
    layers = layer_elements(facts) if facts.parameters is None else max(facts.parameters - others, 0)
    quantized = facts.quantized
    each = quantized_bytes(quantized.method, quantized.bits, quantized.group_size) if quantized else 2.0
    found = [(ModelPart.LAYERS, layers, each), (ModelPart.VISION, vision, 2.0), *((part, rows, 2.0) for part in tables)]
    return tuple(
        WeightGroup(part=part, dtype="packed" if size != 2.0 else "BF16", elements=count, bytes=round(count * size))
        for part, count, size in found
        if count
    )


def loaded_bytes(group: WeightGroup, facts: ModelFacts, run: VllmRun) -> float:
    """Bytes of a group in memory. Numbers with a point are cast to the type of computation, packed ones stay as they
    are; quantising while loading changes the linear layers of the language model alone."""
    if group.dtype not in _FLOATS:
        return group.bytes
    if facts.quantized is not None and not group.linear and group.part is ModelPart.LAYERS:
        return group.bytes
    if run.quantization and facts.quantized is None and group.linear and group.part is ModelPart.LAYERS:
        return group.elements * quantized_bytes(run.quantization)
    return group.elements * dtype_bytes(run.dtype or facts.dtype or "bfloat16")


def rank_bytes(facts: ModelFacts, run: VllmRun, groups: Iterable[WeightGroup]) -> float:
    """Bytes of ``groups`` on the GPU that holds most of them.

    Layers are divided among the stages of a pipeline, the first stage has the embedding and the tower, the last the
    output; within a stage matrices are divided among the GPUs, all else is copied.
    """
    stages = run.pipeline_parallel
    first = last = middle = 0.0
    for group in groups:
        share = _share(group, facts, run) * loaded_bytes(group, facts, run)
        if group.part in (ModelPart.LAYERS, ModelPart.OTHER):
            middle += share * _stage_share(facts, stages)
        elif group.part is ModelPart.OUTPUT:
            last += share
        else:
            first += share
            # The last stage needs a copy of a table that is the output as well.
            last += share if stages > 1 and facts.tied_embeddings and group.part is ModelPart.EMBEDDING else 0.0
    return middle + (max(first, last) if stages > 1 else first + last)


def _stage_share(facts: ModelFacts, stages: int) -> float:
    if not facts.layers:
        return 1 / stages
    return -(-facts.layers // stages) / facts.layers


def _share(group: WeightGroup, facts: ModelFacts, run: VllmRun) -> float:
    """The part of a group that one GPU holds."""
    ranks = run.tensor_parallel
    if group.part in _TABLES:
        rows = facts.vocabulary_size
        padded = -(-rows // (_VOCABULARY_STEP * ranks)) * _VOCABULARY_STEP * ranks / rows if rows else 1.0
        return padded / ranks
    if group.part in _SIGHT:
        return 1 / ranks if group.linear and sight_is_divided(facts, run) else 1.0
    scales = facts.quantized is not None and group.part is ModelPart.LAYERS
    if not group.linear and not scales:
        return 1.0
    return 1 / ranks + _copied_heads(facts, ranks)


def _copied_heads(facts: ModelFacts, ranks: int) -> float:
    """What copies of keys' and values' matrices add, as a share of the layers, where there are more GPUs than heads."""
    heads, whole = facts.kv_heads, layer_elements(facts)
    if not heads or heads >= ranks or not whole or not facts.layers:
        return 0.0
    matrices = facts.layers * 2 * (facts.embedding_size or 0) * (facts.head_size or 0)
    return matrices * (1 - heads / ranks) / whole


def sight_is_divided(facts: ModelFacts, run: VllmRun) -> bool:
    """Whether the tower's matrices are divided among the GPUs. Pixtral in Mistral's own format and Phi-3's CLIP are
    built of plain layers; ``data`` keeps a whole tower on each GPU."""
    if run.encoder_mode == "data" or facts.config_format == "mistral":
        return False
    heads = facts.vision.heads if facts.vision else None
    return not heads or heads % run.tensor_parallel == 0


def rotary_bytes(facts: ModelFacts, run: VllmRun) -> float:
    """VLLM's table of rotary positions: positions · head size · bytes, a whole one on each GPU.

    Position counts are enlarged four times in models with positions in three directions (MRotaryEmbedding), and a
    linear scaling of positions makes a table of its own for the scaled length.
    """
    positions = facts.rotary_positions or (facts.context_length or 0) * (4 if _is_mrope(facts) else 1)
    return positions * (facts.head_size or 0) * dtype_bytes(run.dtype or facts.dtype or "bfloat16")


def _is_mrope(facts: ModelFacts) -> bool:
    return facts.architecture.startswith(("Qwen2VL", "Qwen2_5_VL", "Qwen3VL", "Glm4v"))
