"""The routing table that the server publishes to its gateways, and the choices made from it.

Plain frozen dataclasses (no pydantic), as the gateway decodes and holds them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from itertools import accumulate

from aimindserve.domain.limits import Limits

# Deployment names have up to 63 characters.
_LONGEST_NAME = 128
# The golden ratio's multiples lie as evenly in 0..1 as a sequence can, however long it gets.
_STEP = 0.6180339887498949


class RouteState(StrEnum):
    """What a caller of a model can expect now."""

    READY = "ready"
    STARTING = "starting"
    ASLEEP = "asleep"
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
    engine takes in one request, None when it sets no limit of its own. ``hold``: seconds that a request waits for it to
    start, 0: not at all; ``load_seconds``: what its latest start took, ``loading_since`` (Unix seconds): when the
    present one began."""

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
    hold: int = 0
    load_seconds: float | None = None
    loading_since: float | None = None

    @property
    def is_ready(self) -> bool:
        """Whether a replica takes requests."""
        return self.state is RouteState.READY and bool(self.endpoints)

    @property
    def may_wait(self) -> bool:
        """Whether a request may wait for it."""
        return self.hold > 0 and not self.endpoints and self.state in (RouteState.ASLEEP, RouteState.STARTING)

    def ready_in(self, now: float) -> float | None:
        """Seconds until it will probably be ready, by its latest start; None while that is not known."""
        if self.load_seconds is None:
            return None
        return max(1.0, self.load_seconds - (now - self.loading_since if self.loading_since else 0.0))


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias as gateways hold it: deployments by name with their weights. ``created`` is in Unix seconds."""

    name: str
    targets: tuple[tuple[str, int], ...]
    fallback: str | None = None
    created: int = 0


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
    aliases: tuple[Alias, ...] = ()


def slots_of(route: Route) -> int | None:
    """Requests that all replicas of ``route`` work on at once; None when that is not known."""
    slots = [endpoint.slots for endpoint in route.endpoints]
    return sum(slots) if slots and all(slots) else None


def ways(alias: Alias, number: int, is_ready: Callable[[str], bool]) -> tuple[str, ...]:
    """The deployments that may answer the request of this ``number``, in the order in which they are tried: the one
    whose turn it is by weight among those that are ready, the other ready ones by weight, the fallback. While none is
    ready, the one whose turn it would be."""
    ready = [target for target in alias.targets if is_ready(target[0])]
    if not ready:
        return (alias.fallback if alias.fallback and is_ready(alias.fallback) else turn(alias.targets, number),)
    first = turn(ready, number)
    others = sorted((target for target in ready if target[0] != first), key=lambda target: -target[1])
    last = (alias.fallback,) if alias.fallback and is_ready(alias.fallback) else ()
    return (first, *(name for name, _ in others), *last)


def turn(targets: Sequence[tuple[str, int]], number: int) -> str:
    """Whose turn the request of this ``number`` is, of at least one target: in every run of requests, each gets its
    share as exactly as whole requests allow, or nearly so."""
    bounds = list(accumulate(weight for _, weight in targets))
    point = number * _STEP % 1.0 * bounds[-1]
    return next(name for (name, _), bound in zip(targets, bounds, strict=True) if point < bound)


def near_names(name: str, names: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Up to ``limit`` known names that look like a misspelt one, best first. None for what is too long to be one:
    comparing takes time that grows with the length, and callers pass on what strangers send."""
    if len(name) > _LONGEST_NAME:
        return ()
    by_fold = {known.casefold(): known for known in names}
    close = get_close_matches(name.casefold(), list(by_fold), n=limit, cutoff=0.6)
    return tuple(by_fold[fold] for fold in close)
