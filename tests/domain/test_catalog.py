"""The rules of the catalog's shape, with a small family written here."""

from typing import Any

import pytest
from pydantic import ValidationError

from aimindserve.domain.catalog import CatalogFamily, needed_parameters, variant_id
from aimindserve.domain.catalog_facts import model_parts, variant_facts
from aimindserve.domain.facts import FileRole, ModelFormat, ModelPart

WORDS = {"en": "words", "zh": "文字"}
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256,
    "max_position_embeddings": 131072, "tie_word_embeddings": False,
}  # fmt: skip
MODEL = {
    "name": "Llama-8B",
    "parameters": 8_030_261_248,
    "config": CONFIG,
    "variants": [
        {"quantization": "bf16", "hf": "a/b", "ms": "c/b"},
        {"quantization": "awq", "hf": "a/b-AWQ"},
        {"quantization": "Q4_K_M", "hf": "a/b-GGUF"},
    ],
}
FAMILY: dict[str, Any] = {
    "name": "llama", "title": "Llama", "publisher": WORDS, "description": WORDS, "capabilities": ["chat"],
    "license": "llama3.1", "gguf": {"architecture": "llama"}, "models": [MODEL],
}  # fmt: skip


def family(model: dict[str, Any] | None = None, **changes: Any) -> CatalogFamily:
    return CatalogFamily.model_validate({**FAMILY, "models": [{**MODEL, **(model or {})}], **changes})


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        ({"variants": []}, {}),
        ({"variants": [{"quantization": "bf16"}]}, {}),
        ({"variants": [{"quantization": "int3", "hf": "a/b"}]}, {}),
        ({"variants": [{"quantization": "bf16", "hf": "no-repository"}]}, {}),
        ({"config": None}, {}),
        ({"params": {"dim": 1}}, {}),
        ({"reviewed": {"a/b": "main"}}, {}),
        ({}, {"license": "free"}),
        ({}, {"capabilities": ["tools", "chat"]}),
        ({}, {"capabilities": []}),
        ({}, {"description": {"en": "words"}}),
        ({}, {"gguf": None}),
        ({}, {"colour": "red"}),
    ],
)
def test_a_family_that_is_not_whole_is_refused(model: dict[str, Any], changes: dict[str, Any]) -> None:
    family()
    with pytest.raises(ValidationError):
        family(model, **changes)


def test_what_a_variant_is_called_and_where_it_lies() -> None:
    made = family({"code": True, "needs": ["--tokenizer-mode=mistral"]})
    (model,) = made.models
    plain, packed, gguf = model.variants
    assert [variant_id(model, one) for one in model.variants] == ["Llama-8B:bf16", "Llama-8B:awq", "Llama-8B:Q4_K_M"]
    assert (plain.source("hf"), plain.source("ms"), packed.source("ms")) == ("hf://a/b", "ms://c/b", None)
    assert gguf.source("hf") == "hf://a/b-GGUF:Q4_K_M"
    assert [(one.engine, one.bits) for one in model.variants] == [("vllm", 16), ("vllm", 4), ("llama.cpp", 4)]
    assert needed_parameters(model, plain) == ("--trust-remote-code", "--tokenizer-mode=mistral")
    assert needed_parameters(model, gguf) == ()


def test_licence_and_gate_of_one_model_or_of_all() -> None:
    open_copy = {"quantization": "awq", "hf": "a/b-AWQ", "gated": False}
    made = family({"license": "mit", "variants": [*MODEL["variants"], open_copy]}, gated=True)
    (model,) = made.models
    assert made.license_of(model) == "mit"
    assert made.license_of(family().models[0]) == "llama3.1"
    assert [made.is_gated(one) for one in model.variants] == [True, True, True, False]


def test_parts_follow_from_the_configuration_unless_they_are_stated() -> None:
    (model,) = family().models
    counted = model_parts(model)
    assert counted[ModelPart.EMBEDDING] == counted[ModelPart.OUTPUT] == 128256 * 4096
    assert counted[ModelPart.LAYERS] == 32 * (4096 * 128 * 80 + 3 * 4096 * 14336)
    stated = family({"parts": {"output": 0, "vision": 7}}).models[0]
    assert model_parts(stated) | {ModelPart.OUTPUT: 0, ModelPart.VISION: 7} == model_parts(stated)


def test_weights_by_how_they_are_stored() -> None:
    made = family()
    (model,) = made.models
    plain, packed, gguf = (variant_facts(made, model, one) for one in model.variants)
    assert plain.weight_bytes == 2 * 8_030_261_248
    assert plain.parameters == sum(group.elements for group in plain.weights) == 8_030_261_248
    layers = next(group for group in packed.weights if group.part is ModelPart.LAYERS)
    assert layers.bytes == pytest.approx(layers.elements * 0.51953, rel=1e-4)
    assert packed.quantized is not None
    assert (packed.quantized.method, packed.quantized.bits, packed.quantized.group_size) == ("awq", 4, 128)
    # Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf has 4,920,739,232 bytes.
    assert gguf.weight_bytes == pytest.approx(4_920_739_232, rel=0.01)
    assert (gguf.format, gguf.architecture, gguf.dtype) == (ModelFormat.GGUF, "llama", None)
    assert [file.role for file in gguf.files] == [FileRole.WEIGHTS]


def test_a_known_size_of_the_files_is_taken() -> None:
    made = family({"variants": [{"quantization": "Q4_K_M", "hf": "a/b", "bytes": 5_000_000_000}]})
    (model,) = made.models
    assert variant_facts(made, model, model.variants[0]).weight_bytes == pytest.approx(5_000_000_000, abs=4)
    whole = family({"variants": [{"quantization": "bf16", "hf": "a/b", "bytes": 20_000_000_000}]})
    assert variant_facts(whole, whole.models[0], whole.models[0].variants[0]).weight_bytes == pytest.approx(
        20_000_000_000, abs=4
    )


EYES = {
    "model_type": "siglip_vision_model", "hidden_size": 1152, "num_hidden_layers": 27, "num_attention_heads": 16,
    "intermediate_size": 4304, "image_size": 384, "patch_size": 14,
}  # fmt: skip


def test_a_gguf_model_sees_through_its_projector_alone() -> None:
    config = {**CONFIG, "model_type": "llava", "vision_config": EYES}
    sees = {"capabilities": ["chat", "vision"], "gguf": {"architecture": "llama", "projector": "mlp"}}
    made = family({"config": config}, **sees)
    (model,) = made.models
    eyes = variant_facts(made, model, model.variants[2])
    assert eyes.vision is not None
    assert (eyes.vision.kind, eyes.capabilities) == ("mlp", ("chat", "vision"))
    assert eyes.projector_bytes == 2 * (model_parts(model)[ModelPart.VISION] + model_parts(model)[ModelPart.PROJECTOR])
    assert [file.role for file in eyes.files] == [FileRole.WEIGHTS, FileRole.PROJECTOR]
    blind = family({"config": config}, **{**sees, "gguf": {"architecture": "llama"}})
    words = variant_facts(blind, blind.models[0], blind.models[0].variants[2])
    assert (words.vision, words.projector_bytes, words.capabilities) == (None, 0, ("chat",))
    assert words.weight_bytes == eyes.weight_bytes
