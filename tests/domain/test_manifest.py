"""Deployments as a file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aimindserve.domain.manifest import Manifest, StepKind, patch_to, plan, written
from aimindserve.domain.specs import DeploymentSpec

SPECS = st.builds(
    DeploymentSpec,
    name=st.sampled_from(["a", "b", "c"]),
    source=st.sampled_from(["demo://tiny-vlm", "/models/x.gguf"]),
    engine_version=st.none() | st.just("0.11.0"),
    parameters=st.lists(st.sampled_from(["--ctx-size=2048", "--parallel=2"]), max_size=2).map(tuple),
    replicas=st.integers(0, 3),
    env=st.dictionaries(st.just("A"), st.just("secret"), max_size=1),
)
BY_NAME = st.lists(SPECS, max_size=3, unique_by=lambda spec: spec.name)


@given(SPECS)
def test_what_is_written_is_read_again(spec: DeploymentSpec) -> None:
    assert Manifest.model_validate({"deployments": [written(spec)]}).deployments == (spec,)


@given(BY_NAME, BY_NAME, st.booleans())
def test_applying_the_plan_gives_what_the_file_says(
    wanted: list[DeploymentSpec], there: list[DeploymentSpec], prune: bool
) -> None:
    manifest, world = Manifest(deployments=tuple(wanted)), {spec.name: spec for spec in there}
    asked = {spec.name: spec for spec in wanted}
    for step in plan(manifest, world, prune=prune):
        if step.kind is StepKind.CREATE:
            world[step.name] = asked[step.name]
        elif step.kind is StepKind.DELETE:
            del world[step.name]
        elif step.kind is not StepKind.KEEP:
            assert step.changes
            assert "secret" not in str(step.changes)
            world[step.name] = patch_to(asked[step.name], world[step.name]).apply(world[step.name])
    kept = {} if prune else {spec.name: spec for spec in there if spec.name not in asked}
    assert world == asked | kept
    assert {step.kind for step in plan(manifest, world, prune=prune)} <= {StepKind.KEEP}


def test_another_number_of_replicas_restarts_nothing() -> None:
    old = DeploymentSpec(name="a", source="demo://tiny-vlm")
    more = old.model_copy(update={"replicas": 2})
    (step,) = plan(Manifest(deployments=(more,)), {"a": old})
    assert (step.kind, step.changes) == (StepKind.SCALE, {"replicas": {"before": 1, "after": 2}})


def test_names_appear_once() -> None:
    spec = {"name": "a", "source": "demo://tiny-vlm"}
    with pytest.raises(ValidationError, match="more than once: a"):
        Manifest.model_validate({"deployments": [spec, spec]})
