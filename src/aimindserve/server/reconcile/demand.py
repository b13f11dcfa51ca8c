"""The demand reconciler: the only writer of how many replicas of a deployment run now.

It follows what gateways tell of their requests; what it remembers between two looks is in memory alone, and begins anew
with the server. While no gateway is connected nothing is decided: nobody can ask then, and what runs may be in use."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import select

from aimindserve.domain.channel import Loads
from aimindserve.domain.replicas import Deployment, Replica, Wanted
from aimindserve.domain.rooms import fleet_of, given_back
from aimindserve.domain.scaling import (
    Lodger,
    Running,
    Scale,
    Traffic,
    Watch,
    decide_target,
    is_elastic,
    leavers,
    target_of,
    watch,
)
from aimindserve.domain.startup import load_seconds
from aimindserve.engines.slots import slots
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import DeploymentRow
from aimindserve.server.reconcile.observe import World, look
from aimindserve.server.reconcile.place_search import Placed, search
from aimindserve.server.reconcile.placement import live_nodes

# A load time is remembered anew when it differs by so much.
_NEWS = 0.2


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a deployment's scale, and the event that tells it ("" for none)."""

    deployment: Deployment
    scale: Scale
    event: str = ""


@dataclass
class Demand:
    """See the module. ``loads``: what each connected gateway told last."""

    context: ServerContext
    loads: Callable[[], list[Loads]]
    _watches: dict[str, Watch] = field(default_factory=dict[str, Watch])

    async def step(self) -> int:
        """One look at everything. Returns the number of deployments that were decided on."""
        loads = self.loads()
        if not loads:
            return 0
        async with self.context.database.read() as session:
            world = await look(session)
        now = self.context.clock()
        lodgers = [self._lodger(deployment, world, loads) for deployment in world.deployments]
        elastic = [(one, lodger) for one, lodger in zip(world.deployments, lodgers, strict=True) if _may_change(one)]
        decisions = [made for one, lodger in elastic if (made := self._decide(one, lodger, world, now)) is not None]
        self._watches = {one.id: self._watches[one.id] for one, _ in elastic}
        if not any(decision.event for decision in decisions):
            decisions += _make_room(world, lodgers, now, self.context.settings.llama_threads)
        for decision in decisions:
            await self._store(decision)
        return len(decisions)

    def _lodger(self, deployment: Deployment, world: World, loads: Sequence[Loads]) -> Lodger:
        current = [
            one for one in world.replicas_of(deployment.id) if not one.going and one.generation == deployment.generation
        ]
        ready = [one for one in current if one.is_ready]
        since = [one.observation.ready_since or 0.0 for one in ready if one.observation]
        each = min((slots(one.assignment.engine, one.spec.parameters) for one in ready if one.assignment), default=0)
        running = Running(
            deployment.spec,
            deployment.scale,
            slots=each,
            ready=len(ready),
            # What was before this server began is not known: nothing ends early for that.
            ready_since=max(*since, self.context.started_at) if since else 0.0,
        )
        settled = len(ready) == len(world.replicas_of(deployment.id))
        return Lodger(deployment.spec.name, running, _traffic(deployment, world, loads), settled)

    def _decide(self, deployment: Deployment, lodger: Lodger, world: World, now: float) -> Decision | None:
        running, traffic = lodger.running, lodger.traffic
        watched = watch(self._watches.get(deployment.id, Watch()), running, traffic, now)
        self._watches[deployment.id] = watched
        target = decide_target(watched, running, traffic, now)
        before = deployment.scale or Scale()
        took = _load_seconds(world.replicas_of(deployment.id))
        news = took is not None and abs(took - (before.load_seconds or 0.0)) > _NEWS * took
        if target == running.target:
            return Decision(deployment, before.model_copy(update={"load_seconds": took})) if news else None
        changes = {"target": target, "since": now, "made_room_for": "", "load_seconds": took or before.load_seconds}
        return Decision(deployment, before.model_copy(update=changes), _event(running.target, target))

    async def _store(self, decision: Decision) -> None:
        """Unless the deployment was changed meanwhile; then it is decided again. Its revision stays: people who edit it
        are not disturbed by what its requests do."""
        seen, scale = decision.deployment, decision.scale
        quiet = not decision.event
        async with self.context.database.unit_of_work(quiet=quiet) as work:
            query = select(DeploymentRow).where(DeploymentRow.id == seen.id, DeploymentRow.revision == seen.revision)
            row = await work.session.scalar(query)
            if row is None:
                return
            row.scale = scale
            if decision.event:
                told = {"made_room_for": scale.made_room_for} if scale.made_room_for else {}
                work.record(decision.event, subject=row.name, deployment=row.name, replicas=scale.target, **told)


