"""Answers of an emulated hub as bytes on the wire: files by ranges, and everything that can go wrong with them."""

import asyncio
import re
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from aimindserve.sim.hub_faults import Fault
from aimindserve.sim.hub_files import Content

TRANSPORT = "aimindserve.transport"
_CHUNK = 256 << 10
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_PORTAL = "<!doctype html><html><title>Sign in to the network</title><body>Please sign in.</body></html>"
_REFUSED = "http://127.0.0.1:9/refused"  # the port "discard": nobody listens there


@dataclass
class Asked:
    """One request as the emulator saw it. ``file``: ``repository/path`` where it was for a file's bytes; ``sent``:
    bytes of the body so far; ``authorization``: whether that header came along."""

    side: str
    method: str
    path: str
    query: str
    authorization: bool
    range: str | None = None
    file: str | None = None
    status: int = 0
    sent: int = 0
    fault: str | None = None


@dataclass
class Log:
    """All requests in order, and the bytes of bodies by file."""

    requests: list[Asked] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)

    def count(self, asked: Asked, size: int) -> None:
        """More bytes of a body went out."""
        asked.sent += size
        if asked.file:
            self.sent[asked.file] += size

    def clear(self) -> None:
        """Forget everything so far."""
        self.requests.clear()
        self.sent.clear()


@dataclass(frozen=True)
class _Plan:
    """``start``, ``stop``: the part of the content that is sent; ``zeros``: bytes after it."""

    status: int
    headers: Mapping[str, str]
    start: int
    stop: int
    zeros: int = 0


def plan(content: Content, headers: Mapping[str, str], asked_range: str | None, if_range: str | None) -> _Plan:
    """What a server that does it right sends of ``content``."""
    size = content.size
    found = _RANGE.fullmatch(asked_range or "")
    if found is None or not any(found.groups()) or (if_range and if_range != headers.get("ETag")):
        return _Plan(200, {**headers, "Content-Length": str(size)}, 0, size)
    first, last = found.groups()
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if start >= size or stop <= start:
        return _Plan(416, {**headers, "Content-Range": f"bytes */{size}", "Content-Length": "0"}, 0, 0)
    part = {"Content-Range": f"bytes {start}-{stop - 1}/{size}", "Content-Length": str(stop - start)}
    return _Plan(206, {**headers, **part}, start, stop)


def spoil(fair: _Plan, fault: Fault, content: Content) -> _Plan:
    """``fair`` with the faults of heads and lengths; those of time and place are done while sending."""
    length = fair.stop - fair.start
    if fault.kind == "no-range" and fair.status == 206:
        headers = {name: value for name, value in fair.headers.items() if name != "Content-Range"}
        return _Plan(200, {**headers, "Content-Length": str(content.size)}, 0, content.size)
    if fault.kind == "wrong-content-range" and fair.status == 206:
        start, stop = fair.start + fault.by, min(content.size, fair.stop + fault.by)
        told = {"Content-Range": f"bytes {start}-{stop - 1}/{content.size}", "Content-Length": str(stop - start)}
        return replace(fair, headers={**fair.headers, **told}, start=start, stop=stop)
    if fault.kind == "short-length":
        left = max(0, length - fault.by)
        return replace(fair, headers={**fair.headers, "Content-Length": str(left)}, stop=fair.start + left)
    if fault.kind == "long-length":
        return replace(fair, headers={**fair.headers, "Content-Length": str(length + fault.by)}, zeros=fault.by)
    if fault.kind == "etag":
        return replace(fair, headers={**fair.headers, "ETag": f'"changed-{fault.hits}"'})
    return fair


