"""Engine parameters with their origin."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from aimindserve.domain.explanations import Explained


class Origin(StrEnum):
    """Who decided a parameter's value."""

    DEFAULT = "default"
    DERIVED = "derived"
    YOURS = "yours"
    MANAGED = "managed"


class EngineParameter(BaseModel):
    """One argument of the engine as it will be passed. ``value`` None: a switch."""

    model_config = ConfigDict(frozen=True)

    flag: str
    value: str | None
    origin: Origin
    why: Explained
