"""One inference request on its way to an engine and back."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from aimindserve.domain.routing import Endpoint, Route
from aimindserve.gateway.admit import BUSY
from aimindserve.gateway.answers import AnswerHead, EventRelay, Relay, Whole
from aimindserve.gateway.auth import Caller
from aimindserve.gateway.body import BodyView
from aimindserve.gateway.client_head import client_head
from aimindserve.gateway.endpoints import Row
from aimindserve.gateway.errors import Refusal, engine_refusal, error_event
from aimindserve.gateway.fitting import fitting
from aimindserve.gateway.framing import FramingError
from aimindserve.gateway.intake import Taken
from aimindserve.gateway.outgoing import Outgoing
from aimindserve.gateway.turns import Turn
from aimindserve.gateway.upstream import Upstream
from aimindserve.gateway.usage import Counted, new_record
from aimindserve.gateway.way import Way

if TYPE_CHECKING:
    from aimindserve.gateway.context import Gateway
    from aimindserve.gateway.protocol import ClientConnection

_LARGEST_ERROR = 65_536
_CLIENT_GONE = 499

UNREACHABLE = Refusal(502, "engine_unreachable", "The model's engine did not answer. Try again.", retry_after=1)
BROKE_OFF = Refusal(502, "engine_failed", "The model's engine stopped before the answer was complete.", source="engine")
TOO_SLOW = Refusal(504, "engine_timeout", "The model's engine sent nothing for too long.", source="engine")


class Exchange:
    """Chooses a replica, sends the body, passes the answer on, counts. Answers exactly once, whatever happens.

    A request goes to another replica only while nothing of an answer has come: freely when a replica does not take
    the connection, and once when it took the request and died (it may be the request that kills engines).
    """

    __slots__ = (
        "_answered", "_began", "_caller", "_client", "_client_slow", "_error_body", "_error_status", "_first_token",
        "_gateway", "_idle", "_images", "_model", "_others", "_outgoing", "_over", "_path", "_relay", "_retried",
        "_route", "_row", "_sent_after", "_started_at", "_status", "_told", "_turn", "_usage_hidden", "_way",
        "request_id",
    )  # fmt: skip

    def __init__(
        self, gateway: "Gateway", client: "ClientConnection", row: Row, path: str, caller: Caller, request_id: str
    ) -> None:
        self._gateway = gateway
        self._client = client
        self._row = row
        self._path = path
        self._caller = caller
        self.request_id = request_id
        self._told = b""
        self._images = 0
        self._started_at = time.time()
        self._began = time.perf_counter()
        self._idle = gateway.config.stream_idle_timeout
        self._way = Way(gateway, row)
        self._relay: Relay | EventRelay | Whole | None = None
        self._retried = False
        self._client_slow = False
        self._over = False
        self._answered = False
        self._turn = Turn(gateway, client, caller, self._begin, self._fail)
        self._status = 0
        self._sent_after = 0.0
        self._first_token: float | None = None
        self._error_body: bytes | None = None
        self._error_status = 0

    # ---- towards the engine

    def start(self, body: bytes | bytearray, taken: Taken, trace: bytes) -> None:
        """The request is complete and admitted; it is sent when it is this caller's turn. ``trace``: header lines for
        the engine."""
        view, (route, *self._others) = taken.view, taken.routes
        self._model, self._route = view.model, route
        self._outgoing = Outgoing(self._row, self._path, self.request_id, body, view, trace, route.model)
        self._usage_hidden = view.usage_hidden
        self._images, self._told = view.images, taken.told
        self._turn.take(route, view.model)

    def _begin(self, route: Route) -> None:
        if self._over:  # the client may have left since it was given its turn
            return
        if route is not self._route:  # it was not ready when the request came
            self._route = route
            refusal = fitting(route, self._row, self._outgoing.view)
            if refusal is not None:
                self._fail(refusal)
                return
        if self._outgoing.view.urls:
            self._gateway.spawn(self._fetch_pictures())
        else:
            self._dispatch(UNREACHABLE)

    async def _fetch_pictures(self) -> None:
        """Put the pictures whose addresses the request names into it; then it is a request like any other."""
        gateway, outgoing = self._gateway, self._outgoing
        made = await gateway.media.inline(outgoing.body, self._row, outgoing.view)
        if self._over:
            return
        if isinstance(made, Refusal):
            self._fail(made)
        elif not gateway.budget.reserve(len(made[0])):
            self._fail(BUSY)
        else:
            self._client.reserved += len(made[0])
            self._address(*made)
            self._dispatch(UNREACHABLE)

    def _address(self, body: bytes | bytearray, view: BodyView) -> None:
        """The request as the chosen model's engines get it."""
        trace, model = self._outgoing.trace, self._route.model
        self._outgoing = Outgoing(self._row, self._path, self.request_id, body, view, trace, model)

    def _dispatch(self, otherwise: Refusal) -> None:
        """Send to the replica that suits best and was not tried; ``otherwise`` is the answer when none is left."""
        endpoint = self._way.choose(self._route, self._outgoing.view.opening)
        if endpoint is None:
            if self._others:
                self._fall_back()
            else:
                self._fail(otherwise)
            return
        self._client.deadline = self._gateway.now() + self._gateway.config.first_byte_timeout
        engine = self._way.kept()
        if engine is None:
            self._gateway.spawn(self._connect(endpoint))
        else:
            self._send(engine, endpoint)

    def _fall_back(self) -> None:
        """No replica of the model is left: the next model of the alias gets the request, in its turn there."""
        self._turn.leave()
        self._turn = Turn(self._gateway, self._client, self._caller, self._begin, self._fail)
        self._route = self._others.pop(0)
        self._address(self._outgoing.body, self._outgoing.view)
        self._turn.take(self._route, self._model)

    async def _connect(self, endpoint: Endpoint) -> None:
        engine = await self._way.connect()
        if engine is None:
            if not self._over:
                self._way.leave()
                self._dispatch(UNREACHABLE)
        elif self._over:
            self._way.keep(engine)
        else:
            self._send(engine, endpoint)

    def _send(self, engine: Upstream, endpoint: Endpoint) -> None:
        self._way.engine = engine
        engine.begin(self)
        self._outgoing.send(engine, endpoint)
        self._sent_after = time.perf_counter() - self._began

    def upstream_writable(self, *, writable: bool) -> None:
        """See ``Owner``."""
        if writable and not self._outgoing.done:
            self._client.deadline = self._gateway.now() + self._gateway.config.first_byte_timeout
            self._outgoing.go_on()

    # ---- from the engine

    def answer_head(self, head: AnswerHead, rest: bytes) -> None:
        """See ``Owner``."""
        came = time.perf_counter()
        if head.status != 503:
            self._way.answered()
        if head.status >= 400:
            self._error_body, self._error_status = b"", head.status
            self._relay = Relay(head.decoder, chunked=False)
            self._collect_error(self._relay, rest)
            return
        self._status = head.status
        events = head.content_type.startswith(b"text/event-stream")
        chunked = (events or head.length is None) and self._client.takes_chunks
        if events:
            relay = EventRelay(
                head.decoder, chunked=chunked, hide_usage=self._usage_hidden, last_event=self._row.last_event
            )
        elif head.length == len(rest):
            relay = Whole(rest)
        else:
            relay = Relay(head.decoder, chunked=chunked)
        if not head.keep_alive:
            relay.clean = False
        self._relay = relay
        body = rest if type(relay) is Whole or not rest else self._fed(relay, rest)
        if body is None:
            return
        self._answered = True
        self._let_go_of_body()
        overhead = self._sent_after + time.perf_counter() - came
        self._gateway.metrics.overhead.observe(overhead)
        self._client.write(client_head(head, self._client, chunked, events, self._about(overhead)) + body)
        self._after_data(relay)

    def _about(self, overhead: float) -> bytes:
        """Header lines about this request; ``overhead`` in seconds."""
        lines = b"x-request-id: %b\r\nx-aimindserve-overhead-us: %d\r\n%b"
        return lines % (self.request_id.encode(), round(overhead * 1e6), self._told)

    def answer_data(self, data: bytes) -> None:
        """See ``Owner``."""
        relay = self._relay
        if relay is None:
            return
        if self._error_body is not None:
            self._collect_error(relay, data)
            return
        try:
            out = relay.feed(data)
        except FramingError:
            self.upstream_broken()
            return
        if out:
            self._client.write(out)
        if self._first_token is None or relay.done:
            self._after_data(relay)
        if not (relay.done or self._client_slow):
            self._client.deadline = self._gateway.now() + self._idle

    def _after_data(self, relay: Relay | EventRelay | Whole) -> None:
        if self._first_token is None and isinstance(relay, EventRelay) and relay.started:
            self._first_token = time.perf_counter() - self._began
        if relay.done:
            self._end(reuse=relay.clean)

    def _fed(self, relay: Relay | EventRelay | Whole, data: bytes) -> bytes | None:
        """What the client gets, or None when the engine broke the framing and the exchange is over."""
        try:
            return relay.feed(data)
        except FramingError:
            self.upstream_broken()
            return None

    def _collect_error(self, relay: Relay | EventRelay | Whole, data: bytes) -> None:
        """Engines' errors are short: read whole, then told in our shape."""
        payload = self._fed(relay, data)
        if payload is None:
            return
        self._error_body = (self._error_body or b"") + payload
        if relay.done or len(self._error_body) > _LARGEST_ERROR:
            self._end_with_error()

    def _end_with_error(self) -> None:
        status, body = self._error_status, self._error_body or b""
        self._error_body = None
        if status == 503 and (len(self._route.endpoints) > 1 or self._others) and not self._retried:
            self._retried = True
            self._way.leave()
            self._relay, self._error_status = None, 0
            self._dispatch(engine_refusal(status, body))
            return
        self._fail(engine_refusal(status, body))

    def upstream_lost(self, *, stale: bool) -> None:
        """See ``Owner``."""
        self._way.engine = None
        if self._error_body is not None:
            self._end_with_error()
        elif self._relay is not None:
            last = self._relay.closed()
            if last is None:
                self.upstream_broken()
            else:
                self._client.write(last)
                self._end(reuse=False)
        elif stale:
            self._again_at_same()
        elif self._retried:
            self._fail(BROKE_OFF)
        else:
            self._retried = True
            self._way.leave()
            self._dispatch(BROKE_OFF)

    def _again_at_same(self) -> None:
        """The engine closed a kept connection just as our request went out: that was no try."""
        if self._way.endpoint is not None:
            self._gateway.spawn(self._connect(self._way.endpoint))

    def upstream_broken(self) -> None:
        """See ``Owner``."""
        self._way.failed()
        self._fail(BROKE_OFF)

    # ---- from the client

    def client_gone(self) -> None:
        """The client closed: the engine is told by closing its connection, so that it stops."""
        if not self._over:
            self._status = self._status if self._relay is not None and self._relay.done else _CLIENT_GONE
            self._finish(reuse=False)

    def client_slow(self, *, slow: bool) -> None:
        """The client does not read (or reads again): the engine waits with it."""
        self._client_slow = slow
        engine = self._way.engine
        if engine is None:
            return
        if slow:
            engine.transport.pause_reading()
        else:
            engine.transport.resume_reading()

    def timed_out(self) -> None:
        """Nothing came from the engine for too long, or the model did not start in time."""
        self._way.failed()
        self._fail(self._turn.waits_in_vain() or TOO_SLOW)

    # ---- the end

    def _fail(self, refusal: Refusal) -> None:
        """Tell the client, in the way that is still possible."""
        if self._over:
            return
        relay = self._relay
        self._status = refusal.status
        if not self._answered:
            self._tell(lambda: self._client.refuse(refusal, self.request_id, self._told))
        elif isinstance(relay, EventRelay):
            self._client.write(relay.broken(error_event(refusal, self._row.errors)))
            self._tell(self._client.finished)
        else:
            self._tell(self._client.abort)

    def _tell(self, last: Callable[[], None]) -> None:
        self._finish(reuse=False)
        last()

    def _end(self, *, reuse: bool) -> None:
        self._finish(reuse=reuse)
        self._client.finished()

    def _let_go_of_body(self) -> None:
        """The engine answers: no other try will need the body."""
        if self._outgoing.done:
            self._gateway.budget.give_back(self._client.reserved)
            self._client.reserved = 0
            self._outgoing.let_go()

    def _finish(self, *, reuse: bool) -> None:
        """The exchange is over. Before the next of this caller's requests may start, everything is given back."""
        self._over = True
        replica = self._way.replica_id
        self._way.release(reuse=reuse and self._outgoing.done, paused=self._client_slow)
        self._outgoing.let_go()
        self._record(replica)
        self._turn.leave()

    def _record(self, replica: str) -> None:
        counted = self._relay.counted() if self._relay is not None and not self._error_status else Counted()
        first_token = self._first_token
        if self._caller.limits:
            self._gateway.meters.charge(self._caller, counted.prompt + counted.completion)
        self._gateway.finished(
            new_record(
                request_id=self.request_id,
                started_at=self._started_at,
                endpoint=self._row.name,
                model=self._model,
                deployment_id=self._route.deployment_id,
                replica_id=replica,
                user_id=self._caller.user_id,
                key_id=self._caller.key_id,
                status=self._status,
                prompt_tokens=counted.prompt,
                completion_tokens=counted.completion,
                duration_ms=round((time.perf_counter() - self._began) * 1000, 3),
                ttft_ms=None if first_token is None else round(first_token * 1000, 3),
                counted_by=counted.by,
                cached_tokens=counted.cached,
                image_tokens=counted.image,
                images=self._images,
            )
        )
