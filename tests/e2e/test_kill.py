"""kill -9 of every process of ours at random moments: engines and streams go on, nothing acknowledged is lost."""

import contextlib
import json
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from tests.e2e.product import Product, wait_for
from tests.support.fake_engine import fake_llama_server

POINTS = 50
ROLES = ("server", "gateway", "supervisor")
MODEL = "tiny-vlm"


class Writer(threading.Thread):
    """Makes and deletes keys all the time and remembers what the server acknowledged."""

    def __init__(self, product: Product, token: str) -> None:
        super().__init__(daemon=True)
        self.client = httpx.Client(base_url=product.url, headers={"authorization": f"Bearer {token}"}, timeout=10)
        self.made: set[str] = set()
        self.deleted: set[str] = set()
        self.unsure: set[str] = set()
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.05):
            with contextlib.suppress(httpx.HTTPError):
                self.step()

    def step(self) -> None:
        """One write; an answer that never came leaves its outcome open."""
        answer = self.client.post("/api/v1/keys", json={"name": "kill-test", "scopes": ["inference"]})
        if answer.status_code != 201:
            return
        key = answer.json()["id"]
        self.made.add(key)
        if len(self.made) % 3 == 0:
            self.unsure.add(key)  # before the question: its answer may never come
            if self.client.delete(f"/api/v1/keys/{key}").status_code == 204:
                self.deleted.add(key)
                self.unsure.discard(key)

    def check(self) -> None:
        """What was acknowledged before the question must be in its answer."""
        made, deleted = set(self.made), set(self.deleted)
        listed = {key["id"] for key in self.client.get("/api/v1/keys").json()["items"]}
        missing = made - self.deleted - self.unsure - listed
        assert not missing, f"acknowledged keys are lost: {missing}"
        assert not deleted & listed, "deleted keys are back"


class Stream(threading.Thread):
    """A slow streaming answer, and whether it came whole."""

    def __init__(self, product: Product, token: str, tokens: int = 60, pause_ms: int = 20) -> None:
        super().__init__(daemon=True)
        self.url, self.token, self.tokens, self.pause_ms = product.url, token, tokens, pause_ms
        self.started, self.chunks, self.whole = threading.Event(), 0, False

    def run(self) -> None:
        body = {
            "model": MODEL,
            "stream": True,
            "max_tokens": self.tokens,
            "messages": [{"role": "user", "content": "count"}],
            # In the body, as the gateway passes no headers on that it does not know.
            "fake": {"token-delay-ms": self.pause_ms},
        }
        headers = {"authorization": f"Bearer {self.token}"}
        with (
            contextlib.suppress(httpx.HTTPError),
            httpx.stream("POST", f"{self.url}/v1/chat/completions", json=body, headers=headers, timeout=60) as answer,
        ):
            for line in answer.iter_lines():
                if line.startswith("data: {"):
                    self.started.set()
                    self.chunks += '"content"' in line
                self.whole = self.whole or line == "data: [DONE]"


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    running = Product(tmp_path / "data", "--demo", "--llama-server", str(fake_llama_server(tmp_path)))
    running.start()
    yield running
    with contextlib.suppress(AssertionError):
        running.cli("rm", MODEL, "--yes", check=False)
    running.stop()
    for left in running.relatives():
        left.kill()


def _restart_if_needed(product: Product, role: str) -> None:
    if role == "supervisor":
        assert product.process is not None
        product.process.wait(30)
        wait_for("the children end with their supervisor", lambda: _own_processes_gone(product))
        product.launch()
    product.wait_ready()


def _own_processes_gone(product: Product) -> bool:
    return not [p for p in product.relatives() if _is_ours(p)]


def _is_ours(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any(part in {"aimindserve.server", "aimindserve.gateway"} for part in process.cmdline())
    return False


def _usage_is_exact(product: Product) -> None:
    rows = sqlite3.connect(product.data / "database.sqlite").execute("SELECT request_id FROM usage").fetchall()
    assert len(rows) == len(set(rows))


def test_fifty_random_kills_lose_nothing(product: Product) -> None:
    """Engine pid unchanged, streams survive a dead server, acknowledged writes stay, one engine, no orphan."""
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    print(f"seed {seed}")
    product.wait_phase(MODEL, "ready")
    engines = product.engine_pids()
    assert len(engines) == 1
    token = product.inference_key()
    management = (product.data / "keys" / "local-cli").read_text().strip()
    writer = Writer(product, management)
    writer.start()
    for point in range(POINTS):
        role = ROLES[point % len(ROLES)]
        stream = Stream(product, token)
        stream.start()
        time.sleep(chance.uniform(0, 0.8))
        if role == "server":
            stream.started.wait(20)
        victim = product.process_of(role)
        assert victim is not None, role
        victim.kill()
        _restart_if_needed(product, role)
        assert product.engine_pids() == engines, f"point {point} ({role}), seed {seed}"
        stream.join(60)
        if role == "server":
            assert stream.whole, f"point {point}, seed {seed}"
            assert stream.chunks >= stream.tokens, f"point {point}, seed {seed}: {stream.chunks}"
        writer.check()
    writer.over.set()
    writer.join(30)
    writer.check()
    assert len(writer.made) >= POINTS / 2, "the writer hardly wrote: the test proves nothing"
    _finish(product, engines)


def _finish(product: Product, engines: list[int]) -> None:
    view = product.wait_phase(MODEL, "ready")
    assert [replica["restarts"] for replica in view["replicas"]] == [0]
    product.run_cli("rm", MODEL, "--yes")
    wait_for("the engine ends after rm", lambda: not any(psutil.pid_exists(pid) for pid in engines))
    wait_for("no replica folder stays with a process", lambda: product.engine_pids() == [])
    database = sqlite3.connect(product.data / "database.sqlite")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    _usage_is_exact(product)
    events = database.execute("SELECT COUNT(*) FROM events").fetchone()
    assert events[0] > 0
    assert json.loads((product.data / "routing-table.json").read_text())["routes"] == []
