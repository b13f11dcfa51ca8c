"""The content network of an emulated hub: another host, signed addresses, bytes by ranges, no accounts."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from aimindserve.sim.hub_faults import Fault
from aimindserve.sim.hub_files import HubFile
from aimindserve.sim.hub_transfer import Asked, FileAnswer, Log

_DENIED = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'


@dataclass
class Addresses:
    """Signed addresses given out so far; they work for as long as the emulator runs. ``base``: the network's."""

    base: str
    given: dict[str, tuple[str, HubFile]] = field(default_factory=dict)

    def give(self, repository: str, file: HubFile) -> str:
        """An address of a file's bytes."""
        number = hashlib.sha256(f"{repository}/{file.path}".encode()).hexdigest()
        path = f"/repos/{number[:2]}/{number[2:4]}/{number}/{file.content.sha256}"
        self.given[path] = (f"{repository}/{file.path}", file)
        query = {
            "response-content-disposition": disposition(file.path),
            "Expires": "4102444800",
            "Signature": _sign(path),
            "Key-Pair-Id": "K24J24Z295AEI9",
        }
        return f"{self.base}{path}?{urlencode(query)}"


def _sign(path: str) -> str:
    """The key is no secret, it only tells given addresses from invented ones."""
    return hmac.new(b"fake hub", path.encode(), hashlib.sha256).hexdigest()[:32]


def disposition(path: str) -> str:
    """The header that names a download."""
    name = quote(path.rpartition("/")[2])
    return f"inline; filename*=UTF-8''{name}; filename=\"{name}\";"


@dataclass
class ContentNetwork:
    """Answers requests for files that a hub gave signed addresses of."""

    addresses: Addresses
    log: Log

    def paths(self, raw: str, query: str) -> tuple[str, ...]:  # noqa: ARG002
        """What a fault's pattern may match: the file's path in its repository, and the request's path."""
        name, _ = self.addresses.given.get(raw, ("", None))
        return (name.split("/", 2)[-1], name, raw) if name else (raw,)

    def answer(self, request: Request, asked: Asked, fault: Fault | None) -> Any:
        """The answer to one request; an ASGI application."""
        if asked.path not in self.addresses.given or parse_qs(asked.query).get("Signature") != [_sign(asked.path)]:
            return Response(_DENIED, 403, media_type="application/xml")
        asked.file, file = self.addresses.given[asked.path]
        headers = {
            # Like S3: a checksum over parts, which is no digest of the file.
            "ETag": f'"{file.content.sha256[:32]}-7"',
            "X-Linked-ETag": f'"{file.content.sha256}"',
            "Accept-Ranges": "bytes",
            "Content-Type": "binary/octet-stream",
        }
        return FileAnswer(file.content, headers, asked, self.log, fault, request.headers.get("if-range"))
