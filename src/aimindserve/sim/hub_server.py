"""An emulated hub as listeners: in this process (a thread with its own loop), for tests and for the command."""

import asyncio
import json
import socket
import threading
from collections import Counter
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import parse_qs

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from aimindserve.sim.hub_cdn import Addresses, ContentNetwork
from aimindserve.sim.hub_faults import Fault, Faults
from aimindserve.sim.hub_huggingface import HuggingFace, limits
from aimindserve.sim.hub_modelscope import ModelScope
from aimindserve.sim.hub_repositories import Catalogue
from aimindserve.sim.hub_transfer import TRANSPORT, Asked, Log, Reset, Silence, whole_fault

_STOP_SECONDS = 10


class _Side(Protocol):
    """One listener's answers."""

    def paths(self, raw: str, query: str) -> tuple[str, ...]: ...
    def answer(self, request: Request, asked: Asked, fault: Fault | None) -> Any: ...


class _WithTransport:
    """Tells the application the connection it answers on, so that it can break it."""

    def __init__(self, app: Any, transport: asyncio.Transport) -> None:
        self._app = app
        self._transport = transport

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[TRANSPORT] = self._transport
        await self._app(scope, receive, send)


class _HttpProtocol(H11Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.app = _WithTransport(self.app, transport)


class _App:
    """Counts a request, takes its fault, and lets the side answer in a thread (digests take time)."""

    def __init__(self, side: str, what: _Side, faults: Faults, log: Log) -> None:
        self._side = side
        self._what = what
        self._faults = faults
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        asked = Asked(
            self._side,
            request.method,
            scope["raw_path"].decode(),
            request.url.query,
            authorization="authorization" in request.headers,
            range=request.headers.get("range"),
        )
        self._log.requests.append(asked)
        body = (await request.body()).decode("utf-8", "replace")
        is_json = request.headers.get("content-type", "").startswith("application/json")
        request.state.json = _read(body) if is_json else {}
        request.state.form = {} if is_json else parse_qs(body)
        fault = self._faults.take(
            "cdn" if self._side == "cdn" else "hub", request.method, self._what.paths(asked.path, asked.query)
        )
        asked.fault = fault.kind if fault else None
        answer = await run_in_threadpool(self._decide, request, asked, fault)
        asked.status = getattr(answer, "status_code", 0)
        await answer(scope, receive, send)

    def _decide(self, request: Request, asked: Asked, fault: Fault | None) -> Any:
        quota = "resolvers" if "/resolve/" in asked.path else "api"
        wait = int(fault.retry_after or 1) if fault else 1
        whole = whole_fault(fault, str(request.url), limits(quota, 0, wait))
        if whole is not None:
            return whole
        answer = self._what.answer(request, asked, fault)
        if fault and asked.file is None and fault.kind in {"reset", "stall"}:
            return Reset() if fault.kind == "reset" else Silence()
        return answer


class FakeHub:
    """Emulated hubs on free ports of this machine, for as long as the ``with`` block lasts.

    ``page``: most entries of one page of a listing. ``faults`` and ``catalogue`` may be changed at any time.
    ``endpoint``: value for ``HF_ENDPOINT``; ``modelscope_endpoint``: for ``MODELSCOPE_ENDPOINT``. The content network
    has another host name and port. ``port``: the first of three in a row; 0 for any free ones.
    """

    def __init__(self, catalogue: Catalogue, *, page: int = 1000, host: str = "127.0.0.1", port: int = 0) -> None:
        self.catalogue = catalogue
        self.faults = Faults()
        self.log = Log()
        self._page = page
        self._host = host
        self._port = port
        self._servers: list[uvicorn.Server] = []
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        hub, modelscope, cdn = (_listen(self._host, self._port and self._port + step) for step in range(3))
        self.endpoint = f"http://{self._host}:{hub.getsockname()[1]}"
        # Another name for the same machine: clients must take it for another host.
        cdn_name = "localhost" if self._host == "127.0.0.1" else self._host
        self.cdn_endpoint = f"http://{cdn_name}:{cdn.getsockname()[1]}"
        self.modelscope_endpoint = f"http://{self._host}:{modelscope.getsockname()[1]}"
        addresses = Addresses(self.cdn_endpoint)
        sides: list[tuple[str, _Side, socket.socket]] = [
            ("hub", HuggingFace(self.catalogue, self.log, addresses, self._page), hub),
            ("modelscope", ModelScope(self.catalogue, self.log, addresses), modelscope),
            ("cdn", ContentNetwork(addresses, self.log), cdn),
        ]
        started: list[tuple[uvicorn.Server, socket.socket]] = []
        for name, side, listener in sides:
            config = uvicorn.Config(
                _App(name, side, self.faults, self.log),
                http=_HttpProtocol,
                ws="none",
                lifespan="off",
                log_config=None,  # logging belongs to the whole process, and so to whoever runs this in it
                access_log=False,
                server_header=False,
            )
            started.append((uvicorn.Server(config), listener))
        self._servers = [server for server, _ in started]
        self._thread = threading.Thread(target=lambda: asyncio.run(_serve(started)), name="fake-hub", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.should_exit = server.force_exit = True
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    @property
    def cdn_log(self) -> list[Asked]:
        """Requests that reached the content network."""
        return [asked for asked in self.log.requests if asked.side == "cdn"]

    @property
    def sent(self) -> Counter[str]:
        """Bytes of bodies by ``repository/path``, from all listeners."""
        return self.log.sent


def _read(body: str) -> dict[str, Any]:
    try:
        told = json.loads(body or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(256)
    return listener


async def _serve(started: list[tuple[uvicorn.Server, socket.socket]]) -> None:
    async with asyncio.TaskGroup() as group:
        for server, listener in started:
            group.create_task(server.serve(sockets=[listener]))
