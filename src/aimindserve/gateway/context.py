"""What all connections of one gateway share."""

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aimindserve.domain.access import client_address, parse_networks
from aimindserve.domain.channel import Loads
from aimindserve.domain.routing import RoutingTable
from aimindserve.domain.turns import Turns
from aimindserve.domain.usage import UsageRecord
from aimindserve.gateway.auth import Pepper
from aimindserve.gateway.budget import BodyBudget
from aimindserve.gateway.config import GatewayConfig
from aimindserve.gateway.heads import RequestHead
from aimindserve.gateway.lanes import Lanes
from aimindserve.gateway.media import Media
from aimindserve.gateway.meters import Meters
from aimindserve.gateway.metrics import Metrics
from aimindserve.gateway.request_log import RequestLog
from aimindserve.gateway.spool import Spool
from aimindserve.gateway.table import Directory
from aimindserve.gateway.upstream import Pools
from aimindserve.gateway.usage import Outbox
from aimindserve.gateway.waiting import WaitingRoom

_COUNT_AT_ONCE = 1000

if TYPE_CHECKING:
    from aimindserve.gateway.connection import Connection


def nobody_is_told() -> None:
    """There is no server just now."""


class Gateway:
    """State of one gateway process. ``tasks`` owns every task that a connection starts."""

    def __init__(self, config: GatewayConfig, loop: asyncio.AbstractEventLoop, tasks: asyncio.TaskGroup) -> None:
        self.config = config
        self.loop = loop
        self.now = loop.time
        self.id = secrets.token_hex(8)
        self.directory = Directory(config.key_concurrency, config.gateway_processes)
        self.pepper = Pepper(Path(config.paths.pepper))
        self.budget = BodyBudget(config.body_budget_bytes)
        self.pools = Pools()
        self.lanes = Lanes(loop.time)
        self.turns = Turns(config.key_queue)
        self.waiting = WaitingRoom(config.model_queue)
        self.on_waiting: Callable[[], None] = nobody_is_told
        """Called when a request begins to wait for a model (the channel)."""
        self.meters = Meters(loop.time)
        self._proxies = parse_networks(config.trusted_proxies)
        self.last_request_at: dict[str, float] = {}
        self.outbox = Outbox()
        self.spool = Spool(Path(config.paths.unsent_usage), self.id, config.usage_spool_bytes)
        self.metrics = Metrics()
        self.request_log = None
        if config.request_log_sample > 0:
            prompts = config.request_log_prompts
            self.request_log = RequestLog(Path(config.paths.request_log), config.request_log_sample, prompts)
        self.clients: set[Connection] = set()
        self.stopping = False
        self._uncounted: list[UsageRecord] = []
        self._tasks = tasks
        self._numbers = itertools.count(1)
        self.media = Media(config, self.budget, loop.time, self.spawn)

    def request_id(self) -> str:
        """A new id; no two gateways, and no two lives of one, make the same."""
        return f"req-{self.id}-{next(self._numbers):x}"

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` beside the rest; it must handle what it expects to fail."""
        self._tasks.create_task(work)

    def apply(self, table: RoutingTable) -> None:
        """Put ``table`` in force.

        Raises:
            ValueError: the table is damaged; the old one stays.
        """
        self.directory.apply(table)
        self.meters.keep_only(self.directory.metered())
        self.pools.keep_only(self.directory.endpoints())
        self.lanes.apply(table.routes)
        for call in self.waiting.settle(self.directory.routes):
            self.loop.call_soon(call)

    def address_of(self, peer: str, head: RequestHead) -> str:
        """Where a request comes from, as far as proxies that are trusted tell."""
        if not self._proxies:
            return peer
        lines = [value for name, value in head.headers if name == b"x-forwarded-for"]
        told = b",".join(lines).decode("latin-1")
        return client_address(peer, [part.strip() for part in told.split(",") if part.strip()], self._proxies)

    def loads(self) -> Loads:
        """What the server is told about requests that are under way."""
        waiting = self.turns.waiting_by_model() | self.waiting.by_deployment()
        return Loads(self.lanes.loads(), dict(self.last_request_at), waiting, self.directory.version)

    def asked_for(self, model: str) -> None:
        """Note that somebody wants ``model`` now."""
        self.last_request_at[model] = time.time()

    def finished(self, record: UsageRecord) -> None:
        """An inference request is over."""
        self.outbox.add(record)
        self._uncounted.append(record)
        if self.request_log is not None:
            self.request_log.add(record)
        if len(self._uncounted) >= _COUNT_AT_ONCE:
            self.count()

    def count(self) -> None:
        """Bring the metrics up to date; many at once cost far less than each by itself."""
        uncounted, self._uncounted = self._uncounted, []
        self.metrics.count(uncounted)

    def gauges(self) -> dict[str, int]:
        """Further values for ``/metrics``."""
        return {
            "connections": len(self.clients),
            "waiting_for_turn": self.turns.waiting(),
            "waiting_for_model": len(self.waiting),
            "replicas_left_out": self.lanes.left_out(),
            "body_bytes": self.budget.held,
            "usage_records_waiting": len(self.outbox),
            "usage_records_dropped_total": self.outbox.dropped + self.spool.dropped,
            "usage_spool_bytes": self.spool.size,
            "table_version": self.directory.version,
            **{f"pictures_{name}_total": count for name, count in self.media.counts.items()},
        }
