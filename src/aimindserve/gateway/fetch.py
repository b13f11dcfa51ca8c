"""Fetching a picture from an address that somebody named: only where the rules allow it, only so much, only so long.

Each hop of a redirect is parsed, looked up and checked like the first. No cookies, no credentials, no proxy (through
one nobody could say where the connection ends).
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aimindserve.domain.addresses import (
    Address,
    AddressError,
    IpAddress,
    MediaRules,
    parse_address,
    read_ip,
    redirected,
)
from aimindserve.gateway.answers import LONGEST_HEAD, AnswerHead, parse_answer_head
from aimindserve.gateway.budget import Held
from aimindserve.gateway.framing import FramingError, UntilClose

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_READ = 65_536
_ADDRESSES_TRIED = 4
# Stores of objects often say nothing of their content.
_TYPES = (b"image/", b"application/octet-stream", b"binary/octet-stream")

Resolve = Callable[[str, int], Awaitable[list[str]]]


class FetchError(Exception):
    """It was not fetched. The message is for the administrator alone: it would tell a stranger about our network."""


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Bytes and seconds."""

    bytes: int = 20 * 1024**2
    connect: float = 5.0
    total: float = 10.0
    redirects: int = 3


async def look_up(host: str, port: int) -> list[str]:
    """The system's resolver, in a thread.

    Raises:
        OSError: it does not know the name.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Fetcher:
    """Fetches under ``rules``. ``resolve``: (host, port) → IP addresses."""

    def __init__(self, rules: MediaRules, limits: FetchLimits | None = None, resolve: Resolve = look_up) -> None:
        self.rules = rules
        self._limits = limits or FetchLimits()
        self._resolve = resolve
        self._tls: ssl.SSLContext | None = None

    async def fetch(self, url: str, held: Held) -> bytearray:
        """The bytes at ``url``; ``held`` is asked for each of them.

        Raises:
            FetchError: the rules do not allow it, or it failed.
        """
        try:
            async with asyncio.timeout(self._limits.total):
                address = parse_address(url)
                for _ in range(self._limits.redirects + 1):
                    answer = await self._get(address, held)
                    if isinstance(answer, bytearray):
                        return answer
                    address = redirected(address, answer)
        except TimeoutError as error:
            raise FetchError("too slow") from error
        except (AddressError, FramingError) as error:
            raise FetchError(str(error)) from error
        except (OSError, ValueError, EOFError, asyncio.LimitOverrunError) as error:
            raise FetchError(type(error).__name__) from error
        raise FetchError("too many redirects")

    async def _get(self, address: Address, held: Held) -> bytearray | str:
        """The body, or where a redirect leads."""
        self.rules.check_host(address)
        ips = await self._addresses(address)
        self.rules.check_ips(address, ips)
        reader, writer = await self._connect(address, ips)
        try:
            writer.write(_request(address))
            head = await _read_head(reader)
            if head.status in _REDIRECTS:
                location = next((value for name, value in head.headers if name == b"location"), b"")
                return location.decode("ascii")
            return await self._body(reader, head, held)
        finally:
            writer.transport.abort()

    async def _addresses(self, address: Address) -> list[IpAddress]:
        if address.ip is not None:
            return [address.ip]
        return [read_ip(text) for text in dict.fromkeys(await self._resolve(address.host, address.port))]

    async def _connect(
        self, address: Address, ips: list[IpAddress]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To an address that was checked, under the name that was asked for."""
        tls = await self._context() if address.scheme == "https" else None
        name = address.host if tls else None
        failed: OSError = OSError("no address")
        for ip in ips[:_ADDRESSES_TRIED]:
            try:
                async with asyncio.timeout(self._limits.connect):
                    return await asyncio.open_connection(
                        str(ip), address.port, ssl=tls, server_hostname=name, limit=LONGEST_HEAD
                    )
            except OSError as error:
                failed = error
        raise failed

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return self._tls

    async def _body(self, reader: asyncio.StreamReader, head: AnswerHead, held: Held) -> bytearray:
        if head.status != 200:
            raise FetchError(f"status {head.status}")
        if not head.content_type.lower().startswith(_TYPES):
            raise FetchError("not a picture")
        if any(name == b"content-encoding" and value.lower() != b"identity" for name, value in head.headers):
            raise FetchError("compressed")
        body = bytearray()
        while not head.decoder.done:
            data = await reader.read(_READ)
            if not data:
                if isinstance(head.decoder, UntilClose):
                    break
                raise FetchError("cut off")
            body += head.decoder.feed(data)[0]
            if len(body) > self._limits.bytes or (head.length or 0) > self._limits.bytes:
                raise FetchError("too large")
            if not held.grow(len(body)):
                raise FetchError("no memory left")
        return body


def _request(address: Address) -> bytes:
    lines = (
        f"GET {address.target} HTTP/1.1",
        f"host: {address.authority}",
        "user-agent: aiMindServe",
        "accept: image/webp, image/png, image/jpeg, image/gif, image/*;q=0.5",
        "accept-encoding: identity",
        "connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


async def _read_head(reader: asyncio.StreamReader) -> AnswerHead:
    for _ in range(3):  # an interim answer may come first
        head = parse_answer_head((await reader.readuntil(b"\r\n\r\n"))[:-4])
        if head.status >= 200:
            return head
    raise FramingError("no answer")
