"""What the management API answers about hubs, and what it takes: search, files of a repository, access."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from aimindserve.domain.facts import Hub
from aimindserve.domain.views import ReasonView, View

FitMark = Literal["fits", "waits", "no", "engine", "unsupported", "unknown"]
"""Whether a model would run: now, once memory is free, never for lack of memory, once an engine is installed, never for
another reason; or nobody knows."""
Commit = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Address = Annotated[
    str,
    StringConstraints(max_length=500, pattern=r"^https?://[A-Za-z0-9.:\[\]_-]+(/[!-~]*)?$"),
    AfterValidator(lambda address: address.rstrip("/")),
]
Repository = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$")
]


class HubSearchQuery(View):
    """Query of ``GET /hub/search``. ``capability``: ``vision``, ``audio``, ``tools``, ``embedding``, ``rerank``,
    ``thinking``; ``task``: as the hub calls it (``image-text-to-text``); numbers of parameters, not billions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    q: str = Field(default="", max_length=200)
    source: Hub = "hf"
    format: Literal["any", "gguf"] = "any"
    task: str | None = Field(default=None, max_length=64, pattern=r"^[a-z0-9-]+$")
    capability: str | None = Field(default=None, max_length=32, pattern=r"^[a-z-]+$")
    sort: Literal["downloads", "likes", "updated", "trending"] = "downloads"
    min_parameters: int | None = Field(default=None, ge=0, le=10**15)
    max_parameters: int | None = Field(default=None, ge=0, le=10**15)
    cursor: str | None = Field(default=None, max_length=2000)


class HubModelView(View):
    """A repository in search results. ``parameters``: how many the model has; ``size``: bytes of its weights; None
    where the hub does not tell without a look at its files. ``engines``: those that can run it, best first;
    ``source``: what to deploy."""

    hub: Hub
    repository: str
    source: str
    downloads: int
    likes: int
    updated_at: float | None = None
    license: str | None = None
    gated: bool = False
    gguf: bool = False
    capabilities: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    parameters: int | None = None
    size: int | None = None
    fit: FitMark = "unknown"


class HubSearchView(View):
    """One page of results. ``next``: give it back as ``cursor`` to go on; None at the end. ``offline``: why the hub
    could not be asked (then ``items`` is empty)."""

    items: tuple[HubModelView, ...] = ()
    next: str | None = None
    offline: ReasonView | None = None


class ChoiceView(View):
    """One way to deploy a repository: a GGUF quantization, or the checkpoint as it is (``quantization`` None).

    ``source``: what to deploy, pinned to the commit. ``files``: paths in the repository; ``size``: bytes of all of them
    with the projector's. ``projector``: the one that is chosen; ``projectors``: those that could be chosen, best first
    (``spec.projector``). ``fit`` with ``fit_message``: why, in the request's language. ``default``: what is taken when
    nobody chooses. ``refused``: why it cannot be deployed. ``memory_high``: bytes that it would claim on each device
    where it fits; ``level``: whether all of it lies on GPUs, a part of it, or it runs on the CPU.
    """

    quantization: str | None
    source: str
    engine: str
    files: tuple[str, ...]
    size: int
    projector: str | None = None
    projectors: tuple[str, ...] = ()
    default: bool = False
    fit: FitMark = "unknown"
    fit_message: str = ""
    memory_high: int | None = None
    level: Literal["whole", "partly", "cpu"] | None = None
    refused: ReasonView | None = None


class HubFilesView(View):
    """What a repository offers, at one commit. ``problem``: why it cannot be deployed as a whole (gated, no weights,
    pickle only). ``code_files``: Python files that the model needs; ``code_approved``: an administrator has said yes
    to this commit. ``notes``: what a person should know (no projector: text only)."""

    hub: Hub
    repository: str
    revision: str
    architecture: str | None = None
    capabilities: tuple[str, ...] = ()
    context_length: int | None = None
    parameters: int | None = None
    license: str | None = None
    gated: bool = False
    choices: tuple[ChoiceView, ...] = ()
    code_files: tuple[str, ...] = ()
    code_approved: bool = False
    notes: tuple[ReasonView, ...] = ()
    problem: ReasonView | None = None


class ReadmeView(View):
    """A repository's README as Markdown, without its front matter, cut at 256 KiB. It is a stranger's text: show it
    sanitised."""

    text: str
    truncated: bool = False


class CodeApprovalRequest(View):
    """Body of ``POST /hub/approvals``: the code of this commit may run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hub: Hub
    repository: Repository
    revision: Commit


class CodeApprovalView(View):
    """Code of a repository that may run, and who said so."""

    hub: Hub
    repository: str
    revision: str
    actor: str
    at: float


class TokenView(View):
    """A stored token: never its text. ``origin``: given at the start (flag, environment) or stored by an administrator;
    ``hint``: its last four characters."""

    hub: Hub
    present: bool
    origin: Literal["start", "stored"] | None = None
    hint: str | None = None
    updated_at: float | None = None


class HubSettingsView(View):
    """How the hubs are reached. ``origin`` of each field: ``default``, ``start`` or ``stored``."""

    huggingface_endpoint: str
    modelscope_endpoint: str
    proxy: str | None = None
    rate_limit: int | None = None
    offline: bool = False
    origins: dict[str, str] = Field(default_factory=dict)
    tokens: tuple[TokenView, ...] = ()


class HubSettingsRequest(View):
    """Body of ``PATCH /settings/hub``. A field that is left out stays; null goes back to the default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    huggingface_endpoint: Address | None = None
    modelscope_endpoint: Address | None = None
    proxy: str | None = Field(default=None, max_length=500, repr=False, pattern=r"^https?://[!-~]+$")
    rate_limit: int | None = Field(default=None, ge=1, le=2**62)
    offline: bool | None = None


class TokenRequest(View):
    """Body of ``PUT /settings/hub/tokens/{hub}``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str = Field(min_length=1, max_length=512, repr=False, pattern=r"^[\x21-\x7e]+$")


class HubCheckView(View):
    """Whether a hub answers and knows the token. ``account``: whose it is."""

    hub: Hub
    reachable: bool
    account: str | None = None
    milliseconds: float | None = None
    problem: ReasonView | None = None
