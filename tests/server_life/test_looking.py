"""Logs, nodes, devices and the fit preview."""

import asyncio
from typing import Any

import httpx
from starlette.types import ASGIApp
from tests.server.fixtures import WAIT_SECONDS, live_client, local_key
from tests.server_life.life import Life, only

from aimindserve.domain.nodes import Device, DeviceKind, EngineInstall, NodeFacts
from aimindserve.domain.units import GIB, MIB
from aimindserve.server.context import ServerContext
from aimindserve.sim.fake_node import FakeNode, cpu_node

DEMO = {"name": "eye", "source": "demo://tiny-vlm"}


async def _ready(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> str:
    (await cli.post("/api/v1/deployments", json=DEMO)).raise_for_status()
    await life.settle()
    return only(node)


async def test_a_log_is_read_in_pieces(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    replica = await _ready(cli, life, node)
    node.logs[replica] = ["one\ntwo\n", "three\n"]
    path = f"/api/v1/replicas/{replica}/log"
    latest = (await cli.get(path)).json()
    assert (latest["attempt"], latest["text"], latest["complete"]) == (2, "three\n", False)
    assert latest["attempts"] == [1, 2]
    first = (await cli.get(path, params={"attempt": 1, "offset": 4})).json()
    assert (first["text"], first["next_offset"], first["complete"]) == ("two\n", 8, True)
    tail = (await cli.get(path, params={"attempt": 1, "offset": -4})).json()
    assert tail["text"] == "two\n"


async def test_a_log_that_is_not_there(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    replica = await _ready(cli, life, node)
    missing = await cli.get(f"/api/v1/replicas/{replica}/log", params={"attempt": 9})
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    unknown = await cli.get("/api/v1/replicas/..%2F..%2Fetc/log")
    assert unknown.status_code == 404
    node.logs.clear()
    assert (await cli.get(f"/api/v1/replicas/{replica}/log")).json()["size"] == 0


async def test_the_log_of_a_replica_that_is_gone(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    replica = await _ready(cli, life, node)
    await cli.delete("/api/v1/deployments/eye")
    await life.settle()
    assert "attempt 1 of eye" in (await cli.get(f"/api/v1/replicas/{replica}/log")).json()["text"]


async def test_a_log_is_followed_to_its_end(app: ASGIApp, context: ServerContext, life: Life, node: FakeNode) -> None:
    async with live_client(app, context, local_key(context)) as client:
        replica = await _ready(client, life, node)
        node.logs[replica] = ["one\n"]
        got = ""
        async with (
            asyncio.timeout(WAIT_SECONDS),
            client.stream("GET", f"/api/v1/replicas/{replica}/log", params={"follow": "true", "offset": 0}) as answer,
        ):
            assert answer.headers["content-type"].startswith("text/plain")
            async for text in answer.aiter_text():
                got += text
                if got == "one\n":
                    node.logs[replica] = ["one\ntwo\n"]
                elif got == "one\ntwo\n":
                    node.end(replica)
        assert got == "one\ntwo\n"


async def test_nodes_and_what_is_claimed_on_them(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    assert (await cli.get("/api/v1/nodes")).json() == {"items": []}
    await _ready(cli, life, node)
    listed = (await cli.get("/api/v1/nodes")).json()["items"]
    assert [(item["id"], item["hostname"], item["alive"]) for item in listed] == [("one", "host-one", True)]
    assert listed[0]["engines"][0]["flavour"] == "llama-server"
    device = listed[0]["devices"][0]
    assert device["device"]["cores"] == 4
    assert device["claimed"] == sum(claim.bytes for claim in node.claims[only(node)]) > 0
    (holder,) = device["holders"]
    assert (holder["deployment"], holder["replica_id"], holder["phase"]) == ("eye", only(node), "ready")
    assert holder["bytes"] == device["claimed"]
    room = device["device"]["allocatable"]
    assert device["used"] == max(0, room - device["device"]["memory_free"])
    assert device["free"] == room - device["claimed"] - device["foreign"]
    assert (await cli.get("/api/v1/devices")).json() == {"items": [device]}
    life.clock.advance(3600)
    assert (await cli.get("/api/v1/nodes")).json()["items"][0]["alive"] is False


async def _fit(cli: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await cli.post("/api/v1/fit", json=DEMO | changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_fit_says_what_would_happen_and_does_nothing(cli: httpx.AsyncClient, life: Life) -> None:
    await life.settle()
    event = await life.last_event()
    report = await _fit(cli)
    assert report["verdict"] == "fits"
    assert report["engine"] == "llama.cpp"
    assert report["capabilities"] == ["chat", "vision"]
    on_device = [item for item in report["memory"] if item["place"] == "device"]
    assert report["memory_total"] == sum(item["bytes"] for item in on_device) > 0
    assert report["memory_total"] < report["memory_high"]
    assert all(item["bytes"] <= item["high"] and item["source"] for item in report["memory"])
    assert report["placement"]["node"] == "host-one"
    assert report["placement"]["level"] == "cpu"
    (device,) = report["placement"]["devices"]
    assert device["bytes"] == device["after"] - device["before"] == report["memory_high"]
    assert report["placements"] == [report["placement"]]
    assert all(item["why"] for item in report["memory"] + report["parameters"])
    assert await life.last_event() == event
    assert (await cli.get("/api/v1/deployments")).json() == {"items": []}


async def test_fit_agrees_with_what_is_then_done(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    await life.settle()
    report = await _fit(cli, parameters=["--ctx-size=2048"])
    body = DEMO | {"parameters": ["--ctx-size=2048"]}
    made = (await cli.post("/api/v1/deployments", json=body)).json()
    await life.settle()
    assert made["plan"]["parameters"] == report["parameters"]
    assert node.claims[only(node)][0].bytes == report["memory_high"]


async def test_fit_offers_the_change_that_makes_it_fit(cli: httpx.AsyncClient, life: Life) -> None:
    await life.settle()
    report = await _fit(cli, parameters=["--ctx-size", "2000000000", "--seed=1"])
    assert report["verdict"] == "no"
    assert report["reasons"][0]["code"] == "context_too_long"
    assert report["placement"] is None
    patch = report["alternatives"][0]["patch"]
    assert patch["parameters"][0] == "--seed=1"
    assert (await _fit(cli, **patch))["verdict"] == "fits"


async def test_fit_waits_for_memory_that_others_hold(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    node.facts = cpu_node("one", memory=160 * MIB)
    await _ready(cli, life, node)
    report = await _fit(cli, name="second")
    assert report["verdict"] == "waits"
    assert report["reasons"][0]["code"] == "memory_claimed"
    assert (await _fit(cli, name="eye"))["verdict"] == "fits", "an edit replaces what runs"


async def test_fit_tells_faults_of_files_and_parameters(cli: httpx.AsyncClient, life: Life) -> None:
    await life.settle()
    missing = await _fit(cli, source="/nowhere/model.gguf")
    assert (missing["verdict"], missing["reasons"][0]["code"]) == ("no", "source_not_found")
    wrong = await _fit(cli, parameters=["--ctx-sise=1"])
    assert (wrong["verdict"], wrong["reasons"][0]["code"]) == ("no", "parameter_unknown")
    assert (await _fit(cli, engine="vllm"))["verdict"] == "no"


async def test_fit_on_machines_that_are_not_there(cli: httpx.AsyncClient) -> None:
    gpu = Device(
        id="GPU-1",
        kind=DeviceKind.NVIDIA,
        name="H100",
        memory_total=80 * GIB,
        memory_free=80 * GIB,
        allocatable=78 * GIB,
    )
    server = EngineInstall(
        engine="llama.cpp", flavour="llama-server", version="b1", path="/x", gpu_kinds=(DeviceKind.NVIDIA,)
    )
    node = NodeFacts(node_id="far", hostname="far", boot_id="b", devices=(gpu,), engines=(server,))
    report = await _fit(cli, fleet=[node.model_dump(mode="json")])
    assert report["verdict"] == "fits"
    assert report["placement"]["kind"] == "nvidia"
    flags = {item["flag"]: item["value"] for item in report["parameters"]}
    assert flags["--n-gpu-layers"] == "999"
    assert (await _fit(cli, fleet=[]))["reasons"][0]["code"] == "no_node"
