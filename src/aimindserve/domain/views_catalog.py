"""What the management API answers about the catalog."""

from typing import Literal

from pydantic import ConfigDict, Field

from aimindserve.domain.facts import Hub
from aimindserve.domain.views import View
from aimindserve.domain.views_hub import FitMark


class CatalogQuery(View):
    """Query of ``GET /catalog``. ``fits``: only what fits now; ``q``: words of names and descriptions; ``source``: the
    hub to deploy from; numbers of parameters, not billions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    capability: Literal["chat", "vision", "audio", "tools", "thinking", "embedding", "rerank"] | None = None
    fits: bool = False
    q: str = Field(default="", max_length=200)
    source: Hub = "hf"
    min_parameters: int | None = Field(default=None, ge=0, le=10**15)
    max_parameters: int | None = Field(default=None, ge=0, le=10**15)


class CatalogVariantView(View):
    """One way to deploy a model of the catalog.

    ``source``: what to deploy; ``arguments``: engine arguments that it does not start without. ``parameters``, and
    ``active`` of them for each token (mixtures of experts); ``bits`` of a weight; ``download`` in bytes.
    ``engine_versions``: those that run it, where not all do. ``code``: it brings Python code, which an administrator
    confirms first. ``uncertain``: figures that were not read at the publisher's. ``fit`` with ``fit_message``: why not;
    ``memory_high``: bytes that it would claim on each of ``gpus`` GPUs (0: in the machine's memory) where it fits;
    ``level``: whether all of it lies on GPUs, a part of it, or it runs on the CPU.
    """

    id: str
    model: str
    source: str
    arguments: tuple[str, ...] = ()
    parameters: int
    active: int | None = None
    quantization: str
    bits: int
    engine: str
    engine_versions: str | None = None
    context_length: int | None = None
    download: int
    license: str
    gated: bool = False
    code: bool = False
    uncertain: tuple[str, ...] = ()
    fit: FitMark = "unknown"
    fit_message: str = ""
    memory_high: int | None = None
    gpus: int = 0
    level: Literal["whole", "partly", "cpu"] | None = None


class CatalogCardView(View):
    """A family of models. Texts in the request's language. ``best``: the ``id`` of the variant that suits the machines
    best, with ``why``; ``fit``: how that one fits."""

    name: str
    title: str
    publisher: str
    description: str
    notes: str = ""
    capabilities: tuple[str, ...]
    license: str
    gated: bool = False
    best: str
    fit: FitMark
    why: str
    variants: tuple[CatalogVariantView, ...]


class CatalogView(View):
    """What was asked for; ``total``: families in the whole catalog; ``has_gpu``: whether a machine that answers has
    one."""

    items: tuple[CatalogCardView, ...] = ()
    total: int = 0
    has_gpu: bool = False
