"""Aliases: further public names for models. One leads to a deployment, or to several by weight, with one to fall back
to."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aimindserve.domain.specs import DeploymentName


class AliasTarget(BaseModel):
    """A deployment, by its name, and its share of the requests."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deployment: DeploymentName
    weight: int = Field(default=1, ge=1, le=1000)


class AliasSpec(BaseModel):
    """Where an alias leads. ``fallback``: the deployment that answers while none of ``targets`` can."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)

    targets: tuple[AliasTarget, ...] = Field(min_length=1, max_length=16)
    fallback: DeploymentName | None = None

    @model_validator(mode="after")
    def _each_once(self) -> "AliasSpec":
        names = [target.deployment for target in self.targets]
        if len(set(names)) < len(names) or self.fallback in names:
            raise ValueError("each deployment may be named once")
        return self

    @property
    def deployments(self) -> tuple[str, ...]:
        """All that it leads to, the fallback last."""
        names = tuple(target.deployment for target in self.targets)
        return (*names, self.fallback) if self.fallback else names
