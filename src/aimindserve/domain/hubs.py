"""Model hubs as the product sees them: questions, results, what a repository offers, and what a model can do."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from aimindserve.domain.facts import Hub, ModelFacts
from aimindserve.domain.reasons import Reason

HubSort = Literal["downloads", "likes", "updated", "trending"]

DEFAULT_ENDPOINTS: dict[Hub, str] = {"hf": "https://huggingface.co", "ms": "https://modelscope.cn"}


@dataclass(frozen=True, slots=True)
class HubQuery:
    """A search. ``capability``: as in ``CAPABILITIES``; ``task`` as the hub calls it (``image-text-to-text``);
    numbers of parameters, not billions; ``cursor``: ``HubPage.next`` of the page before."""

    hub: Hub = "hf"
    text: str = ""
    gguf: bool = False
    task: str | None = None
    capability: str | None = None
    sort: HubSort = "downloads"
    min_parameters: int | None = None
    max_parameters: int | None = None
    cursor: str | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class HubModel:
    """A repository in search results. ``updated_at`` in seconds since 1970; ``size``: bytes of its weights; None where
    the hub does not tell. ``engines``: those that can run it, best first."""

    hub: Hub
    repository: str
    downloads: int = 0
    likes: int = 0
    updated_at: float | None = None
    license: str | None = None
    gated: bool = False
    gguf: bool = False
    capabilities: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    parameters: int | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class HubPage:
    """One page of results. ``next``: the cursor of the page after; None at the end."""

    items: tuple[HubModel, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class HubChoice:
    """One way to deploy a repository.

    ``quantization``: None for a checkpoint as it is. ``source``: what to deploy, pinned to the commit. ``files``: paths
    with the projector's; ``size``: their bytes. ``projectors``: those that fit, best first; ``projector`` the chosen
    one. ``facts``: exact for the default choice and for checkpoints; for other quantizations worked out from the
    default's header and the files' sizes. ``refused``: why it cannot be deployed (then ``facts`` is None).
    """

    quantization: str | None
    source: str
    engine: str
    files: tuple[str, ...]
    size: int
    projector: str | None = None
    projectors: tuple[str, ...] = ()
    default: bool = False
    facts: ModelFacts | None = None
    refused: Reason | None = None


@dataclass(frozen=True, slots=True)
class HubListing:
    """What a repository offers at the commit ``revision``. ``facts``: those of the default choice. ``code_files``:
    Python files that the checkpoint needs. ``notes``: what a person should know. ``problem``: why nothing in it can be
    deployed."""

    hub: Hub
    repository: str
    revision: str
    license: str | None = None
    gated: bool = False
    choices: tuple[HubChoice, ...] = ()
    code_files: tuple[str, ...] = ()
    notes: tuple[Reason, ...] = ()
    problem: Reason | None = None

    @property
    def facts(self) -> ModelFacts | None:
        """Facts of the default choice, or of the first that has any."""
        ordered = sorted(self.choices, key=lambda choice: not choice.default)
        return next((choice.facts for choice in ordered if choice.facts is not None), None)


@dataclass(frozen=True, slots=True)
class Readme:
    """A repository's README without its front matter, cut at 256 KiB."""

    text: str
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class HubAccount:
    """Who a token belongs to, and how long the hub took to say so (milliseconds). ``account`` None: no token."""

    hub: Hub
    account: str | None
    milliseconds: float


# What a hub's task says about a model.
_BY_TASK: dict[str, tuple[str, ...]] = {
    "image-text-to-text": ("chat", "vision"),
    "visual-question-answering": ("chat", "vision"),
    "image-to-text": ("chat", "vision"),
    "video-text-to-text": ("chat", "vision"),
    "any-to-any": ("chat", "vision", "audio"),
    "audio-text-to-text": ("chat", "audio"),
    "automatic-speech-recognition": ("audio",),
    "text-generation": ("chat",),
    "text2text-generation": ("chat",),
    "chat": ("chat",),
    "conversational": ("chat",),
    "feature-extraction": ("embedding",),
    "sentence-similarity": ("embedding",),
    "sentence-embedding": ("embedding",),
    "text-ranking": ("rerank",),
}
_VISION_NAMES = ("-vl-", "-vl", "vision", "llava", "pixtral", "internvl", "minicpm-v", "smolvlm", "idefics", "glm-4v")
CAPABILITIES = ("chat", "vision", "audio", "tools", "thinking", "embedding", "rerank")
# Tasks to ask a hub for when somebody wants a capability. None of the hubs knows tools or thinking.
TASK_OF_CAPABILITY = {
    "vision": "image-text-to-text",
    "audio": "audio-text-to-text",
    "embedding": "feature-extraction",
    "rerank": "text-ranking",
    "chat": "text-generation",
}


@dataclass(frozen=True, slots=True)
class Hints:
    """What a hub tells of a model without a look at its files."""

    name: str
    tasks: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    architecture: str | None = None
    template: str = ""
    formats: frozenset[str] = field(default_factory=frozenset[str])


def template_capabilities(template: str) -> tuple[str, ...]:
    """``tools`` and ``thinking``, as a chat template mentions them."""
    lowered = template.casefold()
    tools = "tools" in lowered or "tool_call" in lowered
    thinking = "<think>" in lowered or "enable_thinking" in lowered or "reasoning_content" in lowered
    return (*(("tools",) if tools else ()), *(("thinking",) if thinking else ()))


def guess_capabilities(hints: Hints) -> tuple[str, ...]:
    """What a model can probably do, in the order of ``CAPABILITIES``; certain only after a look at its files."""
    found: set[str] = set()
    for task in (*hints.tasks, *hints.tags):
        found.update(_BY_TASK.get(task, ()))
    name = hints.name.casefold()
    if any(word in name for word in _VISION_NAMES):
        found.update(("chat", "vision"))
    if "rerank" in name:
        found = {"rerank"}
    elif "embed" in name.rpartition("/")[2]:
        found = {"embedding"}
    if found & {"rerank", "embedding"} and "chat" not in found:
        return in_order(found)
    return in_order(found | set(template_capabilities(hints.template)))


def in_order(capabilities: Iterable[str]) -> tuple[str, ...]:
    """Capabilities in one order everywhere."""
    wanted = set(capabilities)
    return tuple(name for name in CAPABILITIES if name in wanted)


def engines_for(formats: frozenset[str]) -> tuple[str, ...]:
    """The engines that read these formats (``gguf``, ``safetensors``), best first."""
    return (
        *(("llama.cpp",) if "gguf" in formats else ()),
        *(("vllm",) if "safetensors" in formats else ()),
    )
