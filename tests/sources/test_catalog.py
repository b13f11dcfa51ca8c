"""The catalog that comes with the program: every entry is whole, and says what the hubs say."""

from collections import Counter
from collections.abc import Iterator
from importlib import resources

import pytest

from aimindserve.domain.catalog import CatalogFamily, CatalogModel, CatalogVariant, variant_id
from aimindserve.domain.catalog_facts import model_parts, variant_facts
from aimindserve.domain.facts import FileRole, ModelFacts, ModelFormat
from aimindserve.domain.files import HubAccess
from aimindserve.domain.source import SourceKind, parse_source
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.sim.hub_data import GRANTED, load
from aimindserve.sim.hub_server import FakeHub
from aimindserve.sources import Asking, resolve
from aimindserve.sources.catalog import catalog_families, parse_family

FAMILIES = catalog_families()
MODELS = [(family, model) for family in FAMILIES for model in family.models]
VARIANTS = [(family, model, variant) for family in FAMILIES for model, variant in family.variants()]
GUIDE = {
    "Qwen2-VL-2B-Instruct:Q4_K_M": "hf://bartowski/Qwen2-VL-2B-Instruct-GGUF:Q4_K_M",
    "Llama-3.2-11B-Vision-Instruct:bf16": "hf://meta-llama/Llama-3.2-11B-Vision-Instruct",
    "Qwen2-VL-7B-Instruct:bf16": "hf://Qwen/Qwen2-VL-7B-Instruct",
    "Pixtral-12B-2409:bf16": "hf://mistralai/Pixtral-12B-2409",
    "Phi-3.5-vision-instruct:bf16": "hf://microsoft/Phi-3.5-vision-instruct",
}


def test_there_is_enough_to_choose_from() -> None:
    served = Counter(name for family in FAMILIES for name in family.capabilities)
    assert len(FAMILIES) >= 50
    assert served["vision"] >= 30
    assert all(served[name] >= 2 for name in ("chat", "tools", "thinking", "audio", "embedding", "rerank"))


def test_names_are_unique() -> None:
    ids = (variant_id(model, variant) for _, model, variant in VARIANTS)
    for names in ((family.name for family in FAMILIES), (model.name for _, model in MODELS), ids):
        assert [name for name, count in Counter(names).items() if count > 1] == []


def test_every_file_has_the_name_of_its_family() -> None:
    files = {entry.name for entry in resources.files("aimindserve").joinpath("catalog").iterdir()}
    assert files == {f"{family.name}.yaml" for family in FAMILIES}
    text = resources.files("aimindserve").joinpath("catalog", "qwen2-vl.yaml").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=r"other\.yaml describes qwen2-vl"):
        parse_family(text, "other")


@pytest.mark.parametrize(("family", "model"), MODELS, ids=[model.name for _, model in MODELS])
def test_the_parts_add_up_to_the_published_size(family: CatalogFamily, model: CatalogModel) -> None:
    assert sum(model_parts(model).values()) == pytest.approx(model.parameters, rel=0.02)
    assert (model.active or 0) < model.parameters


@pytest.mark.parametrize(
    ("family", "model", "variant"), VARIANTS, ids=[variant_id(model, variant) for _, model, variant in VARIANTS]
)
def test_every_variant_can_be_asked_for_and_estimated(
    family: CatalogFamily, model: CatalogModel, variant: CatalogVariant
) -> None:
    for hub in ("hf", "ms"):
        source = variant.source(hub)
        if source is not None:
            assert parse_source(source).kind is SourceKind(hub)
            assert DeploymentSpec(name=model.name, source=source).source == source
    facts = variant_facts(family, model, variant)
    assert facts.format is variant.format
    assert facts.context_length
    assert facts.weight_bytes > 0
    assert facts.caches, "the cache cannot be estimated"
    assert facts.license == family.license_of(model)
    if facts.format is ModelFormat.GGUF and "vision" in family.capabilities:
        assert facts.projector_bytes > 0


def test_code_is_asked_for_where_a_configuration_brings_it() -> None:
    brings = {model.name for _, model in MODELS if model.config and "auto_map" in model.config}
    assert brings <= {model.name for _, model in MODELS if model.code}


@pytest.fixture(scope="module")
def hub() -> Iterator[FakeHub]:
    with FakeHub(load(true_size=True)) as running:
        yield running


@pytest.mark.parametrize(("name", "source"), GUIDE.items())
def test_the_guides_models_are_as_their_headers_say(hub: FakeHub, name: str, source: str) -> None:
    family, model, variant = next(entry for entry in VARIANTS if variant_id(entry[1], entry[2]) == name)
    assert variant.source("hf") == source
    known = variant_facts(family, model, variant)
    access = HubAccess(endpoints={"hf": hub.endpoint}, tokens={"hf": GRANTED})
    read = resolve(parse_source(source), Asking(access))
    assert isinstance(read, ModelFacts), read
    assert shape(known) == shape(read)
    assert known.weight_bytes == pytest.approx(read.weight_bytes, rel=0.01)
    assert known.projector_bytes == pytest.approx(read.projector_bytes, rel=0.01)
    assert known.parameters == pytest.approx(read.parameters, rel=0.001) or known.format is ModelFormat.GGUF


def shape(facts: ModelFacts) -> dict[str, object]:
    """All that an estimate depends on beside bytes."""
    fields = {
        "format", "architecture", "layers", "heads", "kv_heads", "head_size", "value_size", "embedding_size",
        "feed_forward_size", "vocabulary_size", "context_length", "caches", "tied_embeddings", "config_format",
    }  # fmt: skip
    seen = facts.vision
    eyes = seen and (seen.kind, seen.width, seen.heads, seen.layers, seen.patch_size)
    roles = tuple(role for role in FileRole if facts.files_of(role) and role is not FileRole.CONFIG)
    return {**facts.model_dump(include=fields), "vision": eyes, "sees": facts.sees_images, "roles": roles}


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("Qwen3-VL-8B-Instruct:Q4_K_M", 5_027_784_800),
        ("Qwen2.5-7B-Instruct:Q4_K_M", 4_683_073_536),
        ("gemma-3-27b-it:Q4_K_M", 16_546_688_736),
        ("gpt-oss-20b:mxfp4", 13_761_264_768),
        ("Qwen2-VL-7B-Instruct:awq", 6_920_000_000),
    ],
)
def test_sizes_of_published_files(name: str, size: int) -> None:
    """As listed at the hub (the last: docs of the estimate)."""
    family, model, variant = next(entry for entry in VARIANTS if variant_id(entry[1], entry[2]) == name)
    assert variant_facts(family, model, variant).weight_bytes == pytest.approx(size, rel=0.02)
