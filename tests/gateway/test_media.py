"""Pictures by address: fetched by the gateway, made anew, put into the request. The engine gets no address, ever."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import psutil
import pytest
import pytest_asyncio
from PIL import Image
from tests.gateway.harness import PATIENCE, http, post, route, table, until
from tests.gateway.picture_host import Scene, asking, pictures_in, scene
from tests.gateway.pictures import real, shell, uri
from tests.gateway.test_process import fake_engine, free_port, running, settings
from tests.support.certificates import self_signed

from aimindserve.domain.addresses import media_rules
from aimindserve.gateway.budget import BodyBudget, Held
from aimindserve.gateway.fetch import Fetcher, FetchError
from aimindserve.gateway.media import KEPT_SECONDS, Cache
from aimindserve.gateway.reencode import Decoders, UndecodableError
from aimindserve.gateway.table import save_table


@pytest_asyncio.fixture
async def open_scene(folder: Path) -> AsyncIterator[Scene]:
    async with scene(folder) as made:
        yield made


def decoded(url: str) -> Image.Image:
    head, _, text = url.partition(",")
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    return Image.open(io.BytesIO(base64.b64decode(text, validate=True)))


EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0" + b"secret place" * 9  # turned by 90 degrees
KINDS = [
    ("PNG", "RGB", "image/png", {}, "RGB"),
    ("PNG", "RGBA", "image/png", {}, "RGBA"),
    ("PNG", "P", "application/octet-stream", {}, "RGB"),
    ("PNG", "I;16", "image/x-anything", {}, "I;16"),
    ("JPEG", "RGB", "image/jpeg", {}, "RGB"),
    ("JPEG", "CMYK", "image/jpeg", {}, "RGB"),
    ("JPEG", "L", "image/jpeg", {}, "L"),
    ("WEBP", "RGB", "image/webp", {}, "RGB"),
    ("WEBP", "RGBA", "image/webp; charset=x", {}, "RGB"),  # the encoder leaves out alpha where nothing shines through
    ("GIF", "RGB", "image/gif", {}, "RGB"),
]


@pytest.mark.parametrize(("kind", "mode", "media", "options", "becomes"), KINDS)
async def test_a_picture_is_fetched_and_made_anew(
    open_scene: Scene, kind: str, mode: str, media: str, options: dict[str, object], becomes: str
) -> None:
    url = open_scene.put("/a", real(kind, (64, 48), mode, **options), media)
    answer = await open_scene.stage.ask(post(asking(url)))
    assert answer.status == 200, answer.body
    (sent,) = pictures_in(open_scene.engine.seen[0].body)
    picture = decoded(sent)
    assert (picture.size, picture.mode) == ((64, 48), becomes)
    asked, got = msgspec.json.decode(asking(url)), msgspec.json.decode(open_scene.engine.seen[0].body)
    got["messages"][0]["content"][1]["image_url"]["url"] = url
    assert got == asked
    assert open_scene.stage.gateway.budget.held == 0


async def test_nothing_of_the_original_passes_and_it_stands_upright(open_scene: Scene) -> None:
    original = real("JPEG", (64, 48), exif=EXIF, icc_profile=b"profile" * 99, comment=b"a comment")
    await open_scene.stage.ask(post(asking(open_scene.put("/a", original, "image/jpeg"))))
    (sent,) = pictures_in(open_scene.engine.seen[0].body)
    made = base64.b64decode(sent.partition(",")[2])
    assert not any(word in made for word in (b"secret", b"profile", b"comment", b"Exif"))
    assert decoded(sent).size == (48, 64)


async def test_the_other_forms_of_requests(open_scene: Scene) -> None:
    url, other = open_scene.put("/a", real()), open_scene.put("/b", real("JPEG"), "image/jpeg")
    given = [
        {"role": "user", "content": [{"type": "input_image", "image_url": url}, {"type": "input_text", "text": url}]}
    ]
    body = msgspec.json.encode({"model": "tiny", "input": given})
    assert (await open_scene.stage.ask(post(body, "/v1/responses"))).status == 200
    sent = msgspec.json.decode(open_scene.engine.seen[0].body)["input"][0]["content"]
    assert decoded(sent[0]["image_url"]).size == (64, 48)
    assert sent[1]["text"] == url
    source = {"type": "image", "source": {"type": "url", "url": other}}
    result = {"type": "tool_result", "tool_use_id": "x", "content": [source]}
    body = msgspec.json.encode({"model": "tiny", "messages": [{"role": "user", "content": [source, result]}]})
    assert (await open_scene.stage.ask(post(body, "/v1/messages"))).status == 200
    sent = msgspec.json.decode(open_scene.engine.seen[1].body)["messages"][0]["content"]
    for part in (sent[0], sent[1]["content"][0]):
        assert part["source"]["type"] == "base64"
        assert decoded(f"data:{part['source']['media_type']};base64,{part['source']['data']}").size == (64, 48)


async def test_a_stream_with_pictures_of_both_kinds(open_scene: Scene) -> None:
    inline = uri(shell(3000))
    body = msgspec.json.decode(asking(inline, open_scene.put("/a", real()), inline))
    answer = await open_scene.stage.ask(post(msgspec.json.encode({**body, "stream": True})))
    assert answer.status == 200
    sent = msgspec.json.decode(open_scene.engine.seen[0].body)
    assert sent["stream_options"] == {"include_usage": True}
    urls = pictures_in(open_scene.engine.seen[0].body)
    assert (urls[0], urls[2]) == (inline, inline)
    assert decoded(urls[1]).size == (64, 48)


async def test_an_address_is_fetched_once_a_minute(open_scene: Scene) -> None:
    now = [0.0]
    open_scene.stage.gateway.media.cache = Cache(lambda: now[0])
    url = open_scene.put("/a", real())
    for _ in range(3):
        assert (await open_scene.stage.ask(post(asking(url, url)))).status == 200
    assert len(open_scene.host.seen) == 1
    now[0] = KEPT_SECONDS + 1
    assert (await open_scene.stage.ask(post(asking(url)))).status == 200
    assert len(open_scene.host.seen) == 2
    assert open_scene.stage.gateway.media.counts == {"fetched": 2, "cached": 2, "refused": 0}


def test_the_cache_is_bounded() -> None:
    now = [0.0]
    cache = Cache(lambda: now[0], most_bytes=1000)
    for place in range(50):
        cache.keep(f"u{place}", bytes([place]), ("image/png", "x" * 100))
        assert cache.bytes <= 1000
    assert cache.at("u49") == ("image/png", "x" * 100)
    assert cache.at("u0") is None
    cache.keep("large", b"large", ("image/png", "x" * 501))
    assert cache.at("large") is None
    now[0] = KEPT_SECONDS
    assert cache.at("u49") is None
    assert cache.of(b"x") is None
    assert cache.bytes == 0


PICTURE = real()
FAILING = {
    "/missing": http(b"", 404),
    "/text": http(PICTURE, kind="text/html"),
    "/no-type": b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx",
    "/compressed": http(PICTURE, kind="image/png", extra="content-encoding: gzip\r\n"),
    "/cut": http(PICTURE, kind="image/png")[:-5],
    "/cut-chunked": b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "/too-large": b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 30000000\r\n\r\n" + PICTURE,
    "/no-http": b"hello\r\n\r\n",
    "/endless-head": b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000,
    "/broken-chunks": b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    "/partial": http(PICTURE, 206, kind="image/png"),
    "/undecodable": http(shell(5000), kind="image/png"),
    "/loop": b"HTTP/1.1 302 X\r\nlocation: /loop\r\ncontent-length: 0\r\n\r\n",
    "/nowhere": b"HTTP/1.1 302 X\r\ncontent-length: 0\r\n\r\n",
    "/to-file": b"HTTP/1.1 302 X\r\nlocation: file:///etc/passwd\r\ncontent-length: 0\r\n\r\n",
    "/to-another": b"HTTP/1.1 302 X\r\nlocation: http://127.0.0.2/\r\ncontent-length: 0\r\n\r\n",
    "/odd-location": b"HTTP/1.1 302 X\r\nlocation: \xff\xfe\r\ncontent-length: 0\r\n\r\n",
}


@pytest.mark.parametrize("path", sorted(FAILING))
async def test_every_failure_is_told_in_the_same_words(open_scene: Scene, path: str) -> None:
    open_scene.answers.update(FAILING)
    answer = await open_scene.stage.ask(post(asking(open_scene.url(path))))
    assert (answer.status, answer.error["code"]) == (400, "image_not_fetched")
    other = await open_scene.stage.ask(post(asking("http://127.0.0.3/secret")))
    assert answer.error["message"].replace(open_scene.url(path), "") == other.error["message"].replace(
        "http://127.0.0.3/secret", ""
    )
    assert not open_scene.engine.seen
    assert open_scene.stage.gateway.budget.held == 0


async def test_redirects_are_followed_three_times(open_scene: Scene) -> None:
    for step in range(5):
        location = f"/{step + 1}" if step % 2 else open_scene.url(f"/{step + 1}")
        open_scene.answers[f"/{step}"] = f"HTTP/1.1 302 X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n".encode()
    open_scene.put("/5", PICTURE)
    assert (await open_scene.stage.ask(post(asking(open_scene.url("/2"))))).status == 200
    assert (await open_scene.stage.ask(post(asking(open_scene.url("/1"))))).status == 400


async def test_what_takes_too_long_is_given_up(open_scene: Scene) -> None:
    open_scene.limit(total=0.2)
    gate = asyncio.Event()

    async def never(seen: object, writer: asyncio.StreamWriter) -> bool:
        writer.write(http(PICTURE, kind="image/png")[:-1])
        await gate.wait()
        return False

    open_scene.host.reply = never
    answer = await open_scene.stage.ask(post(asking(open_scene.url("/a"))))
    gate.set()
    assert (answer.status, answer.error["code"]) == (400, "image_not_fetched")


async def test_without_memory_nothing_is_fetched(folder: Path) -> None:
    async with scene(folder, body_budget_bytes=2000) as small:
        url = small.put("/a", shell(5000))
        assert (await small.stage.ask(post(asking(url)))).status == 400
        assert small.stage.gateway.budget.held == 0


async def test_pictures_that_are_too_large_together(folder: Path) -> None:
    async with scene(folder, max_body_bytes=4000) as small:
        noise = Image.frombytes("RGB", (64, 48), os.urandom(64 * 48 * 3))
        into = io.BytesIO()
        noise.save(into, "PNG")
        answer = await small.stage.ask(post(asking(small.put("/a", into.getvalue()))))
        assert (answer.status, answer.error["code"]) == (413, "body_too_large")
        assert not small.engine.seen


async def test_the_policy_off(folder: Path) -> None:
    async with scene(folder, "off") as closed:
        url = closed.put("/a", PICTURE)
        answer = await closed.stage.ask(post(asking(url)))
        assert (answer.status, answer.error["code"]) == (400, "image_url_not_supported")
        assert (closed.host.connections, closed.engine.connections) == (0, 0)
        assert (await closed.stage.ask(post(asking(uri(shell()))))).status == 200


async def test_a_client_that_leaves_meanwhile(open_scene: Scene) -> None:
    gate = asyncio.Event()

    async def late(seen: object, writer: asyncio.StreamWriter) -> bool:
        await gate.wait()
        writer.write(http(PICTURE, kind="image/png"))
        return False

    open_scene.host.reply = late
    client = await open_scene.stage.connect()
    client.send(post(asking(open_scene.url("/a"))))
    await until(lambda: open_scene.host.seen)
    client.close()
    gateway = open_scene.stage.gateway
    await until(lambda: not gateway.clients)
    gate.set()
    await until(lambda: gateway.media.counts["fetched"])
    await until(lambda: not gateway.media._running)
    assert gateway.budget.held == 0
    assert not open_scene.engine.seen
    assert [one.status for one in gateway.outbox.next_batch().records] == [499]  # type: ignore[union-attr]


async def test_the_number_of_pictures_is_the_deployments(open_scene: Scene) -> None:
    open_scene.stage.serve(route(open_scene.engine.port, images=2))
    for count, status in ((2, 200), (3, 400)):
        answer = await open_scene.stage.ask(post(asking(*[uri(shell())] * count)))
        assert answer.status == status
    assert answer.error["code"] == "too_many_images"
    open_scene.stage.serve(route(open_scene.engine.port, images=12))
    assert (await open_scene.stage.ask(post(asking(*[uri(shell())] * 12)))).status == 200
    assert (await open_scene.stage.ask(post(asking(*[uri(shell())] * 13)))).status == 400


# ---- the decoders


async def test_decoders_that_hang_or_die_are_replaced() -> None:
    async with asyncio.TaskGroup() as tasks:
        decoders = Decoders(tasks.create_task, children=1, patience=30.0)
        assert (await decoders.reencode(PICTURE))[0] == "image/png"
        (process,) = decoders.processes
        with pytest.raises(UndecodableError):
            await decoders.reencode(shell(5000))
        assert decoders.processes == [process]  # what cannot be decoded costs no process
        os.kill(process, signal.SIGSTOP)
        decoders._patience = 0.2
        with pytest.raises(UndecodableError):
            await decoders.reencode(PICTURE)
        decoders._patience = 30.0
        assert (await decoders.reencode(PICTURE))[0] == "image/png"
        assert decoders.processes != [process]
        decoders.end_idle()
        assert decoders.processes == []
        await decoders.close()


async def test_a_decoder_has_little_memory_and_time() -> None:
    """A picture of the most pixels that pass is decoded within it."""
    async with asyncio.TaskGroup() as tasks:
        decoders = Decoders(tasks.create_task, patience=60.0)
        kind, text = await decoders.reencode(real("JPEG", (8000, 4900)))
        assert kind == "image/jpeg"
        assert decoded(f"data:{kind};base64,{text.decode()}").size == (8000, 4900)
        limits = await asyncio.to_thread(Path(f"/proc/{decoders.processes[0]}/limits").read_text)
        await decoders.close()
    values = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()}
    assert values["Max address space"] == str(512 * 1024**2)
    assert int(values["Max cpu time"]) < 20
    assert values["Max file size"] == values["Max core file size"] == "0"


def test_the_gateway_itself_has_no_decoder() -> None:
    code = "import aimindserve.gateway.app, sys; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- TLS


async def test_the_name_that_was_asked_for_is_checked(tmp_path: Path) -> None:
    certificate, key = self_signed("pictures.test", tmp_path)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate, key)

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http(PICTURE, kind="image/png"))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0, ssl=server_side)
    port = server.sockets[0].getsockname()[1]

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    fetcher = Fetcher(media_rules("allowlist", [f"*.test:{port}", f"127.0.0.1:{port}"]), resolve=resolve)
    fetcher._tls = ssl.create_default_context(cafile=str(certificate))
    held = Held(BodyBudget(10**6))
    assert await fetcher.fetch(f"https://pictures.test:{port}/a", held) == PICTURE
    with pytest.raises(FetchError):
        await fetcher.fetch(f"https://others.test:{port}/a", held)
    server.close()
    await server.wait_closed()


def test_a_gateway_that_ends_waits_for_no_picture_and_leaves_no_decoder(folder: Path) -> None:
    """One picture was decoded, the next one's host never answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    host, port, engine = listener.getsockname()[1], free_port(), free_port()
    save_table(folder / "routing-table.json", table(route(engine, model="m")))
    allowed = {"media_policy": "allowlist", "media_hosts": [f"127.0.0.1:{host}"], "drain_seconds": 0.2}
    with listener, fake_engine(folder, engine), running(settings(folder, port, **allowed), port) as process:
        url = f"http://127.0.0.1:{host}/a"
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(post(asking(url, f"{url}2").replace(b'"tiny"', b'"m"')))
            first, _ = listener.accept()
            with first:
                assert first.recv(65_536).startswith(b"GET /a HTTP/1.1\r\n")
                first.sendall(http(PICTURE, kind="image/png"))
            second, _ = listener.accept()
            decoders = psutil.Process(process.pid).children()
            assert len(decoders) == 1
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
            second.close()
        psutil.wait_procs(decoders, PATIENCE)
        assert not any(one.is_running() for one in decoders)
