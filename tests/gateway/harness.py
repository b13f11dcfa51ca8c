"""A gateway in the test's own event loop, with engines and a server whose every byte a test decides."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from aimindserve.domain.routing import Alias, Endpoint, KeyGrant, Route, RouteState, RoutingTable, SessionGrant
from aimindserve.gateway.app import watch_deadlines
from aimindserve.gateway.config import GatewayConfig
from aimindserve.gateway.context import Gateway
from aimindserve.gateway.listening import listen
from aimindserve.gateway.protocol import ClientConnection

PEPPER = b"p" * 32
KEY = "sk-abcdefghijkl-" + "x" * 43
LIMITED_KEY = "sk-limitedlimit-" + "y" * 43
METRICS_KEY = "sk-metricsmetri-" + "m" * 43
EXPIRED_KEY = "sk-expiredexpir-" + "e" * 43
SESSION = "session-token"
FRESH_SESSION = "session-with-the-initial-password"
MODEL = "tiny"
PATIENCE = 30.0


def digest(token: str) -> str:
    """As the server stores it."""
    return hmac.new(PEPPER, token.encode(), hashlib.sha256).hexdigest()


def table(*routes: Route, version: int = 1, aliases: tuple[Alias, ...] = ()) -> RoutingTable:
    """A table with the test's keys and these routes."""
    keys = (
        KeyGrant("abcdefghijkl", digest(KEY), "user-1", ("inference",)),
        KeyGrant("limitedlimit", digest(LIMITED_KEY), "user-2", ("inference",), models=("other",)),
        KeyGrant("metricsmetri", digest(METRICS_KEY), "user-1", ("metrics",)),
        KeyGrant("expiredexpir", digest(EXPIRED_KEY), "user-1", ("inference",), expires_at=1000.0),
    )
    sessions = (
        SessionGrant(digest(SESSION), "user-1", 4e9),
        SessionGrant(digest(FRESH_SESSION), "user-1", 4e9, must_change_password=True),
    )
    return RoutingTable(version, routes, keys, sessions, aliases=aliases)


def route(
    *ports: int, model: str = MODEL, state: RouteState = RouteState.READY, engine: str = "", **more: Any
) -> Route:
    """A route to engines on these loopback ports."""
    endpoints = tuple(Endpoint(f"r{port}", "127.0.0.1", port, "engine-secret", engine) for port in ports)
    return Route(model, f"d-{model}", state, endpoints, **more)


@dataclass
class Seen:
    """One request as an engine or the server got it."""

    head: bytes
    body: bytes
    reader: asyncio.StreamReader | None = None

    @property
    def gone(self) -> bool:
        """Whether the other side has closed."""
        reader = self.reader
        return reader is not None and (reader.at_eof() or reader.exception() is not None)

    def header(self, name: str) -> str | None:
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.encode():
                return value.strip().decode()
        return None


Reply = Callable[[Seen, asyncio.StreamWriter], Awaitable[bool | None]]


async def read_message(reader: asyncio.StreamReader) -> Seen | None:
    """One request, None at the end of the connection. Chunks are put together."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    seen = Seen(head, b"", reader)
    if seen.header("transfer-encoding") == "chunked":
        while size := int((await reader.readline()).strip(), 16):
            seen.body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    else:
        seen.body = await reader.readexactly(int(seen.header("content-length") or 0))
    return seen


@dataclass
class Upstreams:
    """A listening engine or server: ``reply`` writes what a test wants; returning False closes the connection."""

    reply: Reply
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    closed: int = 0
    port: int = 0
    server: asyncio.Server | None = None
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def on_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while (seen := await read_message(reader)) is not None:
                self.seen.append(seen)
                if await self.reply(seen, writer) is False:
                    break
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass  # cut off within a request, perhaps within a chunk's size
        finally:
            self.closed += 1
            writer.close()

    async def start(self, unix: str | None = None) -> Upstreams:
        if unix:
            self.server = await asyncio.start_unix_server(self.on_connection, unix)
        else:
            self.server = await asyncio.start_server(self.on_connection, "127.0.0.1", 0)
            self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        if self.server:
            self.server.close()
        for writer in self.writers:
            writer.transport.abort()


def http(body: bytes, status: int = 200, kind: str = "application/json", extra: str = "") -> bytes:
    """An answer with a length."""
    return f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{extra}\r\n".encode() + body


COMPLETION = msgspec.json.encode(
    {
        "id": "c",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": 'a "usage":{ in text'}}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    }
)


async def complete(seen: Seen, writer: asyncio.StreamWriter) -> None:
    """A plain answer."""
    writer.write(http(COMPLETION))


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(content: str) -> bytes:
    return b"data: " + msgspec.json.encode({"choices": [{"index": 0, "delta": {"content": content}}]}) + b"\n\n"


USAGE_EVENT = b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}\n\n'
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def streaming(tokens: int = 3, *, die_after: int | None = None) -> Reply:
    """Answers with a stream; the usage only for those who ask. ``die_after`` tokens the connection is cut."""

    async def reply(seen: Seen, writer: asyncio.StreamWriter) -> bool | None:
        writer.write(STREAM_HEAD)
        for number in range(tokens):
            if number == die_after:
                await writer.drain()
                writer.transport.abort()
                return False
            writer.write(chunk(event(f"t{number} ")))
        if b'"include_usage":true' in seen.body.replace(b" ", b""):
            writer.write(chunk(USAGE_EVENT))
        writer.write(chunk(DONE) + b"0\r\n\r\n")
        return None

    return reply


@dataclass
class Rig:
    """A running gateway with its surroundings."""

    gateway: Gateway
    port: int
    run: Path
    upstreams: list[Upstreams] = field(default_factory=list)

    async def engine(self, reply: Reply = complete) -> Upstreams:
        upstream = await Upstreams(reply).start()
        self.upstreams.append(upstream)
        return upstream

    async def server(self, reply: Reply) -> Upstreams:
        upstream = await Upstreams(reply).start(self.gateway.config.server_socket)
        self.upstreams.append(upstream)
        return upstream

    def serve(self, *routes: Route, version: int = 1, aliases: tuple[Alias, ...] = ()) -> None:
        self.gateway.apply(table(*routes, version=version, aliases=aliases))

    async def connect(self, ahead: int = 1 << 26) -> Client:
        """``ahead``: bytes that the client takes without being asked to read."""
        return Client(*await asyncio.open_connection("127.0.0.1", self.port, limit=ahead))

    async def ask(self, raw: bytes) -> Answer:
        """Send ``raw`` over a connection of its own; its first answer."""
        client = await self.connect()
        client.send(raw)
        try:
            return await client.answer()
        finally:
            client.close()


@dataclass
class Answer:
    """One answer, dechunked."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        return msgspec.json.decode(self.body)["error"]


