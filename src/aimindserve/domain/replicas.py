"""Replicas: what is wanted, what a node is told, what it reports, and the decision between them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from aimindserve.domain.environments import Environment, WantedEnvironment
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.files import HubAccess, StoredModel, TransferProgress, WantedModel
from aimindserve.domain.lessons import NOTHING, Lessons
from aimindserve.domain.measured import Measurement
from aimindserve.domain.nodes import NodeFacts
from aimindserve.domain.reasons import Reason
from aimindserve.domain.relief import Relief, failed_item, makes_room
from aimindserve.domain.scaling import Scale, target_of
from aimindserve.domain.sight import Sight
from aimindserve.domain.specs import DeploymentSpec, EngineName
from aimindserve.domain.startup import Doing, Mark


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Wanted(StrEnum):
    """What a person wants of a deployment as a whole."""

    RUNNING = "running"
    STOPPED = "stopped"
    DELETED = "deleted"


class Deployment(_Frozen):
    """A deployment as stored. ``generation`` rises when running replicas no longer serve the spec (edit, restart);
    ``revision`` with every change. Times are Unix seconds. ``facts`` were read when the spec was accepted. ``relief``:
    what was decided after a start had run out of memory, and what later starts heed; ``scale``: how many replicas run
    now."""

    id: str
    spec: DeploymentSpec
    wanted: Wanted = Wanted.RUNNING
    generation: int = 1
    revision: int = 1
    facts: ModelFacts | None = None
    relief: Relief | None = None
    scale: Scale | None = None
    created_at: float = 0.0
    updated_at: float = 0.0


def own_lessons(deployment: Deployment) -> Lessons:
    """What a deployment's own failed starts taught. A new generation may go anywhere again."""
    relief = deployment.relief
    if relief is None:
        return NOTHING
    if relief.generation == deployment.generation:
        return relief.lessons
    return relief.lessons.model_copy(update={"whole": False, "retry": 0})


class Claim(_Frozen):
    """Memory that a replica holds on a device, in bytes. ``exclusive``: nobody else may use the device meanwhile."""

    device_id: str
    bytes: int
    exclusive: bool = False


class Assignment(_Frozen):
    """Where a replica runs, what it holds there, and what its plan heeded. Written once, by the placement reconciler:
    whoever plans again with it finds the same plan."""

    node_id: str
    claims: tuple[Claim, ...]
    engine: EngineName
    lessons: Lessons = NOTHING


class ReplicaState(StrEnum):
    """What a node observes of a replica."""

    DOWNLOADING = "downloading"
    PREPARING = "preparing"
    STARTING = "starting"
    READY = "ready"
    BACKOFF = "backoff"
    """It failed and is tried again at ``retry_at``."""
    FAILED = "failed"
    """It failed and trying again would not help; it waits for an edit or a restart."""
    STOPPING = "stopping"


class ReplicaObservation(_Frozen):
    """One replica as its node sees it now. While a node lists a replica, its claims are held.

    ``attempt`` counts from 1; ``restarts`` counts attempts that ended without an order. ``host``, ``port`` and
    ``engine_key`` (secret) are set while an engine process lives. ``ready_since``, ``retry_at`` in Unix seconds.
    ``doing``: the stage of the start-up that is under way; ``sight``: what this attempt's pictures proved, None where
    none were asked (yet). ``evidence``: lines of the log that show why it ended. ``measured``: the memory of the last
    attempt that became ready.
    """

    id: str
    state: ReplicaState
    reason: Reason | None = None
    attempt: int = 1
    restarts: int = 0
    pid: int | None = None
    host: str = "127.0.0.1"
    port: int | None = None
    engine_key: str = Field(default="", repr=False)
    ready_since: float | None = None
    retry_at: float | None = None
    download: TransferProgress | None = None
    timeline: tuple[Mark, ...] = ()
    doing: Doing | None = None
    sight: Sight | None = None
    evidence: tuple[str, ...] = ()
    measured: Measurement | None = None

    @property
    def short_of(self) -> str | None:
        """The item for which memory lacked, where it failed at its start for that reason for good."""
        return failed_item(self.reason) if self.state is ReplicaState.FAILED else None


