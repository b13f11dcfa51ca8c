"""A request's way to an engine: the replica, counted as busy with it, and the connection there."""

from typing import TYPE_CHECKING

from aimindserve.domain.balancing import Lane, pick
from aimindserve.domain.routing import Endpoint, Route
from aimindserve.gateway.affinity import digest
from aimindserve.gateway.fitting import able
from aimindserve.gateway.upstream import Pool, Upstream

if TYPE_CHECKING:
    from aimindserve.gateway.context import Gateway
    from aimindserve.gateway.endpoints import Row


class Way:
    """``engine``: the connection, once there is one. A replica that was left is not taken again."""

    __slots__ = ("_gateway", "_lane", "_pool", "_row", "_tried", "engine")

    def __init__(self, gateway: "Gateway", row: "Row") -> None:
        self._gateway = gateway
        self._row = row
        self._lane: Lane | None = None
        self._pool: Pool | None = None
        self._tried: set[str] = set()
        self.engine: Upstream | None = None

    @property
    def replica_id(self) -> str:
        """The replica that has the request, "" for none."""
        return self._lane.endpoint.replica_id if self._lane else ""

    @property
    def endpoint(self) -> Endpoint | None:
        """Where that is."""
        return self._lane.endpoint if self._lane else None

    def choose(self, route: Route, opening: bytes) -> Endpoint | None:
        """The replica of ``route`` that suits best and was not tried; None when there is none left."""
        gateway = self._gateway
        lanes = able(gateway.lanes.of(route.deployment_id), self._row)
        lane = pick(lanes, gateway.now(), self._tried, digest(opening) if len(lanes) > 1 else None)
        if lane is None:
            return None
        lane.in_flight += 1
        self._lane, endpoint = lane, lane.endpoint
        self._pool = gateway.pools.get(endpoint.replica_id, endpoint.host, endpoint.port)
        return endpoint

    def kept(self) -> Upstream | None:
        """A connection that is kept to the chosen replica."""
        return None if self._pool is None else self._pool.take()

    async def connect(self) -> Upstream | None:
        """A new one; None when the replica does not take it."""
        pool = self._pool
        try:
            return None if pool is None else await pool.connect()
        except OSError:
            return None

    def keep(self, engine: Upstream) -> None:
        """The connection came too late for the request; another one may use it."""
        if self._pool is not None:
            self._pool.give(engine)

    def answered(self) -> None:
        """The replica answers."""
        if self._lane is not None and self._lane.failures:
            self._lane.answered()

    def failed(self) -> None:
        """The replica did not take the request, or died with it."""
        if self._lane is not None:
            self._lane.failed(self._gateway.now())

    def leave(self) -> None:
        """Give this replica up for the request."""
        if self._lane is not None:
            self.failed()
            self._tried.add(self.replica_id)
            self.release(reuse=False)

    def release(self, *, reuse: bool, paused: bool = False) -> None:
        """Let go of the replica and of the connection; ``paused``: nothing is read from it just now."""
        lane, self._lane = self._lane, None
        if lane is not None:
            lane.in_flight -= 1
        engine, self.engine = self.engine, None
        if engine is None:
            return
        if paused and not engine.transport.is_closing():
            engine.transport.resume_reading()
        if reuse and self._pool is not None:
            self._pool.give(engine)
        else:
            engine.drop()
