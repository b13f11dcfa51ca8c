"""Phases: computed from what is stored and reported, never stored themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from aimindserve.domain.files import TransferProgress
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.replicas import Deployment, Replica, ReplicaObservation, ReplicaState, Wanted
from aimindserve.domain.scaling import target_of
from aimindserve.domain.units import format_bytes

# A node reports at least every two seconds; ten silent periods are no hiccup any more.
UNREACHABLE_AFTER_SECONDS = 20.0


class Phase(StrEnum):
    """Where a replica or a deployment stands."""

    PENDING = "pending"
    PLACING = "placing"
    DOWNLOADING = "downloading"
    PREPARING = "preparing"
    STARTING = "starting"
    READY = "ready"
    ASLEEP = "asleep"
    """Of a deployment: no replica runs while nobody asks; the next request starts one."""
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    UNREACHABLE = "unreachable"


class Action(StrEnum):
    """What a person can do with a deployment."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    SCALE = "scale"
    EDIT = "edit"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """What the server knows of a node's liveness. ``last_report_at``: Unix seconds, None before the first report."""

    node_id: str
    hostname: str
    last_report_at: float | None

    def silent_for(self, now: float) -> float | None:
        """Seconds without a report once they are too many, else None."""
        if self.last_report_at is None:
            return None
        silence = now - self.last_report_at
        return silence if silence > UNREACHABLE_AFTER_SECONDS else None


@dataclass(frozen=True, slots=True)
class Standing:
    """A phase with its reasons, the most telling first."""

    phase: Phase
    reasons: tuple[Reason, ...] = ()


_OBSERVED = {
    ReplicaState.DOWNLOADING: Phase.DOWNLOADING,
    ReplicaState.PREPARING: Phase.PREPARING,
    ReplicaState.STARTING: Phase.STARTING,
    ReplicaState.READY: Phase.READY,
    ReplicaState.BACKOFF: Phase.FAILED,
    ReplicaState.FAILED: Phase.FAILED,
    ReplicaState.STOPPING: Phase.STOPPING,
}

# The phase of a deployment is that of its most advanced current replica.
_ADVANCE = (
    Phase.READY,
    Phase.STARTING,
    Phase.PREPARING,
    Phase.DOWNLOADING,
    Phase.PLACING,
    Phase.UNREACHABLE,
    Phase.FAILED,
    Phase.PENDING,
)


def phase(replica: Replica, node: NodeStatus | None, now: float) -> Standing:
    """Where ``replica`` stands. ``node`` is the status of its node, None while it has none; ``now`` Unix seconds."""
    silent = node.silent_for(now) if node else None
    lost = (
        (reason(ReasonCode.NODE_UNREACHABLE, node=node.hostname, seconds=int(silent)),)
        if node and silent is not None
        else ()
    )
    if replica.going:
        why = ReasonCode.STOP_REQUESTED if replica.stopping else ReasonCode.FINISHING
        return Standing(Phase.STOPPING, (*lost, reason(why)))
    if replica.assignment is None:
        return Standing(Phase.PENDING, (replica.waiting_for,) if replica.waiting_for else ())
    if lost:
        return Standing(Phase.UNREACHABLE, lost)
    if replica.observation is None:
        host = node.hostname if node else replica.assignment.node_id
        return Standing(Phase.PLACING, (reason(ReasonCode.WAITING_FOR_NODE, node=host),))
    return Standing(_OBSERVED[replica.observation.state], _observed_reasons(replica.observation, now))


def _observed_reasons(seen: ReplicaObservation, now: float) -> tuple[Reason, ...]:
    reasons = (seen.reason,) if seen.reason else ()
    if seen.state is ReplicaState.DOWNLOADING and seen.download is not None:
        reasons = (*reasons, _download_reason(seen.download))
    if seen.state is ReplicaState.BACKOFF and seen.retry_at is not None:
        wait = max(0, round(seen.retry_at - now))
        reasons = (*reasons, reason(ReasonCode.RESTARTING, seconds=wait, attempt=seen.attempt + 1))
    return reasons


def _download_reason(download: TransferProgress) -> Reason:
    done, total = format_bytes(download.done), format_bytes(download.total)
    if not download.rate:
        return reason(ReasonCode.DOWNLOAD_WAITING, done=done, total=total)
    return reason(ReasonCode.DOWNLOADING, done=done, total=total, rate=format_bytes(round(download.rate)))


def deployment_phase(deployment: Deployment, replicas: Sequence[tuple[Replica, Standing]]) -> Standing:
    """Where a deployment stands, from its replicas (all generations) and their standings."""
    if deployment.wanted is not Wanted.RUNNING or target_of(deployment.spec, deployment.scale) == 0:
        if replicas or deployment.wanted is Wanted.DELETED:
            ordered = [standing for _, standing in replicas if standing.phase is Phase.STOPPING]
            return Standing(Phase.STOPPING, _distinct(ordered) or (reason(ReasonCode.STOP_REQUESTED),))
        if deployment.wanted is Wanted.RUNNING and deployment.spec.replicas:
            return Standing(Phase.ASLEEP, (_why_asleep(deployment),))
        code = ReasonCode.STOPPED_BY_USER if deployment.wanted is Wanted.STOPPED else ReasonCode.SCALED_TO_ZERO
        return Standing(Phase.STOPPED, (reason(code),))
    current = [
        standing for replica, standing in replicas if replica.generation == deployment.generation and not replica.going
    ]
    for candidate in _ADVANCE:
        matching = [standing for standing in current if standing.phase is candidate]
        if matching:
            return Standing(candidate, _distinct(matching if candidate is not Phase.READY else current))
    return Standing(Phase.PENDING)


def _why_asleep(deployment: Deployment) -> Reason:
    other = deployment.scale.made_room_for if deployment.scale else ""
    return reason(ReasonCode.MADE_ROOM, model=other) if other else reason(ReasonCode.ASLEEP)


def _distinct(standings: Sequence[Standing]) -> tuple[Reason, ...]:
    seen: dict[str, Reason] = {}
    for standing in standings:
        for why in standing.reasons:
            seen.setdefault(why.model_dump_json(), why)
    return tuple(seen.values())


def allowed_actions(deployment: Deployment) -> tuple[Action, ...]:
    """What may be done with ``deployment`` now. Nothing more once it is being deleted."""
    if deployment.wanted is Wanted.DELETED:
        return ()
    always = (Action.EDIT, Action.SCALE, Action.DELETE)
    if deployment.wanted is Wanted.STOPPED:
        return (Action.START, *always)
    return (Action.STOP, Action.RESTART, *always)
