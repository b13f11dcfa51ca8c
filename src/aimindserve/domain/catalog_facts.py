"""Facts of a catalog's variants: those that a hub's headers would give, from the figures in the catalog."""

import json

from aimindserve.domain.catalog import CatalogFamily, CatalogModel, CatalogVariant
from aimindserve.domain.catalog_sizes import layer_sizes, part_sizes, text_fields
from aimindserve.domain.facts import (
    FileRole,
    ModelFacts,
    ModelFile,
    ModelFormat,
    ModelPart,
    QuantizationFacts,
    WeightGroup,
)
from aimindserve.domain.hf_config import HfConfig
from aimindserve.domain.hf_model import CONFIG, PARAMS, PROCESSOR, Checkpoint, checkpoint_model
from aimindserve.domain.hf_weights import Weights
from aimindserve.domain.hubs import in_order
from aimindserve.domain.memory_weights import quantized_bytes

_SIGHT = (ModelPart.VISION, ModelPart.PROJECTOR, ModelPart.AUDIO)
_QUANTIZATION = {
    "fp8": QuantizationFacts(method="fp8", bits=8),
    "awq": QuantizationFacts(method="awq", bits=4, group_size=128),
    "gptq": QuantizationFacts(method="gptq", bits=4, group_size=128),
    "mxfp4": QuantizationFacts(method="mxfp4", bits=4),
}
_DTYPES = {"fp8": "F8_E4M3", "awq": "I32", "gptq": "I32", "mxfp4": "U8", "fp16": "F16"}
# Bits of a weight in the layers, in the embedding, and in an output (or an embedding that is the output as well), as
# ``llama-quantize`` mixes them (src/llama-quant.cpp): half of the values' and the MLP's last matrices in a wider type.
_GGUF_BITS: dict[str, tuple[float, float, float]] = {
    "Q3_K_M": (3.91, 3.4375, 6.5625),
    "Q4_0": (4.5, 4.5, 6.5625),
    "Q4_K_M": (4.80, 4.5, 6.5625),
    "Q5_K_M": (5.65, 5.5, 6.5625),
    "Q6_K": (6.5625, 6.5625, 6.5625),
    "Q8_0": (8.5, 8.5, 8.5),
    "F16": (16.0, 16.0, 16.0),
    "MXFP4": (8.5, 8.5, 8.5),
}
_MXFP4_BITS = 4.25


def model_config(model: CatalogModel, quantization: str = "bf16") -> tuple[Checkpoint, HfConfig]:
    """The configuration of a model as it would lie in its repository, and what it tells. Raises ConfigError."""
    if model.params is not None:
        texts = {PARAMS: json.dumps(model.params).encode()}
    else:
        config = dict(model.config or {})
        config.setdefault("torch_dtype", "bfloat16")
        stored = _QUANTIZATION.get(quantization)
        if stored is not None:
            told = {"quant_method": stored.method, "bits": stored.bits, "group_size": stored.group_size}
            config.setdefault("quantization_config", told)
        texts = {CONFIG: json.dumps(config).encode()}
    if model.processor is not None:
        texts[PROCESSOR] = json.dumps(model.processor).encode()
    checkpoint = Checkpoint(texts)
    return checkpoint, checkpoint.config()


def model_parts(model: CatalogModel) -> dict[ModelPart, int]:
    """Parameters by part as they follow from the figures: their sum is close to ``model.parameters``."""
    checkpoint, config = model_config(model)
    raw = json.loads(checkpoint.texts[PARAMS if checkpoint.mistral else CONFIG])
    return part_sizes(raw, config, model.parts)


def variant_facts(family: CatalogFamily, model: CatalogModel, variant: CatalogVariant) -> ModelFacts:
    """What the fit estimate needs to know of a variant. Raises ConfigError."""
    checkpoint, config = model_config(model, variant.quantization)
    parts = _whole(model, model_parts(model))
    groups = _scaled(_groups(model, variant, parts), variant)
    size = sum(group.bytes for group in groups)
    made = checkpoint_model(
        checkpoint, config, model.name, (), Weights(groups, model.parameters),
        license=family.license_of(model), gated=family.is_gated(variant),
    )  # fmt: skip
    made = made.model_copy(update={"capabilities": in_order(family.capabilities)})
    if variant.format is ModelFormat.SAFETENSORS:
        files = (ModelFile(path="model.safetensors", role=FileRole.WEIGHTS, size=size),)
        return made.model_copy(update={"files": files})
    return _as_gguf(made, family, model, variant)


def _whole(model: CatalogModel, parts: dict[ModelPart, int]) -> dict[ModelPart, int]:
    """Parts whose sum is the model's number of parameters: what is not counted is in the layers."""
    rest = sum(count for part, count in parts.items() if part is not ModelPart.LAYERS)
    return {**parts, ModelPart.LAYERS: max(model.parameters - rest, 0)}