class Replica(_Frozen):
    """A replica as stored. ``spec`` and ``facts`` are those of its generation and never change.

    ``stop_revision``: the node revision from which on it is not wanted (0 when it was never assigned).
    ``waiting_for``: why it could not be placed when last tried. ``finishing_since``: since when it gets no new requests
    and may end its answers, before the stop order.
    """

    id: str
    deployment_id: str
    generation: int
    index: int
    spec: DeploymentSpec
    facts: ModelFacts
    created_at: float
    assignment: Assignment | None = None
    waiting_for: Reason | None = None
    stop_revision: int | None = None
    observation: ReplicaObservation | None = None
    observed_at: float | None = None
    finishing_since: float | None = None

    @property
    def going(self) -> bool:
        """Whether it will end: it finishes its answers, or a stop order was given."""
        return self.stopping or self.finishing_since is not None

    @property
    def stopping(self) -> bool:
        """Whether a stop order was given."""
        return self.stop_revision is not None

    @property
    def short_of(self) -> str | None:
        """The item for which memory lacked, where the replica failed at its start for that reason for good."""
        return self.observation.short_of if self.observation else None

    @property
    def is_ready(self) -> bool:
        """Whether the last observation said so."""
        return self.observation is not None and self.observation.state is ReplicaState.READY


class DesiredReplica(_Frozen):
    """Everything that a node needs to run one replica."""

    id: str
    deployment_id: str
    model: str
    generation: int
    engine: EngineName
    engine_version: str | None
    facts: ModelFacts
    parameters: tuple[str, ...]
    env: dict[str, str]
    claims: tuple[Claim, ...]
    lessons: Lessons = NOTHING


class DesiredState(_Frozen):
    """All that a node should run, at one revision. What it does not name is to be stopped.

    ``models``: files to have beside those that ``replicas`` need. ``forget``: keys of stored models to delete. Files
    that nobody names stay: only an order deletes. ``environments``: engines to have; ``drop``: keys of environments to
    remove once no replica runs from them. ``hub`` says how to reach the hubs; it is not written down.
    """

    node_id: str
    revision: int
    replicas: tuple[DesiredReplica, ...] = ()
    models: tuple[WantedModel, ...] = ()
    forget: tuple[str, ...] = ()
    environments: tuple[WantedEnvironment, ...] = ()
    drop: tuple[str, ...] = ()
    hub: HubAccess = HubAccess()


class NodeReport(_Frozen):
    """All that a node runs, every model in its store and every engine that it has. ``acked_revision``: the highest
    desired state that it acts on (0: none yet). ``disk_free``: bytes on the disk that holds the store."""

    node_id: str
    acked_revision: int
    facts: NodeFacts
    replicas: tuple[ReplicaObservation, ...] = ()
    models: tuple[StoredModel, ...] = ()
    environments: tuple[Environment, ...] = ()
    disk_free: int | None = None
    at: float = 0.0


class NodeRef(_Frozen):
    """A node that the fabric can reach. ``address`` is what other nodes connect to."""

    node_id: str
    address: str
    alive: bool = True


class LogChunk(_Frozen):
    """A piece of an attempt's log: UTF-8 text that starts at byte ``offset``; ``next_offset`` goes on from its end.

    ``complete``: the attempt has ended and nothing follows. ``size`` is the whole log's in bytes.
    """

    attempt: int
    offset: int
    next_offset: int
    size: int
    text: str
    complete: bool = False
    attempts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplicaPlan:
    """What the replica reconciler does next. ``create``: indexes of new replicas of the current generation;
    ``stop``: ids to give a stop order; ``remove``: ids that were never assigned and can go at once."""

    create: tuple[int, ...] = ()
    stop: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.create or self.stop or self.remove)


