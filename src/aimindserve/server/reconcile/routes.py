"""The routing table, made from what is stored; the only place that decides what gateways may do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from aimindserve.domain.lifecycle import Phase, Standing
from aimindserve.domain.reason_texts import explain
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.replicas import Deployment, Replica, ReplicaState, Wanted
from aimindserve.domain.routing import (
    Alias,
    Endpoint,
    KeyGrant,
    Route,
    RouteState,
    RoutingTable,
    SessionGrant,
    UserGrant,
)
from aimindserve.domain.scaling import bounds_of
from aimindserve.domain.startup import load_began
from aimindserve.engines._registry import ENGINES
from aimindserve.engines.slots import slots
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import AliasRow, ApiKeyRow, SessionRow, UserRow
from aimindserve.server.identity import session_expires_at
from aimindserve.server.reconcile.observe import World, look

_STATES = {
    Phase.READY: RouteState.READY,
    Phase.STOPPED: RouteState.STOPPED,
    Phase.ASLEEP: RouteState.ASLEEP,
    Phase.STOPPING: RouteState.STOPPED,
    Phase.FAILED: RouteState.FAILED,
}
# Waiting for memory or for a node takes a person's time, not a machine's.
_RETRY_SECONDS = {Phase.PENDING: 30, Phase.FAILED: 30, Phase.UNREACHABLE: 30, Phase.DOWNLOADING: 15}
_RETRY_OTHERWISE = 5


@dataclass(frozen=True, slots=True)
class Grants:
    """Who may use the gateways."""

    keys: tuple[KeyGrant, ...]
    sessions: tuple[SessionGrant, ...]
    users: tuple[UserGrant, ...]


async def read_table(context: ServerContext) -> RoutingTable:
    """The table as it should be now, with version 0."""
    now = context.clock()
    async with context.database.read() as session:
        world = await look(session)
        keys = (await session.execute(select(ApiKeyRow, UserRow).join(UserRow).order_by(ApiKeyRow.id))).all()
        sessions = (await session.execute(select(SessionRow, UserRow).join(UserRow).order_by(SessionRow.digest))).all()
        users = list(await session.scalars(select(UserRow).where(UserRow.limits.is_not(None)).order_by(UserRow.id)))
        rows = await session.scalars(select(AliasRow).order_by(AliasRow.name))
        aliases = tuple(_alias(row) for row in rows)
    world = replace(world, replicas=tuple(context.board.with_downloads(world.replicas)))
    grants = Grants(
        keys=_key_grants(((row[0], row[1]) for row in keys), now),
        sessions=_session_grants(((row[0], row[1]) for row in sessions), now),
        users=tuple(UserGrant(row.id, row.limits) for row in users if row.limits is not None),
    )
    return RoutingTable(0, routes_of(world, now), grants.keys, grants.sessions, grants.users, aliases)


def _alias(row: AliasRow) -> Alias:
    targets = tuple((target.deployment, target.weight) for target in row.spec.targets)
    return Alias(row.name, targets, row.spec.fallback, int(row.created_at))


def routes_of(world: World, now: float) -> tuple[Route, ...]:
    """One route for each deployment that is not being deleted."""
    return tuple(
        _route(deployment, *world.standing(deployment, now))
        for deployment in world.deployments
        if deployment.wanted is not Wanted.DELETED
    )


def _route(deployment: Deployment, standing: Standing, replicas: Sequence[tuple[Replica, Standing]]) -> Route:
    endpoints = _endpoints(replicas)
    state = RouteState.READY if endpoints else _STATES.get(standing.phase, RouteState.STARTING)
    if state is RouteState.READY and not endpoints:
        state = RouteState.STARTING
    return Route(
        model=deployment.spec.name,
        deployment_id=deployment.id,
        state=state,
        endpoints=endpoints,
        capabilities=deployment.facts.capabilities if deployment.facts else (),
        detail="" if state is RouteState.READY else _detail(standing),
        progress=_progress(replicas),
        retry_after=_retry_after(standing),
        created=int(deployment.created_at),
        context_length=deployment.facts.context_length if deployment.facts else None,
        images=_images(replicas),
        hold=deployment.spec.scaling.hold_seconds if bounds_of(deployment.spec)[0] == 0 else 0,
        load_seconds=deployment.scale.load_seconds if deployment.scale else None,
        loading_since=_loading_since(replicas),
    )


def _loading_since(replicas: Sequence[tuple[Replica, Standing]]) -> float | None:
    """When the first of the replicas that are starting had its files."""
    starting = [one.observation for one, _ in replicas if one.observation and not one.is_ready and not one.going]
    began = (load_began(seen.timeline) for seen in starting if seen.state is not ReplicaState.DOWNLOADING)
    return min((at for at in began if at is not None), default=None)


def _images(replicas: Sequence[tuple[Replica, Standing]]) -> int | None:
    """Pictures that each replica's engine takes in one request."""
    limits = (
        ENGINES[replica.assignment.engine].pictures_per_request(replica.facts, replica.spec.parameters)
        for replica, standing in replicas
        if replica.assignment is not None and standing.phase in (Phase.READY, Phase.UNREACHABLE)
    )
    return min((limit for limit in limits if limit is not None), default=None)


