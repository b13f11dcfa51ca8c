"""The demo model behind two doors: its engine alone, and the whole product."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from openai import OpenAI
from tests.accuracy.pictures import require_fonts
from tests.e2e.product import Product, free_port, wait_for

import aimindserve.demo_model

DEMO = Path(next(iter(aimindserve.demo_model.__path__)))
MODEL = "tiny-vlm"
IMAGE_LIMITS = ("--image-min-tokens", "16", "--image-max-tokens", "16")


@pytest.fixture(autouse=True, scope="session")
def fonts() -> None:
    require_fonts()


@contextmanager
def launcher(log: Path, *options: str) -> Iterator[OpenAI]:
    """The embedded llama.cpp server alone, on one thread."""
    port = free_port()
    command = [sys.executable, "-P", "-m", "aimindserve.node.llama_server", "--alias", MODEL, "--port", str(port)]
    command += ["--model", str(DEMO / "tiny-vlm-q8_0.gguf"), "--mmproj", str(DEMO / "mmproj-tiny-vlm-q8_0.gguf")]
    command += ["--threads", "1", "--threads-batch", "1", "--ctx-size", "4096", "--parallel", "1", *options]

    def healthy() -> bool:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code == 200
        return False

    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_for("the engine is healthy", healthy)
        yield OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAI]:
    """The whole product with its demo model, through its public port with an API key."""
    product = Product(tmp_path_factory.mktemp("accuracy") / "data", "--demo", "--llama-threads", "1")
    product.start()
    try:
        product.wait_phase(MODEL, "ready")
        yield OpenAI(base_url=f"{product.url}/v1", api_key=product.inference_key(), max_retries=0)
        product.run_cli("rm", MODEL, "--yes")
        wait_for("no engine is left", lambda: product.engine_pids() == [])
    finally:
        product.stop()
        for left in product.relatives():
            left.kill()
