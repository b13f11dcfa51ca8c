"""What every part of the server is given: settings, database, clock, secrets. Built once by ``bootstrap``."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from aimindserve.domain.history import History
from aimindserve.domain.paths import DataPaths
from aimindserve.server.board import Board
from aimindserve.server.db.engine import Database
from aimindserve.server.events import EventBus
from aimindserve.server.secrets import Vault
from aimindserve.server.settings import Settings
from aimindserve.server.tokens import Digester

if TYPE_CHECKING:
    from aimindserve.domain.facts import HubOrigin, ModelFormat
    from aimindserve.domain.fit_changes import Choice
    from aimindserve.fabric._base import Fabric
    from aimindserve.server.passwords import LoginLimiter, PasswordHasher


@dataclass
class Readiness:
    """What ``/readyz`` asks. Written by the parts named."""

    reconciled: bool = False
    """The reconcilers went round once (reconcile)."""
    gateways: int = 0
    """Gateways that hold the current routing table (channel)."""


async def _without_gateways() -> None:
    """There is nobody to wait for."""


@dataclass
class ServerContext:
    """One running server. ``clock`` gives Unix seconds; ``fabric`` is None where no node can be reached (tests of the
    API alone)."""

    settings: Settings
    paths: DataPaths
    database: Database
    bus: EventBus
    clock: Callable[[], float]
    digester: Digester
    hasher: "PasswordHasher"
    limiter: "LoginLimiter"
    started_at: float
    vault: Vault
    readiness: Readiness = field(default_factory=Readiness)
    fabric: "Fabric | None" = None
    board: Board = field(default_factory=Board)
    history: History = field(default_factory=History)
    """Figures over time, in memory: fed by the gateways' channel and by nodes' reports."""
    forms: "dict[tuple[HubOrigin | None, ModelFormat], tuple[Choice, ...]]" = field(default_factory=dict)
    """Other forms of models on hubs, by commit (other_forms)."""
    in_force: Callable[[], Awaitable[None]] = _without_gateways
    """Comes back when the gateways act on what was committed: whoever was given a key can use it at once, and one
    that was taken away is refused."""


def context_of(request: Request) -> ServerContext:
    """The context of the app that handles ``request``."""
    return request.app.state.context


Context = Annotated[ServerContext, Depends(context_of)]
"""Parameter type of route handlers that need the server's context."""
