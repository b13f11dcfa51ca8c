"""What can go wrong for a person ends in a reason with a remedy, in the API (and so on the page) and in the CLI."""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.product import COMMAND, Product, wait_for
from tests.support.fake_engine import fake_llama_server

import aimindserve.demo_model
from aimindserve.domain.reasons import ReasonCode

DEMO_FILES = Path(next(iter(aimindserve.demo_model.__path__)))


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("failures")
    running = Product(folder / "data", "--llama-server", str(fake_llama_server(folder)))
    running.start()
    yield running
    running.stop()
    for left in running.relatives():
        left.kill()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the demo model's files; the language model's path."""
    for file in DEMO_FILES.glob("*.gguf"):
        shutil.copy(file, tmp_path / file.name)
    return next(path for path in tmp_path.glob("*.gguf") if not path.name.startswith("mmproj"))


def _refused(product: Product, source: Path | str, *options: str) -> str:
    done = product.run_cli("deploy", str(source), "--name", "broken", *options)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout + done.stderr


def _problem(product: Product, source: Path | str, language: str) -> dict[str, Any]:
    client = product.login()
    body = {"name": "broken", "source": str(source)}
    answer = client.post("/api/v1/deployments", json=body, headers={"accept-language": language})
    assert answer.status_code == 422, answer.text
    return dict(answer.json())


def _assert_explained(product: Product, source: Path, code: ReasonCode) -> None:
    english, chinese = _problem(product, source, "en"), _problem(product, source, "zh-CN")
    assert english["code"] == chinese["code"] == code
    assert english["remedy"]
    assert chinese["remedy"]
    assert english["remedy"] != chinese["remedy"]
    told = _refused(product, source)
    assert english["message"] in told
    assert english["remedy"] in told


def test_a_wrong_path(product: Product, tmp_path: Path) -> None:
    _assert_explained(product, tmp_path / "nothing.gguf", ReasonCode.SOURCE_NOT_FOUND)


def test_a_corrupt_gguf(product: Product, model: Path) -> None:
    with model.open("r+b") as file:
        file.truncate(model.stat().st_size // 2)
    _assert_explained(product, model, ReasonCode.GGUF_CORRUPT)


def test_a_missing_projector(product: Product, model: Path) -> None:
    for projector in model.parent.glob("mmproj*"):
        projector.unlink()
    _assert_explained(product, model, ReasonCode.PROJECTOR_MISSING)


def test_a_misspelt_parameter(product: Product, model: Path) -> None:
    told = _refused(product, model, "--", "--ctx-sise=512")
    assert "--ctx-sise" in told
    assert "--ctx-size" in told


def test_the_public_port_is_taken(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        start = [*COMMAND, "start", "--host", "127.0.0.1", "--port", port, "--data-dir", str(tmp_path / "data")]
        done = subprocess.run(start, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert port in done.stderr + done.stdout
    assert "--port" in done.stderr + done.stdout


def _waits(product: Product, name: str, code: ReasonCode) -> dict[str, Any]:
    def ask() -> dict[str, Any] | None:
        reasons = product.cli("show", name)["reasons"]
        return next((why for why in reasons if why["code"] == code), None)

    why = wait_for(f"{name} says {code}", ask)
    assert why["message"]
    assert why["remedy"]
    listed = product.run_cli("show", name).stdout
    assert why["remedy"] in " ".join(listed.split())
    return why


def test_not_enough_memory(product: Product, model: Path) -> None:
    product.cli("deploy", str(model), "--name", "greedy", "--", "--ctx-size=2000000000", "--rope-freq-scale=0.000002")
    _waits(product, "greedy", ReasonCode.MEMORY_INSUFFICIENT)
    product.run_cli("rm", "greedy", "--yes")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_and_its_relief(product: Product, model: Path) -> None:
    replicas = product.data / "replicas"
    replicas.mkdir(mode=0o700, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k,mode=700", "tmpfs", str(replicas)], check=True)
    try:
        filler = replicas / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            for _ in range(8):
                file.write(b"x" * 4096)
        product.cli("deploy", str(model), "--name", "cramped")
        _waits(product, "cramped", ReasonCode.DISK_FULL)
        subprocess.run(["mount", "-o", "remount,size=64m", str(replicas)], check=True)
        product.wait_phase("cramped", "ready")
        product.run_cli("rm", "cramped", "--yes")
        wait_for("the engine ends", lambda: product.engine_pids() == [])
    finally:
        subprocess.run(["umount", "-l", str(replicas)], check=False)
