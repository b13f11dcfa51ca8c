"""The content network of an emulated hub: another host, signed addresses, bytes by ranges, no accounts."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from aimindserve.sim.hub_faults import Fault
from aimindserve.sim.hub_files import HubFile
from aimindserve.sim.hub_huggingface import sign
from aimindserve.sim.hub_transfer import Asked, FileAnswer, Log

_DENIED = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'


@dataclass
class ContentNetwork:
    """Answers requests for files that a hub gave signed addresses of."""

    signed: dict[str, tuple[str, HubFile]]
    log: Log

    def paths(self, raw: str) -> tuple[str, ...]:
        """What a fault's pattern may match: the file's path in its repository, and the request's path."""
        name, _ = self.signed.get(raw, ("", None))
        return (name.split("/", 2)[-1], raw) if name else (raw,)

    def answer(self, request: Request, asked: Asked, fault: Fault | None) -> Any:
        """The answer to one request; an ASGI application."""
        if asked.path not in self.signed or parse_qs(asked.query).get("Signature") != [sign(asked.path)]:
            return Response(_DENIED, 403, media_type="application/xml")
        name, file = self.signed[asked.path]
        asked.file = name
        # Like S3: a checksum over parts, which is no digest of the file.
        headers = {"ETag": f'"{file.content.sha256[:32]}-7"', "Accept-Ranges": "bytes"}
        headers["Content-Type"] = "binary/octet-stream"
        return FileAnswer(file.content, headers, asked, self.log, fault, request.headers.get("if-range"))
