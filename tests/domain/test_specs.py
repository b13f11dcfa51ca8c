"""Deployment specs and patches."""

import pytest
from pydantic import ValidationError
from tests.domain.build import spec

from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.specs import DeploymentPatch, DeploymentSpec, same_program


def test_a_spec_needs_a_name_and_a_source_only() -> None:
    made = DeploymentSpec(name="m", source="/models/x.gguf")
    assert made.source == "file:///models/x.gguf"
    assert made.parsed_source.location == "/models/x.gguf"
    assert (made.engine, made.replicas, made.parameters) == ("auto", 1, ())
    assert DeploymentSpec.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""}, {"name": "a/b"}, {"name": "-a"}, {"name": "a" * 64}, {"name": "a\n"}, {"name": "../x"},
        {"source": "model"}, {"source": "/" + "a" * 5000}, {"engine": "ollama"}, {"replicas": -1}, {"replicas": 65},
        {"parameters": ["a\0b"]}, {"parameters": [""]}, {"parameters": ["--a"] * 129}, {"env": {"a b": "x"}},
        {"env": {"lower": "x"}}, {"unknown": 1}, {"placement": {"zone": "x"}},
    ],
)  # fmt: skip
def test_wrong_specs_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DeploymentSpec.model_validate({"name": "m", "source": "demo://tiny-vlm", **wrong})


def test_a_patch_changes_what_it_names() -> None:
    before = spec(parameters=("--a",), engine_version="1", replicas=2)
    assert DeploymentPatch().apply(before) == before
    after = DeploymentPatch(parameters=("--b",), engine_version=None).apply(before)
    assert (after.parameters, after.engine_version, after.replicas) == (("--b",), None, 2)
    assert after.name == before.name
    with pytest.raises(ValidationError):
        DeploymentPatch.model_validate({"name": "other"})


@pytest.mark.parametrize("field", ["source", "engine", "parameters", "replicas", "placement", "env"])
def test_a_patch_cannot_take_a_field_away(field: str) -> None:
    with pytest.raises(ValidationError, match="leave it out"):
        DeploymentPatch.model_validate({field: None})
    assert DeploymentPatch.model_validate({"engine_version": None}).model_fields_set == {"engine_version"}


def test_only_the_number_of_replicas_leaves_a_program_the_same() -> None:
    assert same_program(spec(replicas=1), spec(replicas=5))
    assert not same_program(spec(), spec(parameters=("--a",)))
    assert not same_program(spec(), spec(env={"A": "1"}))


def test_a_wrong_source_says_so_in_a_way_that_answers_can_translate() -> None:
    with pytest.raises(ValidationError) as caught:
        DeploymentSpec(name="m", source="model.gguf")
    (problem,) = caught.value.errors()
    assert problem["type"] == ReasonCode.SOURCE_INVALID
    assert problem["ctx"]["source"] == "model.gguf"
    assert "hf://" in problem["msg"]
