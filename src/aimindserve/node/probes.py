"""Whether an engine serves."""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any, cast

from aimindserve.engines._base import Probe

_MOST_BYTES = 1 << 20


Answer = tuple[int, bytes]
"""Status and body."""


async def exchange(
    host: str,
    port: int,
    path: str,
    key: str,
    seconds: float,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer | None:
    """The answer to a GET, or to a POST of ``body``; None when nobody answers in time or what answers is not HTTP."""
    try:
        async with asyncio.timeout(seconds):
            return await _exchange(host, port, _head(host, port, path, key, body, headers or {}) + (body or b""))
    except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None


def _head(host: str, port: int, path: str, key: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
    method = "GET" if body is None else "POST"
    head = [f"{method} {path} HTTP/1.1", f"host: {host}:{port}", "connection: close", "accept: application/json"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    if key:
        head.append(f"authorization: Bearer {key}")
    if body is not None:
        head.append(f"content-length: {len(body)}")
    return ("\r\n".join(head) + "\r\n\r\n").encode("ascii")


async def _exchange(host: str, port: int, request: bytes) -> Answer:
    reader, writer = await asyncio.open_connection(host, port, limit=_MOST_BYTES)
    try:
        writer.write(request)
        await writer.drain()
        answer = await _read_answer(reader)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return answer


async def _read_answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    version, status, *_ = head[0].split(" ")
    if not version.startswith("HTTP/"):
        raise ValueError("not HTTP")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    if "chunked" in fields.get("transfer-encoding", ""):
        return int(status), await _read_chunks(reader)
    if "content-length" in fields:
        return int(status), await reader.readexactly(min(int(fields["content-length"]), _MOST_BYTES))
    return int(status), await reader.read(_MOST_BYTES)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while len(body) < _MOST_BYTES:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        if size == 0:
            break
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    return body


async def is_healthy(probe: Probe, host: str, port: int, key: str, seconds: float) -> bool:
    """Whether the health page says 200."""
    answer = await exchange(host, port, probe.health, key, seconds)
    return answer is not None and answer[0] == 200


async def serves(probe: Probe, host: str, port: int, key: str, alias: str, seconds: float) -> bool:
    """Whether the list of models answers with the key and names ``alias``: it is our engine and not another program
    that took the port."""
    answer = await exchange(host, port, probe.models, key, seconds)
    if answer is None or answer[0] != 200:
        return False
    with contextlib.suppress(ValueError):
        return alias in _model_names(json.loads(answer[1]))
    return False


def _model_names(document: Any) -> set[str]:
    """Ids and aliases of OpenAI's list of models."""
    items: Any = cast("Mapping[str, Any]", document).get("data") if isinstance(document, Mapping) else None
    names: set[str] = set()
    for item in cast("list[Any]", items) if isinstance(items, list) else []:
        if isinstance(item, Mapping):
            entry = cast("Mapping[str, Any]", item)
            aliases: Any = entry.get("aliases")
            names.add(str(entry.get("id")))
            names.update(str(name) for name in (cast("list[Any]", aliases) if isinstance(aliases, list) else []))
    return names
