"""What a person asks for. The same models are the API body, the stored JSON and the command line's type."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from aimindserve.domain.nodes import Labels
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.source import Source, SourceError, parse_source

EngineName = Literal["vllm", "llama.cpp"]

DeploymentName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"),
    Field(description="Public model name: letters, digits, dot, dash and underscore, up to 63 characters."),
]
Parameter = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[^\x00-\x1f\x7f]*$")]
Printable = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")]


def _inside(path: str) -> str:
    if ".." in path.split("/"):
        raise ValueError("a projector is a path inside the model's repository or folder")
    return path


ProjectorName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=512, pattern=r"^(none|[^/\x00-\x1f\x7f][^\x00-\x1f\x7f]*\.gguf)$"),
    AfterValidator(_inside),
]
EnvironmentValue = Annotated[str, StringConstraints(max_length=4096, pattern=r"^[^\x00]*$")]
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]{0,99}$")]


SOURCE_INVALID: Literal["source_invalid"] = ReasonCode.SOURCE_INVALID.value


def _source_text(text: str) -> str:
    try:
        return str(parse_source(text))
    except SourceError as error:
        # Its own type, so that an answer can give the reason in the caller's language.
        told = {"detail": str(error), "source": text[:200]}
        raise PydanticCustomError(SOURCE_INVALID, "{detail}", told) from error


SourceText = Annotated[str, AfterValidator(_source_text), Field(max_length=4096, examples=["demo://tiny-vlm"])]


class PlacementWishes(BaseModel):
    """Where replicas may go. Empty: anywhere. ``nodes``: ids; ``devices``: ids of devices, for instance a GPU's UUID;
    ``labels``: all of them must be on the machine.

    ``strategy``: ``spread`` takes the freest device and keeps copies of a model on different machines; ``pack`` takes
    the fullest device that suffices and so leaves others empty for large models.

    ``cpu``: ``auto`` uses the CPU only where no GPU could hold the model, not while one that could is full; ``allow``
    uses it then too; ``never`` waits for a GPU in any case.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)

    nodes: tuple[Printable, ...] = Field(default=(), max_length=64)
    devices: tuple[Printable, ...] = Field(default=(), max_length=64)
    labels: Labels = Field(default_factory=dict)
    strategy: Literal["spread", "pack"] = "spread"
    cpu: Literal["auto", "allow", "never"] = "auto"


class ScalingWishes(BaseModel):
    """Between which numbers the replicas follow the requests; the most is the spec's ``replicas``.

    ``minimum``: the least; 0: it sleeps while nobody asks, and the next request wakes it; None: all of them always run.
    ``queue``: requests under way and waiting for each replica from which on one more is started; None: as many as an
    engine works on at once. ``idle_seconds``: so long a replica was not needed before it is ended. ``hold_seconds``: so
    long a request waits for a model that it wakes before it is told to come again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)

    minimum: int | None = Field(default=None, ge=0, le=64)
    queue: int | None = Field(default=None, ge=1, le=4096)
    idle_seconds: int = Field(default=600, ge=1, le=30 * 86_400)
    hold_seconds: int = Field(default=60, ge=0, le=600)


class DeploymentSpec(BaseModel):
    """A deployment as asked for. ``parameters`` are engine arguments, one list item each (``--flag=value``).

    ``projector``: the path, in the model's repository or folder, of the GGUF projector to use instead of the one that
    is found; ``none``: run without one. None: it is found.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)

    name: DeploymentName
    source: SourceText
    projector: ProjectorName | None = None
    engine: Literal["auto", "vllm", "llama.cpp"] = "auto"
    engine_version: Printable | None = Field(default=None, max_length=64)
    parameters: tuple[Parameter, ...] = Field(default=(), max_length=128)
    replicas: int = Field(default=1, ge=0, le=64)
    placement: PlacementWishes = PlacementWishes()
    scaling: ScalingWishes = ScalingWishes()
    env: dict[EnvironmentName, EnvironmentValue] = Field(default_factory=dict, max_length=64)

    @property
    def parsed_source(self) -> Source:
        """The source as a value."""
        return parse_source(self.source)


def no_null(value: Any) -> Any:
    """Validator of a field that is left out to keep what is there, and has no null.

    Raises:
        ValueError: it is null.
    """
    if value is None:
        raise ValueError("null is no value of this field; leave it out to keep what is there")
    return value


class DeploymentPatch(BaseModel):
    """Changes to a spec; fields that are left out stay. The name does not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: SourceText | None = None
    projector: ProjectorName | None = None
    engine: Literal["auto", "vllm", "llama.cpp"] | None = None
    engine_version: Printable | None = Field(default=None, max_length=64)
    parameters: tuple[Parameter, ...] | None = Field(default=None, max_length=128)
    replicas: int | None = Field(default=None, ge=0, le=64)
    placement: PlacementWishes | None = None
    scaling: ScalingWishes | None = None
    env: dict[EnvironmentName, EnvironmentValue] | None = Field(default=None, max_length=64)

    # A field is left out to leave it as it is; only the engine's version has null as a value.
    _not_null = field_validator(
        "source", "engine", "parameters", "replicas", "placement", "scaling", "env", mode="before"
    )(no_null)

    def apply(self, spec: DeploymentSpec) -> DeploymentSpec:
        """``spec`` with the fields that were given."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return DeploymentSpec.model_validate(spec.model_dump() | given)


def same_program(a: DeploymentSpec, b: DeploymentSpec) -> bool:
    """Whether replicas started from ``a`` serve ``b`` as they are: all but their number agrees."""
    number = {"replicas": 0, "scaling": ScalingWishes()}
    return a.model_copy(update=number) == b.model_copy(update=number)


def same_model(a: DeploymentSpec, b: DeploymentSpec) -> bool:
    """Whether both run the same model in the same engine."""
    names = ("source", "projector", "engine", "engine_version")
    return all(getattr(a, name) == getattr(b, name) for name in names)
