"""A host of pictures, and a gateway that may fetch from it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from tests.gateway.harness import MODEL, Rig, Seen, Upstreams, http, rig, route

from aimindserve.gateway.fetch import FetchLimits

Answers = dict[str, bytes]


@dataclass
class Scene:
    """``answers``: what the host says at each path, head and all. ``engine``: the one engine."""

    stage: Rig
    host: Upstreams
    engine: Upstreams
    answers: Answers

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.host.port}{path}"

    def put(self, path: str, picture: bytes, kind: str = "image/png") -> str:
        self.answers[path] = http(picture, kind=kind)
        return self.url(path)

    def limit(self, **limits: Any) -> None:
        self.stage.gateway.media.fetcher._limits = FetchLimits(**limits)


@contextlib.asynccontextmanager
async def scene(folder: Path, policy: str = "allowlist", **settings: Any) -> AsyncIterator[Scene]:
    answers: Answers = {}

    async def reply(seen: Seen, writer: asyncio.StreamWriter) -> bool:
        path = seen.head.split()[1].decode()
        writer.write(answers.get(path, http(b"", 404)))
        await writer.drain()
        return False

    host = await Upstreams(reply).start()
    hosts = (f"127.0.0.1:{host.port}",) if policy == "allowlist" else ()
    async with rig(folder, media_policy=policy, media_hosts=hosts, **settings) as stage:
        stage.upstreams.append(host)
        engine = await stage.engine()
        stage.serve(route(engine.port))
        yield Scene(stage, host, engine, answers)


def picture_part(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, "detail": "low"}}


def asking(*urls: str) -> bytes:
    """A chat request about pictures."""
    content = [{"type": "text", "text": "What is it?"}, *map(picture_part, urls)]
    return msgspec.json.encode({"model": MODEL, "messages": [{"role": "user", "content": content}], "seed": 2**63})


def pictures_in(body: bytes) -> list[str]:
    """The addresses in a chat request."""
    content = msgspec.json.decode(body)["messages"][0]["content"]
    return [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
