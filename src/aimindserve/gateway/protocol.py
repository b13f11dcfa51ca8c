"""One client's connection: requests are read one at a time and answered in order, whatever the client sends ahead."""

import time
from typing import TYPE_CHECKING

from aimindserve.gateway import admit
from aimindserve.gateway.auth import Caller, authenticate
from aimindserve.gateway.connection import LINGER_SECONDS, Connection, State
from aimindserve.gateway.endpoints import Action, Row, find_row, is_inference
from aimindserve.gateway.errors import Form, Problem, Refusal, envelope, http_answer, prefers_chinese, problem_body
from aimindserve.gateway.forward import Exchange
from aimindserve.gateway.framing import BodyDecoder, ChunkedBody, FixedBody, FramingError
from aimindserve.gateway.heads import BadHead, HeadReader, RequestHead
from aimindserve.gateway.intake import take
from aimindserve.gateway.local import JSON, LOCAL_PATHS, answer_local, answer_models
from aimindserve.gateway.receive import ChunkedReceiver, FixedReceiver, as_protocol
from aimindserve.gateway.splice import Splice
from aimindserve.gateway.trace import trace_lines
from aimindserve.gateway.visit import Visit

if TYPE_CHECKING:
    from aimindserve.gateway.context import Gateway

_AHEAD = 65_536  # bytes of later requests that are read while one is answered
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
FOREVER = float("inf")