def _endpoints(replicas: Sequence[tuple[Replica, Standing]]) -> tuple[Endpoint, ...]:
    """Ready replicas of any generation that have no stop order: until a new generation takes over, the old one serves.

    Where a whole model's nodes are silent, their last known engines are tried: an engine outlives the agent.
    """
    ready = [replica for replica, standing in replicas if standing.phase is Phase.READY]
    silent = [replica for replica, standing in replicas if standing.phase is Phase.UNREACHABLE and replica.is_ready]
    return tuple(endpoint for replica in ready or silent if (endpoint := _endpoint(replica)))


def _endpoint(replica: Replica) -> Endpoint | None:
    seen = replica.observation
    if seen is None or seen.port is None:
        return None
    engine = replica.assignment.engine if replica.assignment else ""
    return Endpoint(
        replica_id=replica.id,
        host=seen.host,
        port=seen.port,
        engine_key=seen.engine_key,
        engine=engine,
        slots=slots(engine, replica.spec.parameters),
        ready_since=seen.ready_since or 0.0,
    )


def _detail(standing: Standing) -> str:
    return explain(standing.reasons[0], "en").message if standing.reasons else ""


def _retry_after(standing: Standing) -> int:
    if any(why.code is ReasonCode.RESTARTING for why in standing.reasons):
        return _RETRY_OTHERWISE
    return _RETRY_SECONDS.get(standing.phase, _RETRY_OTHERWISE)


def _progress(replicas: Sequence[tuple[Replica, Standing]]) -> float | None:
    downloads = [replica.observation.download for replica, _ in replicas if replica.observation]
    return max((one.done / one.total for one in downloads if one and one.total), default=None)


def _key_grants(rows: Iterable[tuple[ApiKeyRow, UserRow]], now: float) -> tuple[KeyGrant, ...]:
    return tuple(
        KeyGrant(
            key_id=key.id,
            digest=key.digest,
            user_id=key.user_id,
            scopes=tuple(key.scopes),
            models=key.models,
            expires_at=key.expires_at,
            networks=key.networks,
            limits=key.limits,
        )
        for key, user in rows
        if not key.disabled and not user.disabled and (key.expires_at is None or key.expires_at > now)
    )


def _session_grants(rows: Iterable[tuple[SessionRow, UserRow]], now: float) -> tuple[SessionGrant, ...]:
    return tuple(
        SessionGrant(row.digest, row.user_id, expires, must_change_password=user.must_change_password)
        for row, user in rows
        if not user.disabled
        if (expires := session_expires_at(row.created_at, row.seen_at)) > now
    )
