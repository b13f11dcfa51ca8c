"""What the management API answers about engines on nodes, and what it takes."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from aimindserve.domain.environments import (
    EnvironmentAction,
    EnvironmentOrigin,
    EnvironmentState,
    Variant,
    Word,
)
from aimindserve.domain.files import TransferProgress
from aimindserve.domain.specs import Printable
from aimindserve.domain.views import ReasonView, View

NodePath = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^/[^\x00-\x1f\x7f]*$")]


class EnvironmentView(View):
    """A version of an engine on a node. ``size``: bytes on the disk, None while unknown; ``used_by``: deployments with
    a replica that runs from it; ``log``: the last lines of its installation."""

    node_id: str
    node: str
    key: str
    engine: str
    version: str
    variant: str
    origin: EnvironmentOrigin
    state: EnvironmentState
    removing: bool = False
    path: str | None = None
    size: int | None = None
    progress: TransferProgress | None = None
    used_by: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    reasons: tuple[ReasonView, ...] = ()
    allowed_actions: tuple[EnvironmentAction, ...] = ()


class OfferView(View):
    """An engine that can be installed. ``name``: as commands take it; ``size``: bytes to fetch, about; ``cuda`` and
    ``driver``: what it brings, and the driver that this needs at least; ``last_for``: architectures that no newer
    version which can be installed runs."""

    name: str
    engine: str
    version: str
    variant: Variant
    size: int
    cuda: str | None = None
    driver: str | None = None
    last_for: tuple[str, ...] = ()


class EngineNodeView(View):
    """A machine that engines can be installed on, and the variant that suits it."""

    node_id: str
    node: str
    variant: Variant


class EnginesView(View):
    """``GET /engines``. ``offers``: newest version first."""

    items: tuple[EnvironmentView, ...]
    offers: tuple[OfferView, ...]
    nodes: tuple[EngineNodeView, ...]


class InstallRequest(View):
    """Body of ``POST /engines``. ``variant`` None: what suits each machine; ``nodes`` empty: all of them. ``wheels``: a
    folder on the node from which everything is taken, without a network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: Word
    version: Word
    variant: Variant | None = None
    nodes: tuple[Printable, ...] = Field(default=(), max_length=64)
    wheels: NodePath | None = None


class RegisterRequest(View):
    """Body of ``POST /engines/register``: use a program that is on the node. ``node``: its id or host name; None where
    there is only one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: Annotated[str, StringConstraints(pattern=r"^(vllm|llama\.cpp|llama-box)$")]
    path: NodePath
    node: Printable | None = None


class EnvironmentRef(View):
    """One environment, by node and key."""

    node_id: str
    node: str
    key: str


class OrderedEnvironments(View):
    """Answer of ``POST /engines`` and ``POST /engines/register``: what was ordered."""

    items: tuple[EnvironmentRef, ...]
