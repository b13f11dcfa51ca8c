"""Addresses that lead inwards, however they are written: nobody there ever hears of it. And hostile pictures, by every
way into a request: none reaches an engine."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.harness import MODEL, Rig, Seen, Upstreams, post
from tests.gateway.hostile import HOSTILE
from tests.gateway.picture_host import asking, scene
from tests.gateway.pictures import uri

from aimindserve.domain.addresses import MediaRules
from aimindserve.gateway.fetch import Fetcher, FetchLimits

# One host each: this machine, the inner networks, the metadata of clouds, and all that carries such an address in it.
HOSTS = [
    "127.0.0.1", "127.0.0.2", "127.255.255.254", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1",
    "0177.0.0.1", "017700000001", "127.000.000.001", "127.0.0.1.", "0", "0.0.0.0", "00.0.0.0", "[::1]", "[::]",
    "[0::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "[2001:0:7f00:1::1]", "[fe80::1]", "[fe80::1%25lo]", "[fc00::1]", "[fd00:ec2::254]", "localhost",
    "LOCALHOST", "localhost.", "a.localhost", "①②⑦.⓪.⓪.①", "127。0。0。1", "127%2e0%2e0%2e1", "%31%32%37.0.0.1",
    "169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "10.0.0.1", "172.16.0.1", "192.168.0.1",
    "100.64.0.1", "198.18.0.1", "224.0.0.1", "inner.test", "both.test", "mapped.test", "six.test", "metadata.test",
]  # fmt: skip
NAMES = {
    "localhost": ["127.0.0.1", "::1"],
    "a.localhost": ["127.0.0.1"],
    "inner.test": ["127.0.0.1"],
    "both.test": ["8.8.8.8", "127.0.0.1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "six.test": ["::1"],
    "metadata.test": ["169.254.169.254"],
}
SHAPES = [
    "http://{host}:{port}/a.png",
    "https://{host}:{port}/a.png?x=.png#y",
    "HTTP://{host}:{port}",
    "http://example.com@{host}:{port}/a.png",
    "http://{host}:{port}\\@example.com/a.png",
    "http://example.com\\@{host}:{port}/a.png",
]
URLS = [shape.format(host=host, port="{port}") for host in HOSTS for shape in SHAPES]


async def canary(stage: Rig, host: str) -> Upstreams | None:
    """Listens where nobody should come."""

    async def reply(seen: Seen, writer: object) -> bool:
        return False

    listener = Upstreams(reply)
    try:
        listener.server = await asyncio.start_server(listener.on_connection, host, 0)
    except OSError:
        return None
    listener.port = listener.server.sockets[0].getsockname()[1]
    stage.upstreams.append(listener)
    return listener


async def resolve(host: str, port: int) -> list[str]:
    if host not in NAMES:
        raise OSError("no such name")
    return NAMES[host]


async def test_300_addresses_that_lead_inwards(folder: Path) -> None:
    assert len(URLS) >= 300
    async with scene(folder, "public") as place:
        canaries = [found for host in ("127.0.0.1", "::1") if (found := await canary(place.stage, host))]
        # Every port is open here, so that it is the addresses alone that decide.
        rules = MediaRules(ports=frozenset(range(65_536)))
        place.stage.gateway.media.fetcher = Fetcher(rules, FetchLimits(connect=1.0, total=5.0), resolve)
        for listener in canaries:
            for url in URLS:
                answer = await place.stage.ask(post(asking(url.replace("{port}", str(listener.port)))))
                assert answer.status == 400, url
                assert answer.error["code"] in ("image_not_fetched", "image_url_not_supported"), url
        assert [listener.connections for listener in canaries] == [0] * len(canaries)
        assert place.engine.connections == 0


async def test_a_redirect_leads_inwards_no_more_than_an_address_does(folder: Path) -> None:
    async with scene(folder) as place:
        listener = await canary(place.stage, "127.0.0.1")
        assert listener is not None
        place.stage.gateway.media.fetcher = Fetcher(place.stage.gateway.media.rules, resolve=resolve)
        for number, url in enumerate(URLS[::2]):
            there = url.replace("{port}", str(listener.port)).encode()
            place.answers[f"/{number}"] = b"HTTP/1.1 302 X\r\nlocation: %b\r\ncontent-length: 0\r\n\r\n" % there
            answer = await place.stage.ask(post(asking(place.url(f"/{number}"))))
            assert (answer.status, answer.error["code"]) == (400, "image_not_fetched"), url
        assert len(place.host.seen) == len(URLS[::2])
        assert (listener.connections, place.engine.connections) == (0, 0)


async def test_a_name_that_changes_its_address_is_asked_once_and_connected_where_it_was_checked(folder: Path) -> None:
    async with scene(folder, "public") as place:
        listener = await canary(place.stage, "127.0.0.1")
        assert listener is not None
        asked: list[str] = []

        async def rebind(host: str, port: int) -> list[str]:
            asked.append(host)
            return ["240.0.0.1"] if len(asked) > 1 else ["8.8.8.8"]

        rules = MediaRules(ports=frozenset({listener.port}))
        place.stage.gateway.media.fetcher = Fetcher(rules, FetchLimits(connect=0.2, total=1.0), rebind)
        answer = await place.stage.ask(post(asking(f"http://changing.test:{listener.port}/a.png")))
        assert answer.status == 400
        assert (asked, listener.connections) == (["changing.test"], 0)


async def test_other_ports_are_not_scanned(folder: Path) -> None:
    async with scene(folder, "public") as place:
        place.stage.gateway.media.fetcher = Fetcher(MediaRules(), resolve=resolve)
        for port in (22, 25, 6379, 8080, 81, 444):
            assert (await place.stage.ask(post(asking(f"http://both.test:{port}/")))).status == 400


# ---- hostile pictures


def as_uri(picture: bytes) -> tuple[str, bytes]:
    return "/v1/chat/completions", asking(uri(picture))


def with_escapes(picture: bytes) -> tuple[str, bytes]:
    return "/v1/chat/completions", asking(uri(picture)).replace(b"/", rb"\/").replace(b"A", rb"\u0041")


def as_source(picture: bytes) -> tuple[str, bytes]:
    data = base64.b64encode(picture).decode()
    part: dict[str, Any] = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    body = {"model": MODEL, "max_tokens": 5, "messages": [{"role": "user", "content": [part]}]}
    return "/v1/messages", msgspec.json.encode(body)


@pytest.mark.parametrize("way", [as_uri, with_escapes, as_source])
async def test_hostile_pictures_inside_a_request(folder: Path, way: Any) -> None:
    assert len(HOSTILE) >= 120
    async with scene(folder) as place:
        for name, picture in HOSTILE.items():
            path, body = way(picture)
            answer = await place.stage.ask(post(body, path))
            assert answer.status == 400, name
            assert answer.error["code"].startswith("image_"), name
        assert place.engine.connections == 0


async def test_hostile_pictures_by_address(folder: Path) -> None:
    async with scene(folder) as place:
        for number, (name, picture) in enumerate(HOSTILE.items()):
            answer = await place.stage.ask(post(asking(place.put(f"/{number}", picture))))
            assert answer.status == 400, name
        assert place.engine.connections == 0
        assert place.stage.gateway.media.decoders.processes == []  # their headers were enough
        assert place.stage.gateway.budget.held == 0
