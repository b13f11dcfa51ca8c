"""A small HTTP/1.1 reader and writer on asyncio streams: only what an engine needs, with faults on order."""

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus

MAX_HEAD, MAX_BODY = 1 << 16, 1 << 30


class BadRequestError(ValueError):
    """Bytes that are no HTTP request."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names in lower case, the last of equal ones wins. ``raw_head`` as it came."""

    method: str
    target: str
    version: str
    headers: dict[str, str]
    body: bytes
    raw_head: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def keep_alive(self) -> bool:
        """Whether the client wants to go on with this connection."""
        asked = self.headers.get("connection", "").lower()
        return asked == "keep-alive" if self.version == "HTTP/1.0" else asked != "close"


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """The next request; None when the client has gone.

    Raises:
        BadRequestError: for malformed bytes.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequestError("head too large") from error
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequestError("no request line")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if line and (not colon or name != name.strip()):
            raise BadRequestError("no header line")
        headers[name.lower()] = value.strip()
    headers.pop("", None)
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        body = await _read_body(reader, headers)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return Request(words[0], words[1], words[2], headers, body, head)


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    try:
        length = int(headers.get("content-length", "0"))
    except ValueError as error:
        raise BadRequestError("content-length") from error
    if not 0 <= length <= MAX_BODY:
        raise BadRequestError("content-length")
    return await reader.readexactly(length)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    while True:
        line = await reader.readline()
        try:
            size = int(line.split(b";")[0].strip(), 16)
        except ValueError as error:
            raise BadRequestError("chunk size") from error
        if size == 0:
            break
        parts.append(await reader.readexactly(size))
        if await reader.readexactly(2) != b"\r\n":
            raise BadRequestError("chunk end")
    while (await reader.readline()).strip():
        pass
    return b"".join(parts)


class Answer:
    """Writes one answer. ``framing``: length, chunked, or close (the end of the connection ends the body).

    ``dribble`` > 0 cuts everything into pieces of that many bytes, each sent on its own.
    """

    def __init__(
        self,
        writer: asyncio.StreamWriter,
        request: Request,
        *,
        framing: str = "",
        connection: str = "keep-alive",
        dribble: int = 0,
    ) -> None:
        self._writer, self._request, self._dribble = writer, request, dribble
        self._framing, self._connection = framing, connection
        self.closes = connection == "close" or framing == "close" or not request.keep_alive
        self._chunked = False

    async def _send(self, data: bytes) -> None:
        step = self._dribble or len(data) or 1
        for start in range(0, len(data), step):
            self._writer.write(data[start : start + step])
            await self._writer.drain()
            if self._dribble:
                await asyncio.sleep(0)

    async def start(self, status: int, kind: str, length: int | None) -> None:
        """The head. ``length`` None: unknown, so chunked unless the framing is ``close``."""
        lines = [f"HTTP/1.1 {status} {_phrase(status)}", "Server: llama.cpp", f"Content-Type: {kind}"]
        old = self._request.version == "HTTP/1.0"
        self._chunked = not old and (self._framing == "chunked" or (length is None and self._framing != "close"))
        if self._chunked:
            lines.append("Transfer-Encoding: chunked")
        elif length is not None and self._framing != "close":
            lines.append(f"Content-Length: {length}")
        else:
            self.closes = True
        lines.append("Connection: close" if self.closes else "Connection: keep-alive")
        await self._send("\r\n".join([*lines, "", ""]).encode())

    @property
    def request_id(self) -> str:
        """What the caller named the request."""
        return self._request.headers.get("x-request-id", "")

    async def write(self, data: bytes) -> None:
        """A piece of the body."""
        if data and self._request.method != "HEAD":
            await self._send(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    async def end(self) -> None:
        """The end of the body."""
        if self._chunked and self._request.method != "HEAD":
            await self._send(b"0\r\n\r\n")

    async def raw(self, data: bytes) -> None:
        """Bytes outside of any framing."""
        await self._send(data)

    async def json(self, body: object, status: int = 200) -> None:
        """A whole answer."""
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        await self.whole(data, "application/json; charset=utf-8", status)

    async def whole(self, data: bytes, kind: str, status: int = 200) -> None:
        """A whole answer of any kind."""
        await self.start(status, kind, len(data))
        await self.write(data)
        await self.end()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
