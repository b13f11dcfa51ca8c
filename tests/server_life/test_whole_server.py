"""The server with everything that runs beside it: this machine's node, real processes, an emulated engine."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from tests.server.fixtures import WAIT_SECONDS, client_of, local_key, open_context
from tests.server_life.life import ON_SQLITE
from tests.support.fake_engine import fake_llama_server

from aimindserve.server.app import create_app
from aimindserve.server.lifespan import whole_life
from aimindserve.server.settings import Settings

pytestmark = pytest.mark.heavy

EYE = "/api/v1/deployments/tiny-vlm"


@dataclass
class Server:
    """A running server as its management API shows it, and the gateway's end of the channel."""

    client: httpx.AsyncClient
    socket: Path

    async def shown(self, path: str = EYE) -> dict[str, Any]:
        return (await self.client.get(path)).raise_for_status().json()

    async def until(self, what: Callable[[dict[str, Any]], object], path: str = EYE) -> dict[str, Any]:
        """The deployment once it is as wanted."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not what(shown := await self.shown(path)):  # noqa: ASYNC110  # asked from outside
                await asyncio.sleep(0.02)
        return shown

    async def ready(self) -> dict[str, Any]:
        """The one replica of the ready deployment."""
        return (await self.until(lambda view: view["phase"] == "ready"))["replicas"][0]

    @asynccontextmanager
    async def tables(self) -> AsyncIterator[Callable[[], Awaitable[dict[str, Any]]]]:
        """The routing tables that a gateway gets, one after the other."""
        reader, writer = await asyncio.open_unix_connection(str(self.socket), limit=2**24)
        writer.write(b'{"type": "hello", "gateway_id": "g", "pid": 1, "table_version": 0}\n')

        async def following() -> dict[str, Any]:
            async with asyncio.timeout(WAIT_SECONDS):
                return json.loads(await reader.readline())["table"]

        try:
            yield following
        finally:
            writer.close()


@pytest.fixture
def demo_settings(settings: Settings, tmp_path: Path) -> Settings:
    changes = {"demo": True, "llama_server": str(fake_llama_server(tmp_path))}
    return settings.model_copy(update=changes)


@pytest.fixture(autouse=True)
def no_process_stays(settings: Settings) -> Iterator[None]:
    yield
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(settings.data_dir in part for part in process.cmdline()):
                process.kill()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Server]:
    async with (
        open_context(settings, time.time) as context,
        whole_life(context),
        client_of(create_app(context), local_key(context)) as client,
    ):
        yield Server(client, Path(settings.run_dir) / "gateway.sock")


def ended(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


@ON_SQLITE
async def test_the_demo_model_is_deployed_once(demo_settings: Settings) -> None:
    async with running(demo_settings) as server:
        replica = await server.ready()
        log = await server.shown(f"/api/v1/replicas/{replica['id']}/log")
        assert log["attempt"] == 1
        assert log["size"] > 0
        await server.client.delete(EYE)
        await server.until(lambda view: view["items"] == [], "/api/v1/deployments")
        assert ended(replica["pid"])
    async with running(demo_settings) as server:
        assert await server.shown("/api/v1/deployments") == {"items": []}


async def test_engines_outlive_the_server(demo_settings: Settings) -> None:
    async with running(demo_settings) as server:
        before = await server.ready()
    assert not ended(before["pid"])
    async with running(demo_settings) as server, server.tables() as following:
        first = await following()
        assert [endpoint["replica_id"] for endpoint in first["routes"][0]["endpoints"]] == [before["id"]]
        after = await server.ready()
        assert (after["id"], after["pid"]) == (before["id"], before["pid"])
        assert after["restarts"] == 0
        assert after["ready_since"] == before["ready_since"]


@ON_SQLITE
async def test_a_killed_engine_leaves_the_table_and_comes_back(demo_settings: Settings) -> None:
    async with running(demo_settings) as server, server.tables() as following:
        replica = await server.ready()
        table = await following()
        while not table["routes"][0]["endpoints"]:
            table = await following()
        old = table["routes"][0]["endpoints"][0]
        os.kill(replica["pid"], signal.SIGKILL)
        while old in table["routes"][0]["endpoints"]:
            table = await following()
        assert table["routes"][0]["endpoints"] == []
        while not table["routes"][0]["endpoints"]:
            table = await following()
        again = await server.ready()
        assert again["id"] == replica["id"]
        assert again["pid"] != replica["pid"]
        assert (again["attempt"], again["restarts"]) == (2, 1)
        events = (await server.shown(f"{EYE}/events"))["items"]
        assert "engine_killed" in [event["data"].get("reason") for event in events]


@ON_SQLITE
async def test_an_edit_moves_routes_to_the_new_generation(demo_settings: Settings) -> None:
    async with running(demo_settings) as server:
        old = await server.ready()
        await server.client.patch(EYE, json={"parameters": ["--ctx-size=2048"]})
        view = await server.until(lambda view: view["phase"] == "ready" and len(view["replicas"]) == 1)
        assert view["replicas"][0]["id"] != old["id"]
        assert ended(old["pid"])
        arguments = psutil.Process(view["replicas"][0]["pid"]).cmdline()
        assert arguments[arguments.index("--ctx-size") + 1] == "2048"


@ON_SQLITE
async def test_stop_and_start(demo_settings: Settings) -> None:
    async with running(demo_settings) as server:
        replica = await server.ready()
        await server.client.post(f"{EYE}/stop")
        await server.until(lambda view: view["phase"] == "stopped")
        assert ended(replica["pid"])
        await server.client.post(f"{EYE}/start")
        assert not ended((await server.ready())["pid"])
