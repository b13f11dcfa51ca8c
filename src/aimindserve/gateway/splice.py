"""Everything that is not inference: passed to the management server over its Unix socket, both ways at once.

One connection for each request keeps this simple: a kept one would save some 50 µs of requests that take
milliseconds. Nothing is gathered; whoever is slower sets the pace.
"""

import asyncio
from typing import TYPE_CHECKING

from aimindserve.gateway.answers import AnswerHead, Relay
from aimindserve.gateway.errors import SERVER_DOWN
from aimindserve.gateway.framing import LAST_CHUNK, FramingError, as_chunk
from aimindserve.gateway.heads import RequestHead
from aimindserve.gateway.upstream import CONNECT_TIMEOUT, Upstream

if TYPE_CHECKING:
    from aimindserve.gateway.context import Gateway
    from aimindserve.gateway.protocol import ClientConnection

# Between two neighbours only (RFC 9110, 7.6.1), or ours to say.
_NOT_PASSED_ON = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization", b"te", b"trailer", b"upgrade",
        b"transfer-encoding", b"content-length", b"expect", b"http2-settings", b"x-request-id", b"forwarded",
        b"x-real-ip",
    }
)  # fmt: skip
_FORWARDED = b"x-forwarded-"


def server_head(head: RequestHead, peer: str, scheme: str, request_id: str) -> bytes:
    """The request's head as the server gets it."""
    named = {
        option.strip() for name, value in head.headers if name == b"connection" for option in value.lower().split(b",")
    }
    lines = [b"%b %b HTTP/1.1" % (head.method, head.target)]
    lines += [
        b"%b: %b" % (name, value)
        for name, value in head.headers
        if name not in _NOT_PASSED_ON and name not in named - {b"host"} and not name.startswith(_FORWARDED)
    ]
    if head.get(b"host") is None:
        lines.append(b"host: localhost")
    if head.chunked:
        lines.append(b"transfer-encoding: chunked")
    elif head.get(b"content-length") is not None:
        lines.append(b"content-length: %d" % head.length)
    lines += [
        b"x-forwarded-for: " + peer.encode(),
        b"x-forwarded-proto: " + scheme.encode(),
        b"x-request-id: " + request_id.encode(),
        b"connection: close",
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


class Splice:
    """One request to the server and its answer."""

    __slots__ = ("_answered", "_body_done", "_client", "_gateway", "_head", "_over", "_relay", "_server", "request_id")

    def __init__(self, gateway: "Gateway", client: "ClientConnection", head: RequestHead, request_id: str) -> None:
        self._gateway = gateway
        self._client = client
        self._head = head
        self._server: Upstream | None = None
        self._relay: Relay | None = None
        self._answered = False
        self._over = False
        self._body_done = not head.chunked and head.length == 0
        self.request_id = request_id

    async def run(self) -> None:
        """Connect and send the head; the rest follows from callbacks."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                _, server = await self._gateway.loop.create_unix_connection(
                    Upstream, self._gateway.config.server_socket
                )
        except OSError:
            if not self._over:
                self._finish(SERVER_DOWN.status)
                self._client.refuse_with_problem(SERVER_DOWN, self._head, self.request_id, retry_after=1)
            return
        if self._over:
            server.transport.abort()
            return
        self._server = server
        server.begin(self, to_head=self._head.method == b"HEAD")
        scheme = self._gateway.config.scheme
        address = self._gateway.address_of(self._client.peer, self._head)
        server.transport.write(server_head(self._head, address, scheme, self.request_id))
        self._client.take_body()

    # ---- from the client

    def body(self, payload: bytes, *, done: bool) -> None:
        """Part of the request's body."""
        server = self._server
        if server is None:
            return  # the server answered before the end of the body; the rest is of no interest
        if self._head.chunked:
            payload = as_chunk(payload) + LAST_CHUNK if done else as_chunk(payload)
        if payload:
            server.transport.write(payload)
        self._body_done = self._body_done or done

    def client_gone(self) -> None:
        """The client closed."""
        if not self._over:
            self._finish(499)

    def client_slow(self, *, slow: bool) -> None:
        """The client does not read, or reads again."""
        if self._server is not None:
            if slow:
                self._server.transport.pause_reading()
            else:
                self._server.transport.resume_reading()

    def timed_out(self) -> None:
        """Only a client that does not go on sending its body meets a limit here."""
        self._finish(408)
        self._client.abort()

    # ---- from the server

    def answer_head(self, head: AnswerHead, rest: bytes) -> None:
        """See ``Owner``."""
        client = self._client
        chunked = head.length is None and client.takes_chunks and not head.decoder.done
        self._relay = Relay(head.decoder, chunked=chunked)
        self._answered = True
        if not self._body_done:
            client.keep_alive = False
        lines = [b"HTTP/1.1 %d %b" % (head.status, head.phrase)]
        lines += [b"%b: %b" % (name, value) for name, value in head.headers if name != b"x-request-id"]
        lines.append(b"x-request-id: " + self.request_id.encode())
        if head.length is not None:
            lines.append(b"content-length: %d" % head.length)
        elif chunked:
            lines.append(b"transfer-encoding: chunked")
        elif not head.decoder.done:
            client.keep_alive = False
        client.write(b"\r\n".join(lines) + b"\r\n" + client.connection_line() + b"\r\n")
        self._gateway.metrics.requests["server", "", head.status] += 1
        self.answer_data(rest)

    def answer_data(self, data: bytes) -> None:
        """See ``Owner``."""
        relay = self._relay
        if relay is None:
            return
        try:
            out = relay.feed(data) if data or not relay.done else b""
        except FramingError:
            self.upstream_broken()
            return
        if out:
            self._client.write(out)
        if relay.done:
            self._finish(None)
            self._client.finished()

    def upstream_lost(self, *, stale: bool) -> None:  # noqa: ARG002
        """See ``Owner``."""
        self._server = None
        last = self._relay.closed() if self._relay is not None else None
        if last is not None:
            self._client.write(last)
            self._finish(None)
            self._client.finished()
        else:
            self.upstream_broken()

    def upstream_broken(self) -> None:
        """See ``Owner``."""
        if self._over:
            return
        self._finish(None if self._answered else SERVER_DOWN.status)
        if self._answered:
            self._client.abort()
        else:
            self._client.refuse_with_problem(SERVER_DOWN, self._head, self.request_id, retry_after=1)

    def upstream_writable(self, *, writable: bool) -> None:
        """See ``Owner``."""
        self._client.read_body(on=writable)

    def _finish(self, status: int | None) -> None:
        self._over = True
        if status is not None:
            self._gateway.metrics.requests["server", "", status] += 1
        server, self._server = self._server, None
        if server is not None:
            server.drop()
