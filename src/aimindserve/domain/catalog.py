"""The catalog: model families worth serving, with what a fit estimate needs to know before any hub is asked.

One file per family (``catalog/*.yaml``). Figures are the publisher's: fields of ``config.json`` as they stand there,
numbers of parameters as a hub shows them. What could not be read at the publisher's is named in ``uncertain``.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from aimindserve.domain.facts import Hub, ModelFormat, ModelPart
from aimindserve.domain.hubs import CAPABILITIES
from aimindserve.domain.source import parse_source
from aimindserve.domain.specs import EngineName, Parameter

Licence = Literal[
    "agpl-3.0", "apache-2.0", "cc-by-nc-4.0", "mit",
    "deepseek", "gemma", "llama2", "llama3.1", "llama3.2", "llama3.3", "llama4", "mrl", "qwen", "qwen-research",
    "tongyi-qianwen",
]  # fmt: skip
"""As hubs call them: SPDX names, and the names of licences that publishers wrote themselves."""

Capability = Literal["chat", "vision", "audio", "tools", "thinking", "embedding", "rerank"]
CheckpointForm = Literal["bf16", "fp16", "fp8", "awq", "gptq", "mxfp4"]
GgufForm = Literal["Q3_K_M", "Q4_0", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "F16", "MXFP4"]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Repository = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=600, strip_whitespace=True)]
_CHECKPOINT_BITS: dict[str, int] = {"bf16": 16, "fp16": 16, "fp8": 8, "awq": 4, "gptq": 4, "mxfp4": 4}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(_Frozen):
    """A text in both languages."""

    en: Text
    zh: Text

    def of(self, language: str) -> str:
        """The text in one of them."""
        return self.zh if language == "zh" else self.en


class GgufNames(_Frozen):
    """How llama.cpp calls the architecture, and the projector's type (``clip.projector_type``)."""

    architecture: str
    projector: str | None = None


class CatalogVariant(_Frozen):
    """One set of files. ``quantization``: a GGUF file's tag, or how a checkpoint is stored. ``hf``, ``ms``: its
    repository on Hugging Face and on ModelScope. ``bytes``: of its weights, where they do not follow from the sizes.
    ``gated``: where it differs from the family's."""

    quantization: CheckpointForm | GgufForm
    hf: Repository | None = None
    ms: Repository | None = None
    bytes: int | None = Field(default=None, gt=0)
    parameters: tuple[Parameter, ...] = ()
    gated: bool | None = None
    uncertain: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_source(self) -> Self:
        if self.hf is None and self.ms is None:
            raise ValueError("a variant lies on a hub")
        return self

    @property
    def format(self) -> ModelFormat:
        """How its weights are kept."""
        return ModelFormat.SAFETENSORS if self.quantization in _CHECKPOINT_BITS else ModelFormat.GGUF

    @property
    def engine(self) -> EngineName:
        """The engine that runs it."""
        return "llama.cpp" if self.format is ModelFormat.GGUF else "vllm"

    @property
    def bits(self) -> int:
        """Bits of a weight, roughly: 16, 8, 6, 5, 4 or 3."""
        known = _CHECKPOINT_BITS.get(self.quantization)
        return known or (16 if self.quantization == "F16" else next(int(c) for c in self.quantization if c.isdigit()))

    def source(self, hub: Hub) -> str | None:
        """What to deploy from ``hub``; None where it does not lie there."""
        repository = self.hf if hub == "hf" else self.ms
        if repository is None:
            return None
        tag = f":{self.quantization}" if self.format is ModelFormat.GGUF else ""
        return str(parse_source(f"{hub}://{repository}{tag}"))

    def source_near(self, hub: Hub) -> str:
        """As ``source``; from the other hub where it does not lie on this one."""
        return self.source(hub) or self.source("ms" if hub == "hf" else "hf") or ""


class CatalogModel(_Frozen):
    """One size of a family.

    ``parameters`` as its hub shows them; ``active``: those that a token passes (mixtures of experts). ``config``:
    fields of ``config.json``, or ``params`` of a Mistral ``params.json``; ``processor``: of
    ``preprocessor_config.json``. ``parts``: parameters by part where they do not follow from these. ``code``: the
    checkpoint brings Python code (an administrator is asked); ``reviewed``: commits of it that were looked at.
    ``needs``: engine arguments that checkpoints do not start without. ``vllm``: versions that run it.
    """

    name: Name
    parameters: int = Field(gt=0)
    active: int | None = Field(default=None, gt=0)
    config: dict[str, object] | None = None
    params: dict[str, object] | None = None
    processor: dict[str, object] | None = None
    parts: dict[ModelPart, int] = Field(default_factory=dict[ModelPart, int])
    license: Licence | None = None
    code: bool = False
    reviewed: dict[Repository, Commit] = Field(default_factory=dict[str, str])
    needs: tuple[Parameter, ...] = ()
    vllm: str | None = None
    gguf: GgufNames | None = None
    variants: tuple[CatalogVariant, ...] = Field(min_length=1)
    uncertain: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_shape(self) -> Self:
        if (self.config is None) == (self.params is None):
            raise ValueError("a model has either a config or params")
        return self


class CatalogFamily(_Frozen):
    """A family of models. ``capabilities`` of all its models; ``gguf`` of all that have GGUF variants; ``notes``: what
    a person should know before choosing it."""

    name: Name
    title: Text
    publisher: Words
    description: Words
    capabilities: tuple[Capability, ...] = Field(min_length=1)
    license: Licence
    gated: bool = False
    gguf: GgufNames | None = None
    notes: Words | None = None
    models: tuple[CatalogModel, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if list(self.capabilities) != sorted(self.capabilities, key=CAPABILITIES.index):
            raise ValueError("capabilities come in one order everywhere")
        for model, variant in self.variants():
            if variant.format is ModelFormat.GGUF and self.gguf_of(model) is None:
                raise ValueError(f"{model.name}: how does llama.cpp call its architecture?")
        return self

    def variants(self) -> Iterator[tuple[CatalogModel, CatalogVariant]]:
        """Every variant with its model."""
        return ((model, variant) for model in self.models for variant in model.variants)

    def gguf_of(self, model: CatalogModel) -> GgufNames | None:
        """How llama.cpp calls ``model``."""
        return model.gguf or self.gguf

    def license_of(self, model: CatalogModel) -> Licence:
        """The licence of ``model``."""
        return model.license or self.license

    def is_gated(self, variant: CatalogVariant) -> bool:
        """Whether the hub wants the licence accepted first."""
        return self.gated if variant.gated is None else variant.gated


def variant_id(model: CatalogModel, variant: CatalogVariant) -> str:
    """What names a variant inside its family: ``Qwen2-VL-2B-Instruct:Q4_K_M``."""
    return f"{model.name}:{variant.quantization}"


def needed_parameters(model: CatalogModel, variant: CatalogVariant) -> tuple[str, ...]:
    """Engine arguments that the variant does not start without."""
    if variant.format is ModelFormat.GGUF:
        return variant.parameters
    trust = ("--trust-remote-code",) if model.code else ()
    return (*trust, *(item for item in (*model.needs, *variant.parameters) if item not in trust))
