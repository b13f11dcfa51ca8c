"""The fit preview over the API and on the command line."""

import json
import subprocess
import sys
from typing import Any

import httpx
import pytest
from tests.server_life.life import Life, only

from aimindserve.domain.cards import machine_with, parse_card
from aimindserve.domain.nodes import DeviceKind
from aimindserve.domain.units import GIB
from aimindserve.sim.fake_node import FakeNode, cpu_node

DEMO = {"name": "eye", "source": "demo://tiny-vlm"}


async def fit(cli: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await cli.post("/api/v1/fit", json=DEMO | changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


def command(*words: str, code: int = 0) -> str:
    """What ``aimindserve fit`` prints."""
    argv = [sys.executable, "-m", "aimindserve.cli.main", "fit", *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env={"LANG": "C", "HF_HUB_OFFLINE": "1"})
    assert done.returncode == code, done.stderr
    return done.stdout


@pytest.mark.parametrize("parameters", [[], ["--ctx-size=2000000000", "--seed=1"]])
async def test_the_command_answers_as_the_server_does(cli: httpx.AsyncClient, parameters: list[str]) -> None:
    node = machine_with([parse_card("RTX4090-24GB:2")], ()).model_dump(mode="json")
    report = await fit(cli, name="preview", fleet=[node], parameters=parameters)
    code = 1 if report["verdict"] == "no" else 0
    words = ("demo://tiny-vlm", "--gpu", "RTX4090-24GB:2", "-o", "json", "--", *parameters)
    told = json.loads(command(*words, code=code))
    # The server's threads are set in these tests, and the memory of the CPU does not depend on them.
    for one in (report, told):
        one["parameters"] = [item for item in one["parameters"] if not item["flag"].startswith("--threads")]
    assert told == report
    assert report["verdict"] == ("no" if parameters else "fits")


def test_the_command_in_words() -> None:
    text = command("demo://tiny-vlm", "--gpu", "mine=8GiB")
    for word in ("It fits.", "the whole model", "mine", "kv_cache", "--n-gpu-layers", "derived"):
        assert word in text, word
    refused = command("demo://tiny-vlm", "--gpu", "mine=8GiB", "--", "--ctx-size=2000000000", code=1)
    assert "What would make it fit" in refused
    assert "--ctx-size=" in refused


def test_offline_says_so_at_once() -> None:
    assert "offline" in command("hf://Qwen/Qwen2-VL-7B-Instruct", "--gpu", "H100-80GB", code=1)


async def test_a_gpu_replica_claims_memory_on_both_sides_and_the_next_one_sees_it(
    cli: httpx.AsyncClient, life: Life, node: FakeNode
) -> None:
    gpu = machine_with([parse_card("RTX4090-24GB")], (), "one")
    server = cpu_node("one").engines[0].model_copy(update={"gpu_kinds": (DeviceKind.NVIDIA,)})
    node.facts = gpu.model_copy(update={"engines": (server,)})
    (await cli.post("/api/v1/deployments", json=DEMO)).raise_for_status()
    await life.settle()
    claims = node.claims[only(node)]
    shown = (await cli.get("/api/v1/deployments/eye")).json()["plan"]
    assert [(claim.device_id, claim.bytes) for claim in claims] == [
        (gpu.devices[1].id, shown["memory_high"]),
        ("cpu", shown["host_high"]),
    ]
    assert shown["gpus"] == 1
    second = await fit(cli, name="second")
    assert second["placement"]["devices"][0]["before"] == shown["memory_high"]
    assert second["placement"]["host"]["before"] == shown["host_high"]


async def test_memory_of_other_programs_is_told_apart(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    facts = cpu_node("one")
    (cpu,) = facts.devices
    busy = cpu.model_copy(update={"memory_free": 100})
    node.facts = facts.model_copy(update={"devices": (busy,)})
    await life.settle()
    report = await fit(cli)
    assert (report["verdict"], report["reasons"][0]["code"]) == ("waits", "memory_in_use")
    assert [one["reason"]["code"] for one in report["refusals"]] == ["memory_in_use"]
    assert cpu.allocatable == 8 * GIB


async def test_another_model_can_be_stopped_for_it(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    node.facts = cpu_node("one", memory=140 * 2**20)
    (await cli.post("/api/v1/deployments", json=DEMO)).raise_for_status()
    await life.settle()
    report = await fit(cli, name="second")
    assert report["verdict"] == "waits"
    stops = [change for change in report["alternatives"] if change["kind"] == "stop"]
    assert [change["stop"] for change in stops] == [["eye"]]
    assert "eye" in stops[0]["message"]