def _may_change(deployment: Deployment) -> bool:
    return deployment.wanted is Wanted.RUNNING and is_elastic(deployment.spec)


def _event(before: int, after: int) -> str:
    if before == 0:
        return "deployment.woken"
    if after == 0:
        return "deployment.fell_asleep"
    return "deployment.grown" if after > before else "deployment.shrunk"


def _traffic(deployment: Deployment, world: World, loads: Iterable[Loads]) -> Traffic:
    ids = [one.id for one in world.replicas_of(deployment.id)]
    busy, last = 0, 0.0
    for told in loads:
        busy += sum(told.in_flight.get(one, 0) for one in ids) + told.waiting.get(deployment.id, 0)
        last = max(last, told.last_request_at.get(deployment.spec.name, 0.0))
    return Traffic(busy, last)


def _load_seconds(replicas: Sequence[Replica]) -> float | None:
    """What the newest start took once the files were there; None when none is ready."""
    ready = [one.observation for one in replicas if one.observation and one.observation.ready_since]
    newest = max(ready, key=lambda seen: seen.ready_since or 0.0, default=None)
    return (load_seconds(newest.timeline) or None) if newest else None


def _make_room(world: World, lodgers: Sequence[Lodger], now: float, threads: int | None) -> list[Decision]:
    """Who falls asleep so that the replica that waits longest, of a deployment that nothing serves, finds a place."""
    by_name = {deployment.spec.name: deployment for deployment in world.deployments}
    unserved = {by_name[one.name].id for one in lodgers if not one.running.ready}
    for replica in world.replicas:
        if (
            replica.assignment is None
            and not replica.going
            and replica.waiting_for
            and replica.deployment_id in unserved
        ):
            fits = partial(_fits, replica, world, now, threads)
            if fits(()):  # what was ended for it is on its way out
                return []
            name = next(one.spec.name for one in world.deployments if one.id == replica.deployment_id)
            gone = leavers((one for one in lodgers if one.name != name), now, fits)
            if gone:
                return [_asleep_for(by_name[one], name, now) for one in gone]
    return []


def _asleep_for(deployment: Deployment, other: str, now: float) -> Decision:
    changes = {"target": 0, "since": now, "made_room_for": other}
    scale = (deployment.scale or Scale()).model_copy(update=changes)
    return Decision(deployment, scale, "deployment.made_room")


def _fits(replica: Replica, world: World, now: float, threads: int | None, gone: Collection[str]) -> bool:
    """Whether a replica finds a place once all that ends, and the deployments of these names, have ended."""
    names = {deployment.id: deployment for deployment in world.deployments}
    ending = {one.id for one in world.deployments if one.spec.name in gone or not target_of(one.spec, one.scale)}
    leaving = [one for one in world.replicas if one.going or one.deployment_id in ending]
    staying = [one for one in world.replicas if one not in leaving]
    fleet = fleet_of(given_back(live_nodes(world, now), leaving), staying)
    learned = world.learned(names[replica.deployment_id])
    return isinstance(search(replica.spec, replica.facts, fleet, threads, {}, {}, learned), Placed)
