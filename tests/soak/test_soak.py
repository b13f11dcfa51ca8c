"""Load for a long time, first in peace, then with kills. SOAK_SECONDS is the whole length (an hour by default)."""

from __future__ import annotations

import contextlib
import os
import random
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.e2e.product import Product, wait_for
from tests.support.fake_engine import fake_llama_server

pytestmark = pytest.mark.soak

SECONDS = float(os.environ.get("SOAK_SECONDS", "3600"))
CLIENTS = 8
MODEL = "tiny-vlm"
GROWTH = 1.25  # memory after a long load over memory after a short one, in peace
GROWTH_FLOOR = 8 * 1024**2  # bytes that caches may fill besides
PAUSE_BETWEEN_KILLS = (1.0, 6.0)


class Client(threading.Thread):
    """Asks without end, every second time as a stream, and counts what came whole."""

    def __init__(self, url: str, token: str, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.http = httpx.Client(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=60)
        self.over, self.whole, self.broken, self.leaks = over, 0, 0, 0

    def run(self) -> None:
        number = 0
        while not self.over.is_set():
            number += 1
            try:
                self.whole += self.ask(stream=number % 2 == 0)
            except httpx.HTTPError:
                self.broken += 1
                self.over.wait(0.1)

    def ask(self, *, stream: bool) -> bool:
        """One request; whether its answer came to its end. An internal address in an error is a leak."""
        body = {"model": MODEL, "stream": stream, "max_tokens": 16, "messages": [{"role": "user", "content": "count"}]}
        answer = self.http.post("/v1/chat/completions", json=body)
        if answer.status_code == 200:
            return answer.text.rstrip().endswith("data: [DONE]") if stream else "choices" in answer.json()
        self.broken += 1
        self.leaks += "127.0.0.1" in answer.text
        self.over.wait(0.1)
        return False


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    running = Product(tmp_path / "data", "--demo", "--llama-server", str(fake_llama_server(tmp_path)))
    running.start()
    running.wait_phase(MODEL, "ready")
    yield running
    with contextlib.suppress(AssertionError):
        running.cli("rm", MODEL, "--yes", check=False)
    running.stop()
    for left in running.relatives():
        left.kill()


@contextlib.contextmanager
def clients(product: Product) -> Iterator[list[Client]]:
    """Clients that ask as long as the block runs."""
    over = threading.Event()
    token = product.inference_key()
    asking = [Client(product.url, token, over) for _ in range(CLIENTS)]
    for client in asking:
        client.start()
    try:
        yield asking
    finally:
        over.set()
        for client in asking:
            client.join(90)


def memory(product: Product, role: str) -> int:
    """Resident bytes of one of our processes."""
    process = product.process_of(role)
    assert process is not None, role
    return int(process.memory_info().rss)


def test_memory_stays_level_under_load(product: Product) -> None:
    samples: dict[str, list[int]] = {"server": [], "gateway": [], "supervisor": []}
    with clients(product) as asking:
        end = time.monotonic() + SECONDS / 2
        while time.monotonic() < end:
            time.sleep(min(5.0, SECONDS / 40))
            for role, seen in samples.items():
                seen.append(memory(product, role))
    assert sum(client.whole for client in asking) > 0
    assert sum(client.broken for client in asking) == 0
    for role, seen in samples.items():
        quarter = max(1, len(seen) // 4)
        early, late = statistics.median(seen[quarter : 2 * quarter]), statistics.median(seen[-quarter:])
        print(f"{role}: {early / 1024**2:.1f} MiB early, {late / 1024**2:.1f} MiB late")
        assert late <= early * GROWTH + GROWTH_FLOOR, role


def test_kills_under_load_cost_no_engine(product: Product) -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance, kills = random.Random(seed), 0
    engines = product.engine_pids()
    with clients(product) as asking:
        end = time.monotonic() + SECONDS / 2
        while time.monotonic() < end:
            victim = wait_for("a process to kill", lambda: product.process_of(chance.choice(("server", "gateway"))))
            victim.kill()
            kills += 1
            product.wait_ready()
            assert product.engine_pids() == engines, f"seed {seed}, kill {kills}"
            time.sleep(chance.uniform(*PAUSE_BETWEEN_KILLS))
    whole, broken = (sum(getattr(client, name) for client in asking) for name in ("whole", "broken"))
    print(f"seed {seed}: {kills} kills, {whole} answers whole, {broken} broken off")
    assert whole > broken
    assert sum(client.leaks for client in asking) == 0