class ClientConnection(Connection):
    """See the module. ``deadline``: loop time at which ``expired`` is called."""

    __slots__ = ("_began", "_decoder", "_handler", "_head", "_processing", "_reader", "_receiver", "_take", "_visit")

    def __init__(self, gateway: "Gateway") -> None:
        super().__init__(gateway)
        self._handler: Exchange | Splice | None = None
        self._decoder: BodyDecoder | None = None
        self._receiver: ChunkedReceiver | None = None
        self._take: tuple[Visit, str] | None = None
        self._head = RequestHead()
        self._processing = False
        self._reader = HeadReader(gateway.config.max_headers)
        self._visit: Visit | None = None
        self._began = 0.0

    # ---- the transport's side

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Asyncio callback."""
        self._gateway.clients.discard(self)
        self._give_back()
        self.deadline = FOREVER
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.client_gone()

    def pause_writing(self) -> None:
        """Asyncio callback: the client does not read fast enough."""
        self._writable = False
        self.deadline = self._gateway.now() + self._gateway.config.stream_idle_timeout
        if self._handler is not None:
            self._handler.client_slow(slow=True)

    def resume_writing(self) -> None:
        """Asyncio callback: it has caught up."""
        self._writable = True
        config = self._gateway.config
        if self._handler is not None:
            idle = FOREVER if isinstance(self._handler, Splice) else config.stream_idle_timeout
            self.deadline = self._gateway.now() + idle
            self._handler.client_slow(slow=False)
        elif self._state is State.HEAD:
            self.deadline = self._gateway.now() + config.keepalive_timeout
            self._process()

    def data_received(self, data: bytes) -> None:
        """Asyncio callback."""
        state = self._state
        if state is State.HEAD:
            self._ahead = self._ahead + data if self._ahead else data
            self._process()
        elif state is State.BODY:
            self._ahead = self._ahead + data if self._ahead else data
            self._read_body()
        elif state is State.BUSY:
            self._ahead += data
            if len(self._ahead) > _AHEAD:
                self.read_body(on=False)
        else:
            self._linger(len(data))

    def expired(self) -> None:
        """The deadline has passed."""
        if self._transport.is_closing() or not self._writable or self._state is State.LINGER:
            self.abort()
        elif self._state is State.HEAD and not self._ahead:
            self._transport.close()
            self.deadline = self._gateway.now() + LINGER_SECONDS
        elif self._state is not State.BUSY and not isinstance(self._handler, Splice):
            self.keep_alive = False
            self._state = State.BODY  # more may be on its way
            self.refuse(Refusal(408, "request_timeout", "The request did not arrive in time."), "")
        elif self._handler is not None:
            self._handler.timed_out()
        else:
            self.abort()

    # ---- heads

    def _process(self) -> None:
        """Answer what can be answered; returns when more bytes or an answer must come first."""
        if self._processing:
            return
        self._processing = True
        while self._state is State.HEAD and self._ahead and self._writable and not self._transport.is_closing():
            while self._ahead.startswith(b"\r\n"):  # RFC 9112, 2.2
                self._ahead = self._ahead[2:]
            limit = self._gateway.config.max_header_bytes
            end = self._ahead.find(b"\r\n\r\n", 0, limit + 4)
            if end < 0:
                self._wait_for_head(limit)
                break
            block, self._ahead = self._ahead[: end + 4], self._ahead[end + 4 :]
            self._began = time.perf_counter()
            self._on_head(self._reader.read(block))
        self._processing = False

    def _wait_for_head(self, limit: int) -> None:
        """Part of a head is there. What can be no head any more is refused without waiting for its end."""
        ahead = self._ahead
        if ahead in (b"", b"\r"):
            return
        if len(ahead) > limit:
            self._on_head(BadHead(431, f"the head is larger than {limit} bytes"))
        elif not (65 <= ahead[0] <= 90) or ahead.count(b"\n") != ahead.count(b"\r\n") or b"\0" in ahead:
            self._on_head(BadHead(400, "this is not HTTP/1.1"))
        elif not self._head_is_awaited():
            self.deadline = self._gateway.now() + self._gateway.config.header_timeout
            self._began = -1.0

    def _head_is_awaited(self) -> bool:
        return self._began < 0

    def _on_head(self, head: RequestHead | BadHead) -> None:
        self._began = max(0.0, self._began)
        if isinstance(head, BadHead):
            self.keep_alive = False
            self._ahead = b""
            self._state = State.BODY
            self.refuse(Refusal(head.status, "bad_request", f"The request cannot be read: {head.why}."), "")
            return
        self._head = head
        self.keep_alive = head.keep_alive and not self._gateway.stopping
        self.takes_chunks = head.version == (1, 1)
        self._decoder = ChunkedBody() if head.chunked else FixedBody(head.length)
        self._state = State.BODY
        request_id, visit = self._gateway.request_id(), self._visit
        if visit is not None and visit.holds(head, self._gateway.directory.generation):
            self._begin_body(visit, request_id)
        elif is_inference(head.path):
            self._inference(head, request_id)
        elif head.path in LOCAL_PATHS:
            status, kind, body = answer_local(self._gateway, head, request_id, lambda: self._address(head))
            self.answer(status, kind, body, request_id)
        elif head.target == b"*" or head.method == b"CONNECT":
            self.answer(204 if head.target == b"*" else 405, JSON, b"", request_id)
        else:
            self._splice(head, request_id)

    def _inference(self, head: RequestHead, request_id: str) -> None:
        row = find_row(head.path)
        if row is None:
            self.refuse(admit.NO_SUCH_PATH, request_id)
            return
        if head.method not in row.methods:
            allow = b"allow: %b\r\n" % row.allow
            if head.method == b"OPTIONS":
                self.answer(204, JSON, b"", request_id, allow)
            else:
                self.refuse(admit.WRONG_METHOD, request_id, allow)
            return
        caller = self._caller(head)
        if isinstance(caller, Refusal):
            self.refuse(caller, request_id)
        elif row.action is not Action.FORWARD:
            answer = answer_models(self._gateway, row, head.path, caller)
            if isinstance(answer, Refusal):
                self.refuse(answer, request_id)
            else:
                self.answer(200, JSON, answer, request_id)
        elif (refusal := admit.may_forward(head, caller)) is not None:
            self.refuse(refusal, request_id)
        else:
            generation = self._gateway.directory.generation
            self._visit = Visit(head, generation, row, caller, self._limit(row), trace_lines(head))
            self._begin_body(self._visit, request_id)

    def _caller(self, head: RequestHead) -> Caller | Refusal:
        directory, pepper = self._gateway.directory, self._gateway.pepper
        return authenticate(head, pepper, directory.keys, directory.sessions, time.time(), lambda: self._address(head))

    def _address(self, head: RequestHead) -> str:
        return self._gateway.address_of(self.peer, head)

    # ---- bodies

    def _begin_body(self, visit: Visit, request_id: str) -> None:
        """Take the body of an inference request, or refuse it before any of it is held."""
        head = visit.head
        if head.length > visit.limit:
            self.refuse(admit.too_large(visit.limit), request_id)
        elif head.chunked:
            self._take = (visit, request_id)
            self._receiver = ChunkedReceiver(visit.limit, self._gateway.budget)
            self._ask_for_body()
            self._read_body()
        elif not self._gateway.budget.reserve(head.length):
            self.refuse(admit.BUSY, request_id)
        else:
            self._take = (visit, request_id)
            self.reserved = head.length
            self._take_body_of(head.length)

    def _take_body_of(self, length: int) -> None:
        if len(self._ahead) >= length:
            body, self._ahead = self._ahead[:length], self._ahead[length:]
            self.received(body)
            return
        receiver = FixedReceiver(self, length, self._ahead)
        self._ask_for_body()
        self._ahead = b""
        self._transport.set_protocol(as_protocol(receiver))

    def _ask_for_body(self) -> None:
        self.body_came()
        if self._head.expects_continue and not self._ahead:
            self.write(_CONTINUE)

    def body_came(self) -> None:
        """Part of a body came: its sender has time again."""
        self.deadline = self._gateway.now() + self._gateway.config.body_idle_timeout

    def _read_body(self) -> None:
        """Body bytes of a chunked inference request, or of any request to the server."""
        data, self._ahead = self._ahead, b""
        if not data:
            return
        try:
            if self._receiver is not None:
                self._gather(self._receiver, data)
            elif isinstance(self._handler, Splice) and self._decoder is not None:
                payload, self._ahead = self._decoder.feed(data)
                self.body_came()
                if self._decoder.done:
                    self._state = State.BUSY
                    self.deadline = FOREVER
                self._handler.body(payload, done=self._decoder.done)
        except FramingError as error:
            self.keep_alive = False
            if isinstance(self._handler, Splice):
                self.abort()
            else:
                self.refuse(Refusal(400, "bad_request", f"The request cannot be read: {error}."), "")

    def _gather(self, receiver: ChunkedReceiver, data: bytes) -> None:
        self._ahead = receiver.feed(data)
        self.reserved = receiver.reserved
        self.body_came()
        if receiver.trouble:
            self.refuse(
                admit.too_large(receiver.limit) if receiver.trouble == "limit" else admit.BUSY, self._request_id()
            )
        elif receiver.done:
            self._receiver = None
            self.received(receiver.body)

    def _limit(self, row: Row) -> int:
        config = self._gateway.config
        return config.max_body_bytes if row.large_body else config.max_other_body_bytes

    def _request_id(self) -> str:
        return self._take[1] if self._take else ""

    def received(self, body: bytes | bytearray) -> None:
        """The whole body of an inference request is there."""
        if self._transport.get_protocol() is not self:
            self._transport.set_protocol(self)
        if self._take is None:
            return
        (visit, request_id), self._take = self._take, None
        self._gateway.metrics.received_bytes += len(body)
        self._state = State.BUSY
        row, caller = visit.row, visit.caller
        taken = take(self._gateway, row, caller, body, self._head.get(b"content-type"))
        if isinstance(taken, Refusal):
            self.refuse(taken, request_id)
            return
        if self._gateway.request_log is not None:
            self._gateway.request_log.note(request_id, taken.routes[0].model, body)
        self._handler = exchange = Exchange(self._gateway, self, row, self._head.path, caller, request_id)
        exchange.start(body, taken, visit.trace)

    def _splice(self, head: RequestHead, request_id: str) -> None:
        self.read_body(on=False)
        self._handler = splice = Splice(self._gateway, self, head, request_id)
        self.deadline = FOREVER
        self._gateway.spawn(splice.run())

    def take_body(self) -> None:
        """The server is connected: the body may come."""
        self.read_body(on=True)
        if self._decoder is None or self._decoder.done:
            self._state = State.BUSY
        else:
            self._ask_for_body()
            self._read_body()

    # ---- answers

    def refuse(self, refusal: Refusal, request_id: str, headers: bytes = b"") -> None:
        """Answer with an error in the endpoint's form."""
        if refusal.retry_after is not None:
            headers += b"retry-after: %d\r\n" % refusal.retry_after
        headers += refusal.headers
        if refusal.status == 401:
            headers += b'www-authenticate: Bearer realm="aimindserve"\r\n'
        if self._handler is None:
            self._gateway.metrics.refused[refusal.code, refusal.status] += 1
        row = find_row(self._head.path)
        body = envelope(refusal, row.errors if row else Form.OPENAI)
        self.answer(refusal.status, JSON, body, request_id or self._gateway.request_id(), headers)

    def refuse_with_problem(self, problem: Problem, head: RequestHead, request_id: str, retry_after: int) -> None:
        """Answer with a management error."""
        body = problem_body(problem, request_id, chinese=prefers_chinese(head.get(b"accept-language")))
        headers = b"retry-after: %d\r\n" % retry_after
        self.answer(problem.status, b"application/problem+json", body, request_id, headers)

    def answer(self, status: int, kind: bytes, body: bytes, request_id: str, headers: bytes = b"") -> None:
        """A whole answer. A request whose body is still to come costs the connection."""
        self._skip_body()
        overhead = round((time.perf_counter() - self._began) * 1e6) if self._began > 0 else 0
        headers += b"x-request-id: %b\r\nx-aimindserve-overhead-us: %d\r\n%b" % (
            request_id.encode(),
            max(0, overhead),
            self.connection_line(),
        )
        self.write(http_answer(status, kind, body, headers, with_body=self._head.method != b"HEAD"))
        self.finished()

    def _skip_body(self) -> None:
        """Leave out a body that nobody needs if it is there already, else the connection ends with this answer."""
        if self._state is not State.BODY or self._decoder is None or self._take is not None:
            self.keep_alive = self.keep_alive and self._state is not State.BODY
            return
        try:
            _, self._ahead = self._decoder.feed(self._ahead)
        except FramingError:
            self.keep_alive = False
        if not self._decoder.done:
            self.keep_alive = False
        else:
            self._state = State.BUSY

    def finished(self) -> None:
        """The answer is on its way; the next request may come."""
        self._handler = None
        self._give_back()
        unread = self._state is State.BODY
        self._decoder = self._receiver = self._take = None
        if self._transport.is_closing():
            return
        if not self.keep_alive:
            self._close(unread=unread)
            return
        self._state = State.HEAD
        self._began = 0.0
        if self._writable:
            self.deadline = self._gateway.now() + self._gateway.config.keepalive_timeout
        self.read_body(on=True)
        if self._ahead:
            self._process()