async def _pieces(content: Content, what: _Plan, fault: Fault | None) -> AsyncIterator[bytes]:
    step = max(1, min(_CHUNK, fault.rate // 20)) if fault and fault.kind == "slow" else _CHUNK
    wrong = fault.at if fault and fault.kind == "wrong-bytes" else -1
    for offset in range(what.start, what.stop, step):
        piece = await asyncio.to_thread(content.read, offset, min(step, what.stop - offset))
        if offset <= wrong < offset + len(piece):
            changed = bytearray(piece)
            changed[wrong - offset] ^= 0xFF
            piece = bytes(changed)
        yield piece
        if fault and fault.kind == "slow":
            await asyncio.sleep(step / fault.rate)
    if what.zeros:
        yield bytes(what.zeros)


def reset(transport: Any) -> None:
    """End the connection with a TCP reset."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


@dataclass
class FileAnswer:
    """An ASGI answer with (a part of) a file's bytes."""

    content: Content
    headers: Mapping[str, str]
    asked: Asked
    log: Log
    fault: Fault | None = None
    if_range: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        what = plan(self.content, self.headers, self.asked.range, self.if_range)
        fault = self.fault
        if fault is not None:
            what = spoil(what, fault, self.content)
        self.asked.status = what.status
        transport = scope[TRANSPORT]
        if fault and fault.kind == "reset" and fault.at == 0:
            reset(transport)
            return
        if fault and fault.kind == "no-length" and scope["method"] == "GET":
            await self._without_length(transport, what)
            return
        raw = [(name.lower().encode(), value.encode()) for name, value in what.headers.items()]
        await send({"type": "http.response.start", "status": what.status, "headers": raw})
        if scope["method"] != "HEAD":
            await self._body(what, receive, send, transport)
        await send({"type": "http.response.body", "body": b""})

    async def _body(self, what: _Plan, receive: Receive, send: Send, transport: Any) -> None:
        fault = self.fault
        left = fault.at if fault and fault.kind in {"cut", "reset", "stall"} else None
        transport.set_write_buffer_limits(None if left is None else 0)
        async for piece in _pieces(self.content, what, fault):
            part = piece if left is None else piece[:left]
            if part:
                # Counted first: a test may ask as soon as the client has the last byte.
                self.log.count(self.asked, len(part))
                await send({"type": "http.response.body", "body": part, "more_body": True})
            if left is None:
                continue
            left -= len(part)
            if left == 0 and fault is not None:
                # Waits until what was written is gone: a reset would overtake it.
                await send({"type": "http.response.body", "body": b"", "more_body": True})
                _end(fault.kind, transport)
                await _gone(receive)
                return

    async def _without_length(self, transport: Any, what: _Plan) -> None:
        told = {name: value for name, value in what.headers.items() if name != "Content-Length"}
        lines = [f"HTTP/1.1 {what.status} OK", *(f"{name}: {value}" for name, value in told.items())]
        transport.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        async for piece in _pieces(self.content, what, None):
            self.log.count(self.asked, len(piece))
            transport.write(piece)
        transport.close()


def _end(kind: str, transport: Any) -> None:
    if kind == "cut":
        transport.close()
    elif kind == "reset":
        reset(transport)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Reset(Response):
    """No answer at all: the connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Ends the connection."""
        reset(scope[TRANSPORT])


class Silence(Response):
    """No answer until the client leaves."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Waits."""
        await _gone(receive)


def whole_fault(fault: Fault | None, url: str, limits: Mapping[str, str]) -> Response | None:
    """The answer that stands in the place of the whole right one; None where the fault is in a file's bytes.

    ``url``: the request's; ``limits``: headers of an exhausted quota.
    """
    if fault is None:
        return None
    if fault.kind == "status":
        headers = dict(limits) if fault.status == 429 else {}
        if fault.retry_after is not None:
            headers["Retry-After"] = f"{fault.retry_after:g}"
        return JSONResponse({"error": "as ordered"}, fault.status, headers)
    if fault.kind == "html":
        return HTMLResponse(_PORTAL)
    if fault.kind == "redirect-loop":
        return RedirectResponse(url, 302)
    if fault.kind == "redirect-refused":
        return RedirectResponse(_REFUSED, 302)
    if fault.kind == "expired":
        return Response("<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", 403)
    return None
