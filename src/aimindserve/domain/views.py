"""What the management API answers. Shared by the server, the command line and, generated, the web page.

Times are Unix seconds (UTC), sizes bytes. Sentences come in the language of the request."""

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from aimindserve.domain.access import Role
from aimindserve.domain.files import TransferProgress
from aimindserve.domain.lifecycle import Action, Phase
from aimindserve.domain.memory import Place
from aimindserve.domain.offers import OfferKind
from aimindserve.domain.params import Origin
from aimindserve.domain.reasons import ParameterValue
from aimindserve.domain.replicas import Claim, Wanted
from aimindserve.domain.sight import Sight
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.domain.startup import Mark

Item = TypeVar("Item")


class View(BaseModel):
    """Base of all answers. An answer has all its fields and its schema says so: clients get no false optionals."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class ItemList(View, Generic[Item]):
    """A list answer."""

    items: tuple[Item, ...]


class ReasonView(View):
    """A reason in words: what happened (``message``) and what to do (``remedy``)."""

    code: str
    params: dict[str, ParameterValue] = Field(default_factory=dict)
    message: str
    remedy: str


class Problem(View):
    """An error answer (``application/problem+json``, RFC 9457, with our fields)."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    message: str
    params: dict[str, ParameterValue] = Field(default_factory=dict)
    remedy: str
    request_id: str = ""
    reasons: tuple[ReasonView, ...] = ()


class UnderWayView(View):
    """What a start is doing, for ``seconds`` by now. ``share``: how much of it is done, 0 to 1, where the engine tells;
    ``usual_seconds``: how long it takes by earlier starts of this model; ``seconds_left``: until, by them, the start is
    likely to be over. All three None where nothing is known."""

    stage: str
    seconds: float
    share: float | None = None
    usual_seconds: float | None = None
    seconds_left: float | None = None


class ReplicaView(View):
    """One replica. ``attempts`` of its engine have logs at ``/replicas/{id}/log?attempt=n``. ``timeline``: the stages
    of its start that are over; ``under_way``: the one that is not. ``sight``: what the pictures proved that it was
    asked about at its start; None where it was asked about none. ``evidence``: lines of the engine's log that show why
    it failed."""

    id: str
    deployment: str
    generation: int
    node_id: str | None
    node: str | None
    phase: Phase
    reasons: tuple[ReasonView, ...] = ()
    attempt: int = 0
    restarts: int = 0
    pid: int | None = None
    download: TransferProgress | None = None
    created_at: float
    ready_since: float | None = None
    retry_at: float | None = None
    timeline: tuple[Mark, ...] = ()
    under_way: UnderWayView | None = None
    sight: Sight | None = None
    evidence: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()


class MemoryItemView(View):
    """A line of the memory estimate, on each device or (``place``) in the machine's memory beside GPUs. ``bytes`` are
    likely; hardly ever are more than ``high`` needed. ``source``: where the formula comes from. ``corrections``: what
    earlier starts changed, in words; ``base``: likely bytes without them, None where there are none."""

    item: str
    bytes: int
    high: int
    place: Place
    source: str
    why: str
    base: int | None = None
    corrections: tuple[str, ...] = ()


class ParameterView(View):
    """One engine argument, who decided it and why. ``names``: other spellings of the flag; ``choices``: the values that
    it takes, where there are only some."""

    flag: str
    value: str | None
    origin: Origin
    why: str
    names: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


class PlanView(View):
    """How a deployment is run: engine, arguments and memory, on each of ``gpus`` GPUs or (0) on the CPU. ``memory``:
    items on the device, then those in the machine's memory beside it. ``memory_total``: likely bytes on the device;
    ``memory_high``: what is claimed there, and ``host_high`` of the machine's memory beside GPUs."""

    engine: str
    gpus: int = 0
    memory: tuple[MemoryItemView, ...] = ()
    memory_total: int = 0
    memory_high: int = 0
    host_high: int = 0
    parameters: tuple[ParameterView, ...] = ()


class OfferedChangeView(View):
    """A change that a failed start suggests: a sentence, and the fields of the spec to set."""

    kind: OfferKind
    message: str
    patch: dict[str, object]


class DeploymentView(View):
    """A deployment: what was asked for, where it stands and what may be done. ``offer``: a change that its failure
    suggests; nobody makes it but the user. ``replicas_target``: replicas to run now; ``load_seconds``: what its latest
    start took once the files were there."""

    id: str
    name: str
    spec: DeploymentSpec
    wanted: Wanted
    generation: int
    revision: int
    phase: Phase
    reasons: tuple[ReasonView, ...] = ()
    replicas: tuple[ReplicaView, ...] = ()
    replicas_ready: int = 0
    replicas_target: int = 0
    load_seconds: float | None = None
    allowed_actions: tuple[Action, ...] = ()
    capabilities: tuple[str, ...] = ()
    architecture: str | None = None
    quantization: str | None = None
    context_length: int | None = None
    plan: PlanView | None = None
    offer: OfferedChangeView | None = None
    created_at: float
    updated_at: float


class MeasuredItemView(View):
    """A figure of one start beside its estimate, on one device. ``item``: as in the estimate; ``profile`` stands for
    the largest of what takes turns, ``total`` for all that the engine's processes hold. ``estimated`` and ``high`` as
    the start was booked, None where nothing was estimated."""

    item: str
    device_id: str
    device: str
    measured: int
    estimated: int | None = None
    high: int | None = None


class StartMemoryView(View):
    """What one start of a deployment took. ``cache_tokens``: tokens that its cache holds, where the engine says so and
    the replica is still there."""

    replica_id: str
    attempt: int
    at: float
    engine: str
    engine_version: str
    items: tuple[MeasuredItemView, ...]
    cache_tokens: int | None = None


class CorrectionView(View):
    """By how much starts of one version of an engine with one architecture correct an item of the estimate.
    ``ratios``: measured by estimated of those starts, newest first."""

    engine: str
    engine_version: str
    architecture: str
    on_gpu: bool
    item: str
    factor: float
    starts: int
    ratios: tuple[float, ...]
    at: float


class MemoryHistoryView(View):
    """Estimate against measured: the latest starts of a deployment, newest first, and the corrections of future
    estimates for its architecture."""

    starts: tuple[StartMemoryView, ...] = ()
    corrections: tuple[CorrectionView, ...] = ()


class ScaleRequest(View):
    """Body of ``POST /deployments/{name}/scale``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    replicas: int = Field(ge=0, le=64)


class EventView(View):
    """Something that happened. ``id`` rises; ``kind`` is ``object.verb`` (``deployment.created``); ``subject`` is the
    object's public name or id, ``actor`` who did it (a user name, ``key:<id>`` or ``system``)."""

    id: int
    at: float
    kind: str
    subject: str
    actor: str
    deployment: str | None = None
    data: dict[str, object] = Field(default_factory=dict)


class LoginRequest(View):
    """Body of ``POST /session``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    username: str = Field(max_length=64)
    password: str = Field(max_length=1024, repr=False)


class PasswordRequest(View):
    """Body of ``POST /session/password``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    current: str = Field(max_length=1024, repr=False)
    new: str = Field(max_length=1024, repr=False)


class SessionView(View):
    """Who is logged in."""

    username: str
    role: Role
    must_change_password: bool
    expires_at: float


class LoginHint(View):
    """What the login page may tell a stranger: where the initial password lies, as long as it does."""

    initial_password_file: str | None
    version: str


class SystemView(View):
    """The running system."""

    version: str
    database: Literal["sqlite", "postgresql"]
    data_dir: str
    gateways: int
    started_at: float
