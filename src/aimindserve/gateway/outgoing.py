"""A request's way into an engine's connection: its head, and its body a slice at a time."""

from aimindserve.domain.routing import Endpoint
from aimindserve.gateway.body import BodyView, renamed
from aimindserve.gateway.endpoints import Body, Row
from aimindserve.gateway.forms import renamed_form
from aimindserve.gateway.upstream import Upstream

_SLICE = 262_144  # bytes of a large body handed to the transport at once


class Outgoing:
    """One request's bytes. It can be sent more than once, until ``let_go``."""

    __slots__ = (
        "_content_type", "_cut", "_engine", "_kept", "_length", "_path", "_place", "_request_id", "_row", "_suffix",
        "body", "done", "trace", "view",
    )  # fmt: skip

    def __init__(
        self,
        row: Row,
        path: str,
        request_id: str,
        body: bytes | bytearray,
        view: BodyView,
        trace: bytes = b"",
        model: str | None = None,
    ) -> None:
        """``model``: the name for the engine, where it is not the one in the body."""
        self.trace = trace
        self._row = row
        self._path = path
        self.view = view
        self._content_type = view.content_type
        self._request_id = request_id.encode()
        self._cut, self._suffix = view.cut, view.suffix
        if model is not None and model != view.model:
            if row.body is Body.FORM:
                body = renamed_form(body, view, model)
            else:
                self._cut, self._suffix = renamed(body, view, model)
        self.body: bytes | bytearray = body
        self._kept = len(body) - self._cut
        self._length = self._kept + len(self._suffix)
        self._place = 0
        self._engine: Upstream | None = None
        self.done = False

    def send(self, engine: Upstream, endpoint: Endpoint) -> None:
        """Send all of it, or as much as the connection takes now; ``go_on`` sends the rest."""
        head = (
            b"POST %b HTTP/1.1\r\nhost: %b:%d\r\ncontent-type: %b\r\ncontent-length: %d\r\nx-request-id: %b\r\n%b%b\r\n"
        ) % (
            self._path_on(endpoint.engine).encode(),
            endpoint.host.encode(),
            endpoint.port,
            self._content_type,
            self._length,
            self._request_id,
            self.trace,
            b"authorization: Bearer %b\r\n" % endpoint.engine_key.encode() if endpoint.engine_key else b"",
        )
        self._engine, self._place, self.done = engine, 0, False
        if self._kept <= _SLICE:
            body = self.body[: self._kept] if self._cut else self.body
            engine.transport.write(b"%b%b%b" % (head, body, self._suffix))
            self.done = True
            return
        engine.transport.write(head)
        self.go_on()

    def _path_on(self, engine: str) -> str:
        row = self._row
        return self._path if row.paths is None else row.path_on(engine, self._path) or self._path

    def go_on(self) -> None:
        """Hand over more, as long as the connection takes it."""
        engine = self._engine
        if engine is None or self.done:
            return
        with memoryview(self.body) as whole:
            while engine.writable and self._place < self._kept:
                end = min(self._kept, self._place + _SLICE)
                engine.transport.write(bytes(whole[self._place : end]))
                self._place = end
        if self._place == self._kept:
            engine.transport.write(self._suffix)
            self.done = True

    def let_go(self) -> None:
        """Nothing of it is needed any more."""
        self.body = b""
        self._engine = None
        self.done = True
