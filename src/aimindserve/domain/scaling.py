"""How many replicas of a deployment run now, between the least and the most that were asked for.

Growing follows the requests that are under way and wait, once they are too many for some seconds; shrinking waits until
a replica was not needed for as long as the person set. So between a replica's start and its end for lack of requests
there is always that time, whatever requests do. Times are Unix seconds."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from aimindserve.domain.specs import DeploymentSpec

GROW_AFTER_SECONDS = 10.0
"""So long must requests be too many for the replicas that there are."""
SERVES_AT_LEAST_SECONDS = 5.0
"""What was just loaded is not ended for others before it has served so long, or as long as loading took."""
_USUAL_LOAD_SECONDS = 60.0
_NEVER = float("-inf")


class Scale(BaseModel):
    """What was decided last. ``target``: replicas that are to run, None: decided anew, as at the first start;
    ``load_seconds``: what the latest start took once the files were there; ``made_room_for``: the deployment for which
    it was ended, "" for none."""

    model_config = ConfigDict(frozen=True)

    target: int | None = None
    since: float = 0.0
    load_seconds: float | None = None
    made_room_for: str = ""


def awake(scale: Scale | None) -> Scale | None:
    """What is decided anew, as at the first start, by somebody who starts it."""
    return scale.model_copy(update={"target": None, "made_room_for": ""}) if scale else None


def bounds_of(spec: DeploymentSpec) -> tuple[int, int]:
    """(the least, the most) replicas of ``spec``."""
    least = spec.scaling.minimum
    return (spec.replicas if least is None else min(least, spec.replicas)), spec.replicas


def is_elastic(spec: DeploymentSpec) -> bool:
    """Whether the number of its replicas follows the requests."""
    least, most = bounds_of(spec)
    return least < most


def target_of(spec: DeploymentSpec, scale: Scale | None) -> int:
    """Replicas that are to run now. A new deployment starts one, so that it is known to work."""
    least, most = bounds_of(spec)
    target = 1 if scale is None or scale.target is None else scale.target
    return min(max(target, least), most)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What gateways tell of a deployment: requests under way or waiting; when the last one came (0: never)."""

    busy: int = 0
    last_request_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Watch:
    """What is remembered from one look to the next. ``needed_at``: by number of replicas from 1 on, when at least so
    many were last needed; ``short_since``: since when those that run do not suffice."""

    needed_at: tuple[float, ...] = ()
    short_since: float | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """How a deployment is served now. ``slots``: requests that one replica works on at once, 0 when that is not known;
    ``ready``: replicas that serve; ``ready_since``: since when the newest does."""

    spec: DeploymentSpec
    scale: Scale | None
    slots: int = 0
    ready: int = 0
    ready_since: float = 0.0

    @property
    def target(self) -> int:
        """Replicas that are to run now."""
        return target_of(self.spec, self.scale)


def needed(running: Running, busy: int) -> int:
    """Replicas that so many requests need."""
    each = running.spec.scaling.queue or running.slots
    if not busy:
        return 0
    return min(-(-busy // each) if each else 1, running.spec.replicas)


def watch(before: Watch, running: Running, traffic: Traffic, now: float) -> Watch:
    """``before``, a look later."""
    count = needed(running, traffic.busy)
    last = (*before.needed_at, *[_NEVER] * running.spec.replicas)[: running.spec.replicas]
    asked_at = max(traffic.last_request_at, running.ready_since)
    # A model that is still being loaded is given the time to get ready, even if nobody waits for it any more.
    loading = running.target > 0 and not running.ready
    needed_at = tuple(
        now if number <= count or (number == 1 and loading) else max(at, asked_at if number == 1 else _NEVER)
        for number, at in enumerate(last, 1)
    )
    short = count > running.target
    since = before.short_since if before.short_since is not None else now
    return Watch(needed_at, since if short else None)


def decide_target(watched: Watch, running: Running, traffic: Traffic, now: float) -> int:
    """Replicas that are to run from now on."""
    least, most = bounds_of(running.spec)
    target, count = running.target, needed(running, traffic.busy)
    if target == 0 and running.scale is not None and traffic.last_request_at > running.scale.since:
        count = max(count, 1)
    if count > target:
        patient = watched.short_since is not None and now - watched.short_since >= GROW_AFTER_SECONDS
        wanted = 1 if not target else count if patient and running.ready >= target else target
        return min(max(wanted, least), most)
    idle = running.spec.scaling.idle_seconds
    kept = max((number for number, at in enumerate(watched.needed_at, 1) if now - at < idle), default=0)
    return min(max(min(kept, target), least), most)


@dataclass(frozen=True, slots=True)
class Lodger:
    """A deployment whose memory another one could have. ``used_at``: when it last had a request or became ready."""

    name: str
    running: Running
    traffic: Traffic
    settled: bool = True
    """All of its replicas serve: none is just starting or ending."""

    @property
    def load_seconds(self) -> float:
        """What it takes to load it again."""
        scale = self.running.scale
        return (scale.load_seconds if scale else None) or _USUAL_LOAD_SECONDS

    def may_leave(self, now: float) -> bool:
        """Whether nobody would notice now: it may sleep, answers nobody, and has served for as long as loading took."""
        running = self.running
        served = now - running.ready_since
        enough = max(SERVES_AT_LEAST_SECONDS, self.load_seconds if running.scale and running.scale.load_seconds else 0)
        resting = self.traffic.busy == 0 and bounds_of(running.spec)[0] == 0
        return resting and self.settled and running.ready > 0 and running.target > 0 and served >= enough

    def worth(self, now: float) -> float:
        """What it costs to end it: the longer it takes to load and the shorter ago it was used, the more."""
        used_at = max(self.traffic.last_request_at, self.running.ready_since)
        return self.load_seconds / max(now - used_at, 1.0)


def leavers(lodgers: Iterable[Lodger], now: float, fits: Callable[[Collection[str]], bool]) -> tuple[str, ...]:
    """The deployments that are ended so that another one fits, the least worth first, none without need; none at all
    when it would not fit even so. ``fits``: whether it does once those of these names are gone."""
    willing = sorted((one for one in lodgers if one.may_leave(now)), key=lambda one: (one.worth(now), one.name))
    gone: list[str] = []
    for one in willing:
        gone.append(one.name)
        if fits(gone):
            return _without_need(gone, fits)
    return ()


def _without_need(gone: Sequence[str], fits: Callable[[Collection[str]], bool]) -> tuple[str, ...]:
    """``gone`` without those that can stay after all, the most valuable first."""
    kept = list(gone)
    for name in reversed(gone):
        fewer = [one for one in kept if one != name]
        if fewer and fits(fewer):
            kept = fewer
    return tuple(kept)