def decide_replicas(deployment: Deployment, replicas: Sequence[Replica], drained: Collection[str] = ()) -> ReplicaPlan:
    """The replicas of one deployment that must be made or stopped so that the wanted number of the current generation
    remains. Empty when all is as wanted.

    On ``drained`` nodes (ids) none of them counts, but each goes on until another is ready in its place: emptying a
    machine interrupts nobody, and where nothing else has room, nothing is lost.
    """
    target = target_of(deployment.spec, deployment.scale) if deployment.wanted is Wanted.RUNNING else 0
    live = [replica for replica in replicas if not replica.going]
    finishing = [replica for replica in replicas if replica.going and not replica.stopping]
    current = [replica for replica in live if replica.generation == deployment.generation]
    outdated = [replica for replica in live if replica.generation != deployment.generation]
    beaten = [replica for replica in current if _makes_room(deployment, replica)]
    outdated += beaten
    ordered = by_worth(replica for replica in current if replica not in beaten)
    leaving = [replica for replica in ordered if replica.assignment and replica.assignment.node_id in drained]
    staying = [replica for replica in ordered if replica not in leaving]
    kept, surplus = staying[:target], staying[target:]
    not_replaced = target - sum(replica.is_ready for replica in kept)
    serving, replaced = leaving[:not_replaced], leaving[not_replaced:]
    unwanted = finishing + outdated + surplus + replaced
    used = {replica.index for replica in (*kept, *serving)}
    free = [index for index in range(target + len(serving)) if index not in used]
    return ReplicaPlan(
        create=tuple(free[: target - len(kept)]),
        stop=tuple(replica.id for replica in unwanted if replica.assignment is not None),
        remove=tuple(replica.id for replica in unwanted if replica.assignment is None),
    )


FINISH_SECONDS = 60.0
"""The longest that a replica may take to end its answers once it is not wanted."""


def may_finish(replica: Replica, now: float, *, is_idle: bool) -> bool:
    """Whether a replica that is not wanted still has the time to end its answers. ``is_idle``: it has none to end, and
    no gateway will send it any."""
    since = replica.finishing_since
    if since is None:
        return replica.is_ready and not is_idle
    return not is_idle and 0 <= now - since < FINISH_SECONDS


def by_worth(replicas: Iterable[Replica]) -> list[Replica]:
    """Replicas of one generation in the order in which scaling down keeps them."""
    return sorted(replicas, key=_worth)


def _makes_room(deployment: Deployment, replica: Replica) -> bool:
    """Whether it failed for lack of memory and another is tried in its place with what was learned."""
    heeded = replica.assignment.lessons if replica.assignment else NOTHING
    return replica.short_of is not None and makes_room(deployment.relief, deployment.generation, heeded)


def _worth(replica: Replica) -> tuple[bool, bool, int, str]:
    """Sort key that puts first what should be kept: ready before assigned before waiting, low indexes first."""
    return (not replica.is_ready, replica.assignment is None, replica.index, replica.id)


def desired_state(node_id: str, revision: int, replicas: Sequence[Replica], models: dict[str, str]) -> DesiredState:
    """What ``node_id`` should run at ``revision``. ``models``: public name by deployment id."""
    return DesiredState(
        node_id=node_id,
        revision=revision,
        replicas=tuple(
            DesiredReplica(
                id=replica.id,
                deployment_id=replica.deployment_id,
                model=models.get(replica.deployment_id, replica.spec.name),
                generation=replica.generation,
                engine=replica.assignment.engine,
                engine_version=replica.spec.engine_version,
                facts=replica.facts,
                parameters=replica.spec.parameters,
                env=dict(replica.spec.env),
                claims=replica.assignment.claims,
                lessons=replica.assignment.lessons,
            )
            for replica in replicas
            if replica.assignment is not None and replica.assignment.node_id == node_id and not replica.stopping
        ),
    )


def is_gone(replica: Replica, acked_revision: int, reported: Collection[str]) -> bool:
    """Whether a stopped replica's memory is free.

    Both must hold: its node acts on a desired state without it, and does not list it. Either alone books a device
    twice: a report that was made before the node heard of the replica does not list it either.
    """
    return replica.stop_revision is not None and acked_revision >= replica.stop_revision and replica.id not in reported
