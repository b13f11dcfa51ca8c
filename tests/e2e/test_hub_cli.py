"""The guide's GGUF model by the command line, from the emulated hub; then carried on a disk to one without a hub."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest
from tests.e2e.product import Product, wait_for
from tests.e2e.test_demo_path import question

from aimindserve.sim import hub_data
from aimindserve.sim.hub_server import FakeHub

REPOSITORY = "bartowski/Qwen2-VL-2B-Instruct-GGUF"
SOURCE = f"hf://{REPOSITORY}:Q4_K_M"
NAME = "Qwen2-VL-2B-Instruct"
# One second is what hurts; a busy machine may add some.
# Here about 0.5 s, on a busy machine more; asking a hub that does not answer takes minutes.
AT_ONCE_SECONDS = 45.0


@contextmanager
def running(data: Path, *options: str) -> Iterator[Product]:
    product = Product(data, *options, "--llama-threads", "1")
    product.start()
    try:
        yield product
        product.clear()
    finally:
        product.stop()


def sees_red(product: Product, model: str) -> bool:
    client = openai.OpenAI(base_url=f"{product.url}/v1", api_key=product.inference_key(), max_retries=0)
    messages = question("Describe this image.")
    answer = client.chat.completions.create(model=model, messages=messages, temperature=0)  # type: ignore[arg-type]
    return "red" in (answer.choices[0].message.content or "").lower()


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk with the store of a machine that deployed the model from the hub."""
    folder = tmp_path_factory.mktemp("hub")
    with FakeHub(hub_data.load()) as hub:
        endpoints = ("--huggingface-endpoint", hub.endpoint, "--modelscope-endpoint", hub.modelscope_endpoint)
        with running(folder / "data", *endpoints) as product:
            done = product.run_cli("deploy", SOURCE, "--wait")
            assert done.returncode == 0, done.stderr
            assert f"Deployed {NAME}: ready." in done.stdout
            (stored,) = product.cli("files", "ls")["items"]
            assert (stored["state"], stored["used_by"]) == ("ready", [NAME])
            assert sorted(file["role"] for file in stored["files"]) == ["projector", "weights"]
            assert sees_red(product, NAME)
            shutil.copytree(folder / "data" / "models", folder / "disk" / "models", symlinks=False)
            plain = folder / "disk" / "plain"
            plain.mkdir()
            for file in stored["files"]:
                shutil.copy(Path(stored["path"]) / file["path"], plain)
    return folder / "disk"


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(tmp_path_factory.mktemp("lonely") / "data", "--offline") as product:
        yield product


def test_offline_is_said_at_once(lonely: Product) -> None:
    for words in (("search", "qwen"), ("hub", "files", REPOSITORY), ("deploy", f"hf://{REPOSITORY}:Q8_0")):
        started = time.monotonic()
        done = lonely.run_cli(*words)
        assert time.monotonic() - started < AT_ONCE_SECONDS
        assert done.returncode == 1
        assert "offline" in done.stderr


@pytest.mark.parametrize(
    ("folder", "more"), [("models", []), ("plain", ["--source", f"hf://{REPOSITORY}"])], ids=["store", "plain"]
)
def test_a_carried_model_runs_without_a_hub(lonely: Product, carried: Path, folder: str, more: list[str]) -> None:
    imported = lonely.run_cli("files", "import", str(carried / folder), "--wait", *more)
    assert imported.returncode == 0, imported.stderr
    (stored,) = lonely.cli("files", "ls")["items"]
    assert stored["brought_from"] == str(carried / folder)
    deployed = lonely.run_cli("deploy", SOURCE, "--wait")
    assert deployed.returncode == 0, deployed.stderr
    assert sees_red(lonely, NAME)
    refused = lonely.run_cli("files", "rm", stored["key"])
    assert refused.returncode == 1
    assert NAME in refused.stderr
    lonely.cli("rm", NAME, "--yes")
    wait_for("the deployment is gone", lambda: lonely.cli("ls")["items"] == [])
    lonely.cli("files", "rm", stored["key"])
    wait_for("the files are gone", lambda: lonely.cli("files", "ls")["items"] == [])
    assert not list((lonely.data / "models" / "blobs").iterdir())
    assert list((carried / folder).iterdir())
