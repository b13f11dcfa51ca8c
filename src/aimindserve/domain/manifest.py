"""Deployments as a file: what is written, and what applying it would do."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from aimindserve.domain.changes import changes
from aimindserve.domain.specs import DeploymentPatch, DeploymentSpec, same_program


class Manifest(BaseModel):
    """All that a file asks for. Names appear once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deployments: tuple[DeploymentSpec, ...] = Field(max_length=1000)

    @field_validator("deployments")
    @classmethod
    def _once(cls, specs: tuple[DeploymentSpec, ...]) -> tuple[DeploymentSpec, ...]:
        names = [spec.name for spec in specs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"these names appear more than once: {', '.join(twice)}")
        return specs


class StepKind(StrEnum):
    """What happens to one deployment."""

    CREATE = "create"
    RESTART = "restart"
    """Its spec changes so that running replicas are replaced."""
    SCALE = "scale"
    KEEP = "keep"
    DELETE = "delete"


class Step(BaseModel):
    """One line of a plan. ``changes``: fields before and after, for ``restart`` and ``scale``."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: StepKind
    changes: dict[str, dict[str, Any]] = Field(default_factory=dict)


def plan(manifest: Manifest, existing: Mapping[str, DeploymentSpec], *, prune: bool = False) -> tuple[Step, ...]:
    """What applying ``manifest`` does to the ``existing`` deployments, in the order of the file; with ``prune``, those
    that it does not name are deleted, last."""
    steps = [_step(spec, existing.get(spec.name)) for spec in manifest.deployments]
    named = {spec.name for spec in manifest.deployments}
    unnamed = [name for name in sorted(existing) if name not in named]
    return (*steps, *(Step(name=name, kind=StepKind.DELETE) for name in unnamed if prune))


def _step(spec: DeploymentSpec, old: DeploymentSpec | None) -> Step:
    if old is None:
        return Step(name=spec.name, kind=StepKind.CREATE)
    if spec == old:
        return Step(name=spec.name, kind=StepKind.KEEP)
    kind = StepKind.SCALE if same_program(old, spec) else StepKind.RESTART
    told = changes(old.model_dump(mode="json"), spec.model_dump(mode="json"), hidden={"env"})
    return Step(name=spec.name, kind=kind, changes=told)


def patch_to(spec: DeploymentSpec, old: DeploymentSpec) -> DeploymentPatch:
    """The change that makes ``spec`` of ``old``."""
    fields = [name for name in DeploymentPatch.model_fields if getattr(spec, name) != getattr(old, name)]
    return DeploymentPatch(**{name: getattr(spec, name) for name in fields})


def written(spec: DeploymentSpec) -> dict[str, Any]:
    """A spec as a file holds it: what is as it would be anyway is left out."""
    return spec.model_dump(mode="json", exclude_defaults=True)
