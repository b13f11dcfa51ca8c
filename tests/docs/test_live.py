"""What the documentation shows is typed into a running product, in the order of the pages, and works.

English pages only: the Chinese ones show the same commands (test_commands.py)."""

import base64
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.arch.project import ROOT
from tests.docs.snippets import Snippet, is_ours, pages, snippets
from tests.e2e.person import drawing
from tests.e2e.product import COMMAND, PATIENCE, Product

from aimindserve.sim import hub_data
from aimindserve.sim.hub_server import FakeHub

# Commands that need a machine of another kind, and the test that runs each of them there.
ELSEWHERE = {
    "start": "tests/e2e/product.py",
    "restore": "tests/cli/test_backup.py",
    "migrate": "tests/cli/test_backup.py",
    "uninstall": "tests/install/test_user.py",
    "bundle": "tests/node/test_bundle.py",
    "engine install": "tests/cli/test_engine.py",
    "engine register": "tests/cli/test_engine.py",
    "files import": "tests/e2e/test_hub_cli.py",
    "files pause": "tests/cli/test_files.py",
    "files rm": "tests/cli/test_files.py",
    "reload": "tests/cli/test_reload.py",
}
ENGLISH = [*pages("docs/en"), ROOT / "README.md"]


def shown(language: str) -> list[Snippet]:
    return [one for page in ENGLISH for one in snippets(page) if one.language == language]


OURS = [
    (block.page, command)
    for block in shown("sh")
    for command in block.commands
    if is_ours(command) and not {command[1], " ".join(command[1:3])} & set(ELSEWHERE)
]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("docs")
    with FakeHub(hub_data.load()) as hub:
        endpoints = ("--huggingface-endpoint", hub.endpoint, "--modelscope-endpoint", hub.modelscope_endpoint)
        running = Product(folder / "data", *endpoints, "--llama-threads", "1", "--demo")
        running.start()
        running.wait_phase("tiny-vlm", "ready")
        yield running
        running.clear()
        running.stop()


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What stands in the documentation for people's own things, and what it is here."""
    folder = tmp_path_factory.mktemp("places")
    models = folder / "models"
    models.mkdir()
    demo = ROOT / "src/aimindserve/demo_model"
    for name in ("model", "Qwen2-VL-2B-Instruct-Q4_K_M"):
        shutil.copy(demo / "tiny-vlm-q8_0.gguf", models / f"{name}.gguf")
    shutil.copy(demo / "mmproj-tiny-vlm-q8_0.gguf", models)
    (folder / "backups").mkdir()
    return {
        "/models/": f"{models}/",
        "/path/to/": f"{models}/",
        "/backups/": f"{folder}/backups/",
        "audit.csv": f"{folder}/audit.csv",
    }


def test_commands_that_run_elsewhere_are_run_there() -> None:
    for command, file in ELSEWHERE.items():
        assert f'"{command.split()[0]}"' in (ROOT / file).read_text(encoding="utf-8"), command


def filled(text: str, places: dict[str, str]) -> str:
    for shown_as, here in places.items():
        text = text.replace(shown_as, here)
    return text


@pytest.mark.parametrize(
    ("page", "command"), OURS, ids=lambda value: value if isinstance(value, str) else " ".join(value[1:])
)
def test_a_command_works(page: str, command: list[str], product: Product, places: dict[str, str]) -> None:
    environment = os.environ | {"AIMINDSERVE_DATA_DIR": str(product.data), "AIMINDSERVE_URL": product.url}
    words = [filled(word, places) for word in command[1:]]
    if "--data-dir" in words:
        cut = words.index("--data-dir")
        words = [*words[:cut], *words[cut + 2 :]]
    done = subprocess.run(
        [*COMMAND, *words],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        timeout=2 * PATIENCE,
        input=hub_data.GRANTED,
    )
    assert done.returncode == 0, f"{page}: {done.stderr}{done.stdout}"


def picture() -> str:
    return base64.b64encode(drawing("red")).decode()


def ready(text: str, product: Product, key: str) -> str:
    for shown_as, here in {
        "http://localhost:8080": product.url,
        "http://HOST:PORT": product.url,
        "sk-…": key,
        "base64,…": f"base64,{picture()}",
        "https://example.com/cat.jpg": f"data:image/png;base64,{picture()}",
        "messages=[…]": 'messages=[{"role": "user", "content": "Describe this image."}]',
    }.items():
        text = text.replace(shown_as, here)
    return text


@pytest.mark.parametrize("block", [one for one in shown("sh") if one.text.startswith("curl")], ids=lambda one: one.page)
def test_a_request_is_answered(block: Snippet, product: Product) -> None:
    words = shlex.split(ready(block.text.replace("\\\n", " "), product, product.inference_key()))
    done = subprocess.run([words[0], "-sSf", *words[1:]], check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr + done.stdout
    first = done.stdout.splitlines()[0].removeprefix("data: ")
    assert json.loads(first)["choices"]


@pytest.mark.parametrize("block", shown("python"), ids=lambda one: one.page)
def test_a_program_runs(block: Snippet, product: Product) -> None:
    program = ready(block.text, product, product.inference_key())
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
