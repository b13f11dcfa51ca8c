"""The routing table that the server publishes to its gateways, and the choices made from it.

Plain frozen dataclasses (no pydantic), as the gateway decodes and holds them."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from aimindserve.domain.limits import Limits

# Deployment names have up to 63 characters.
_LONGEST_NAME = 128


class RouteState(StrEnum):
    """What a caller of a model can expect now."""

    READY = "ready"
    STARTING = "starting"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one ready replica listens. ``engine_key`` is sent to the engine as its bearer token ("" when it takes
    none); it is secret. ``engine``: the program, by its name in a spec ("" when it is not known); ``slots``: requests
    that it works on at once, 0 when that is not known; ``ready_since``: Unix seconds."""

    replica_id: str
    host: str
    port: int
    engine_key: str = ""
    engine: str = ""
    slots: int = 0
    ready_since: float = 0.0


@dataclass(frozen=True, slots=True)
class Route:
    """A public model name and the replicas behind it. ``detail`` says in one English sentence why it is not ready;
    ``progress`` is 0..1 or None while unknown. ``created`` is in Unix seconds. ``images``: the most pictures that its
    engine takes in one request, None when it sets no limit of its own."""

    model: str
    deployment_id: str
    state: RouteState
    endpoints: tuple[Endpoint, ...] = ()
    capabilities: tuple[str, ...] = ()
    detail: str = ""
    progress: float | None = None
    retry_after: int = 5
    created: int = 0
    context_length: int | None = None
    images: int | None = None


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What the bearer of one key may do. ``digest``: HMAC-SHA-256 of the whole token, hex. ``models`` None: all.
    ``expires_at``: Unix seconds or None. ``networks``: where it may be used from, CIDR; None: everywhere. Disabled keys
    are not in the table."""

    key_id: str
    digest: str
    user_id: str
    scopes: tuple[str, ...]
    models: tuple[str, ...] | None = None
    expires_at: float | None = None
    networks: tuple[str, ...] | None = None
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class UserGrant:
    """What all keys and sessions of one person may use together. People without limits are not in the table."""

    user_id: str
    limits: Limits


@dataclass(frozen=True, slots=True)
class SessionGrant:
    """A browser session. ``digest`` as for keys. One that must change its password is refused with that reason."""

    digest: str
    user_id: str
    expires_at: float
    must_change_password: bool = False


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """Everything that a gateway needs to serve inference without the server. ``version`` rises with each change."""

    version: int
    routes: tuple[Route, ...] = ()
    keys: tuple[KeyGrant, ...] = ()
    sessions: tuple[SessionGrant, ...] = ()
    users: tuple[UserGrant, ...] = ()


def slots_of(route: Route) -> int | None:
    """Requests that all replicas of ``route`` work on at once; None when that is not known."""
    slots = [endpoint.slots for endpoint in route.endpoints]
    return sum(slots) if slots and all(slots) else None


def near_names(name: str, names: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Up to ``limit`` known names that look like a misspelt one, best first. None for what is too long to be one:
    comparing takes time that grows with the length, and callers pass on what strangers send."""
    if len(name) > _LONGEST_NAME:
        return ()
    by_fold = {known.casefold(): known for known in names}
    close = get_close_matches(name.casefold(), list(by_fold), n=limit, cutoff=0.6)
    return tuple(by_fold[fold] for fold in close)
