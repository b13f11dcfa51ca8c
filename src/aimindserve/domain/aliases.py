"""Aliases: further public names for models. One leads to a deployment, or to several by weight, with one to fall back
to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aimindserve.domain.specs import DeploymentName

# The golden ratio's multiples lie as evenly in 0..1 as a sequence can, however long it gets.
_STEP = 0.6180339887498949


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


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias as gateways hold it: deployments by name with their weights. ``created`` is in Unix seconds."""

    name: str
    targets: tuple[tuple[str, int], ...]
    fallback: str | None = None
    created: int = 0


def ways(alias: Alias, number: int, is_ready: Callable[[str], bool]) -> tuple[str, ...]:
    """The deployments that may answer the request of this ``number``, in the order in which they are tried: the one
    whose turn it is by weight among those that are ready, the other ready ones by weight, the fallback. While none is
    ready, the one whose turn it would be."""
    ready = [target for target in alias.targets if is_ready(target[0])]
    first = _turn(ready, number)
    if first is None:
        if alias.fallback and is_ready(alias.fallback):
            return (alias.fallback,)
        return tuple(filter(None, (_turn(alias.targets, number),)))
    others = sorted((target for target in ready if target[0] != first), key=lambda target: -target[1])
    last = (alias.fallback,) if alias.fallback and is_ready(alias.fallback) else ()
    return (first, *(name for name, _ in others), *last)


def _turn(targets: Sequence[tuple[str, int]], number: int) -> str | None:
    """In every run of requests, each deployment gets its share as exactly as whole requests allow, or nearly so."""
    if not targets:
        return None
    bounds = list(accumulate(weight for _, weight in targets))
    point = number * _STEP % 1.0 * bounds[-1]
    return next(name for (name, _), bound in zip(targets, bounds, strict=True) if point < bound)
