"""Models that sleep, wake by a request, and make room for each other on a machine that holds one of them."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.e2e.product import Product, wait_for
from tests.support.fake_engine import fake_llama_server

from aimindserve.sim.fleet import fleet_path

HELD_FOR = 300
MEMORY = 190_000_000


def small_machine(folder: Path) -> Path:
    """A declared machine whose memory holds the demo model once, not twice."""
    fleet = json.loads(fleet_path("cpu").read_text())
    node = fleet["nodes"][0]
    node["devices"] = [device for device in node["devices"] if device["kind"] == "cpu"]
    node["devices"][0] |= dict.fromkeys(("memory_total", "memory_free", "allocatable"), MEMORY)
    fleet["nodes"] = [node]
    path = folder / "small.json"
    path.write_text(json.dumps(fleet))
    return path


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    tmp_path = tmp_path_factory.mktemp("demand")
    engine = str(fake_llama_server(tmp_path, "--fake-start-delay", "0.5", "--fake-request", "tokens=3"))
    running = Product(tmp_path / "data", "--declared-fleet", str(small_machine(tmp_path)), "--llama-server", engine)
    running.start()
    yield running
    running.stop()
    for left in running.relatives():
        left.kill()


def asked(product: Product, token: str, model: str) -> httpx.Response:
    return httpx.post(
        f"{product.url}/v1/chat/completions",
        json={"model": model, "messages": [{"role": "user", "content": "hello"}]},
        headers={"authorization": f"Bearer {token}"},
        timeout=2 * HELD_FOR,
    )


@pytest.mark.heavy
def test_sleep_wake_and_making_room(product: Product) -> None:
    wishes = ("--min-replicas", "0", "--hold", str(HELD_FOR))
    product.cli("deploy", "demo://tiny-vlm", "--name", "one", *wishes, "--idle", "1s")
    product.wait_phase("one", "asleep", 180)
    wait_for("its engine has ended", lambda: product.engine_pids() == [])
    token = product.inference_key()
    answer = asked(product, token, "one")
    assert answer.status_code == 200, answer.text
    patched = product.login().patch("/api/v1/deployments/one", json={"scaling": {"minimum": 0, "idle_seconds": 3600}})
    assert patched.status_code == 200, patched.text
    assert asked(product, token, "one").status_code == 200
    product.cli("deploy", "demo://tiny-vlm", "--name", "two", *wishes, "--idle", "1h")
    product.wait_phase("two", "ready", 180)
    shown = product.cli("show", "one")
    assert (shown["phase"], shown["reasons"][0]["code"]) == ("asleep", "made_room")
    assert len(product.engine_pids()) == 1
    answer = asked(product, token, "one")
    assert answer.status_code == 200, answer.text
    assert answer.json()["model"] == "one"
    assert product.cli("show", "two")["phase"] == "asleep"
    kinds = [event["kind"] for event in product.cli("events", "ls", "--limit", "200")["items"]]
    assert kinds.index("deployment.fell_asleep") < kinds.index("deployment.woken")
    assert kinds.count("deployment.made_room") == 2