def _groups(model: CatalogModel, variant: CatalogVariant, parts: dict[ModelPart, int]) -> tuple[WeightGroup, ...]:
    found: list[WeightGroup] = []
    for part, count in parts.items():
        if not count:
            continue
        if variant.format is ModelFormat.GGUF:
            found += _gguf_groups(model, variant, part, count, tied=not parts.get(ModelPart.OUTPUT))
        else:
            found += _checkpoint_groups(model, variant, part, count)
    return tuple(found)


def _group(part: ModelPart, dtype: str, count: int, each: float) -> WeightGroup:
    linear = part is not ModelPart.EMBEDDING
    return WeightGroup(part=part, dtype=dtype, elements=count, bytes=round(count * each), linear=linear)


def _checkpoint_groups(model: CatalogModel, variant: CatalogVariant, part: ModelPart, count: int) -> list[WeightGroup]:
    stored = _QUANTIZATION.get(variant.quantization)
    if stored is None or part is not ModelPart.LAYERS:
        return [_group(part, "F16" if variant.quantization == "fp16" else "BF16", count, 2.0)]
    each = quantized_bytes(stored.method, stored.bits, stored.group_size)
    dtype = _DTYPES[variant.quantization]
    if variant.quantization != "mxfp4":
        return [_group(part, dtype, count, each)]
    experts = _experts(model)
    return [_group(part, dtype, experts, each), _group(part, "BF16", count - experts, 2.0)]


def _gguf_groups(
    model: CatalogModel, variant: CatalogVariant, part: ModelPart, count: int, *, tied: bool
) -> list[WeightGroup]:
    if part in _SIGHT:
        return [_group(part, "F16", count, 2.0)]
    layers, embedding, output = _GGUF_BITS[variant.quantization]
    tag = variant.quantization
    if part is ModelPart.EMBEDDING:
        return [_group(part, tag, count, (output if tied else embedding) / 8)]
    if part is ModelPart.OUTPUT:
        return [_group(part, tag, count, output / 8)]
    experts = _experts(model) if tag == "MXFP4" else 0
    found = [_group(part, "MXFP4", experts, _MXFP4_BITS / 8)] if experts else []
    return [*found, _group(part, tag if not experts else "Q8_0", count - experts, layers / 8)]


def _experts(model: CatalogModel) -> int:
    checkpoint, config = model_config(model)
    return layer_sizes(text_fields(json.loads(checkpoint.texts[CONFIG])), config).experts


def _scaled(groups: tuple[WeightGroup, ...], variant: CatalogVariant) -> tuple[WeightGroup, ...]:
    """The same with the language model's bytes as its files have them, where that is known. A GGUF model's file holds
    nothing of what sees, a checkpoint's files all of it."""
    if variant.bytes is None:
        return groups
    sight = sum(group.bytes for group in groups if group.part in _SIGHT)
    words = sum(group.bytes for group in groups) - sight
    size = variant.bytes if variant.format is ModelFormat.GGUF else max(variant.bytes - sight, 0)
    return tuple(
        group if group.part in _SIGHT else group.model_copy(update={"bytes": round(group.bytes * size / words)})
        for group in groups
    )


def _as_gguf(made: ModelFacts, family: CatalogFamily, model: CatalogModel, variant: CatalogVariant) -> ModelFacts:
    names = family.gguf_of(model)
    if names is None:
        raise ValueError(f"{model.name} has no GGUF form")
    sight = sum(group.bytes for group in made.weights if group.part in _SIGHT)
    words = sum(group.bytes for group in made.weights) - sight
    files = [ModelFile(path=f"{model.name}-{variant.quantization}.gguf", role=FileRole.WEIGHTS, size=words)]
    if names.projector and sight:
        files.append(ModelFile(path=f"mmproj-{model.name}-F16.gguf", role=FileRole.PROJECTOR, size=sight))
    seen = names.projector is not None
    vision = made.vision.model_copy(update={"kind": names.projector}) if made.vision and seen else None
    update: dict[str, object] = {
        "format": ModelFormat.GGUF,
        "architecture": names.architecture,
        "model_type": names.architecture,
        "files": tuple(files),
        "quantization": variant.quantization,
        "weight_bytes": words,
        "projector_bytes": sight if seen else 0,
        "weights": made.weights if seen else tuple(group for group in made.weights if group.part not in _SIGHT),
        "vision": vision,
        "value_size": made.value_size or made.head_size,
        "dtype": None,
        "quantized": None,
        "config_format": "hf",
        # llama.cpp takes its own bounds of a picture's tokens from the projector's file.
        "image_tokens_min": None,
        "image_tokens_max": None,
    }
    if not seen:
        update["capabilities"] = tuple(name for name in made.capabilities if name not in ("vision", "audio"))
    return made.model_copy(update=update)