class Client:
    """A raw HTTP client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, raw: bytes) -> None:
        self.writer.write(raw)

    async def head(self) -> tuple[int, dict[str, str]]:
        block = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        lines = block.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines[1:] if line)
        return int(lines[0].split()[1]), {name.lower(): value.strip() for name, _, value in pairs}

    async def answer(self, *, to_head: bool = False) -> Answer:
        status, headers = await self.head()
        if status == 100:
            return Answer(100, headers, b"")
        if to_head or status in (204, 304):
            return Answer(status, headers, b"")
        return Answer(status, headers, await asyncio.wait_for(self._body(headers), PATIENCE))

    async def _body(self, headers: dict[str, str]) -> bytes:
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        if headers.get("transfer-encoding") == "chunked":
            pieces: list[bytes] = []
            while size := int((await self.reader.readline()).strip(), 16):
                pieces.append((await self.reader.readexactly(size + 2))[:-2])
            assert await self.reader.readline() == b"\r\n"
            return b"".join(pieces)
        return await self.reader.read()

    async def rest(self) -> bytes:
        """Everything until the connection ends."""
        try:
            return await asyncio.wait_for(self.reader.read(), PATIENCE)
        except ConnectionError:
            return b""

    def close(self) -> None:
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def rig(folder: Path, **settings: Any) -> AsyncIterator[Rig]:
    """A gateway on a free port. ``folder``: a short path for its sockets and files."""
    (folder / "keys").mkdir(parents=True, exist_ok=True)
    (folder / "keys" / "pepper").write_bytes(PEPPER)
    values = {"host": "127.0.0.1", "port": 0, "data_dir": str(folder), "run_dir": str(folder), "media_policy": "off"}
    values |= settings
    config = msgspec.convert(values, GatewayConfig)
    loop = asyncio.get_running_loop()
    listener = listen(config.host, config.port)
    async with asyncio.TaskGroup() as tasks:
        gateway = Gateway(config, loop, tasks)
        gateway.apply(table())
        server = await loop.create_server(lambda: ClientConnection(gateway), sock=listener)
        watch = tasks.create_task(watch_deadlines(gateway, 0.02))
        stage = Rig(gateway, listener.getsockname()[1], folder)
        try:
            yield stage
        finally:
            watch.cancel()
            server.close()
            await gateway.media.close()
            for client in list(gateway.clients):
                client.abort()
            for upstream in stage.upstreams:
                await upstream.stop()


async def until(condition: Callable[[], object]) -> None:
    """Waits until ``condition`` holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def post(
    body: bytes, path: str = "/v1/chat/completions", key: str | None = KEY, headers: str = "", length: int | None = None
) -> bytes:
    """A request with a body."""
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    size = len(body) if length is None else length
    head = f"POST {path} HTTP/1.1\r\nHost: gw\r\n{authorization}{headers}Content-Length: {size}\r\n\r\n"
    return head.encode() + body


def get(path: str, key: str | None = KEY, method: str = "GET", headers: str = "") -> bytes:
    """A request without a body."""
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    return f"{method} {path} HTTP/1.1\r\nHost: gw\r\n{authorization}{headers}\r\n".encode()


def chat(model: str = MODEL, **more: Any) -> bytes:
    """A chat request's body."""
    return msgspec.json.encode({"model": model, "messages": [{"role": "user", "content": "hello"}], **more})


def short_folder() -> str:
    """Unix socket addresses are short, test folders are not."""
    return os.environ.get("TMPDIR", "/tmp")
