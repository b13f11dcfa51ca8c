"""A lively aiMindServe to look at: one pretended GPU, models that run, wait and fail, people, keys, traffic."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
from tests.e2e.pretended import pretended_llama_server
from tests.e2e.product import PASSWORD, Product

from aimindserve.sim import hub_data
from aimindserve.sim.fleet import fleet_path
from aimindserve.sim.hub_server import FakeHub

MODEL = "tiny-vlm"
FAILED = "files-gone"
DEMO_FILES = Path(__file__).parents[2] / "src" / "aimindserve" / "demo_model"


@contextmanager
def lively_product(folder: Path) -> Iterator[Product]:
    """The product with everything that pages show, ready."""
    with FakeHub(hub_data.load()) as hub:
        running = Product(
            folder / "data",
            "--declared-fleet", _fleet(folder),
            "--llama-server", str(pretended_llama_server(folder / "bin")),
            "--huggingface-endpoint", hub.endpoint,
            "--modelscope-endpoint", hub.modelscope_endpoint,
        )  # fmt: skip
        running.start()
        try:
            _fill(running)
            yield running
        finally:
            running.clear()
            running.stop()


def _fleet(folder: Path) -> str:
    """The guide's machine, warm and at work."""
    told = json.loads(Path(fleet_path("h100")).read_text())
    gpu = told["nodes"][0]["devices"][1]
    gpu |= {"utilization": 62.0, "temperature_c": 58.0, "power_w": 412.0}
    gpu["processes"] = [{"pid": 4711, "name": "jupyter", "bytes": 3 << 30}]
    gpu["memory_free"] -= 3 << 30
    path = folder / "fleet.json"
    path.write_text(json.dumps(told))
    return str(path)


def _fill(product: Product) -> None:
    local = folder_with_model(product.data.parent / "models")
    product.cli("deploy", "demo://tiny-vlm", "--name", MODEL)
    product.cli("deploy", str(local), "--name", "eye-chart", "--replicas", "2")
    product.cli("deploy", str(local), "--name", "asleep")
    product.cli("stop", "asleep")
    gone = folder_with_model(product.data.parent / "gone")
    product.cli("deploy", str(gone), "--name", FAILED, "--replicas", "0")
    shutil.rmtree(gone)
    product.cli("scale", FAILED, "1")
    for name in (MODEL, "eye-chart"):
        product.wait_phase(name, "ready")
    _ask(product)
    with closing(product.login()) as admin:
        for name, role in (("li.wei", "operator"), ("dana", "user")):
            body = {"username": name, "password": PASSWORD, "role": role}
            made = admin.post("/api/v1/users", json=body).raise_for_status().json()
        limits = {"limits": {"requests_per_minute": 60, "tokens_per_month": 2_000_000}}
        admin.patch(f"/api/v1/users/{made['id']}", json=limits).raise_for_status()
        admin.post("/api/v1/keys", json={"name": "reports", "scopes": ["metrics"]}).raise_for_status()


def folder_with_model(folder: Path) -> Path:
    """The demo model's files at a path of their own."""
    shutil.copytree(DEMO_FILES, folder, dirs_exist_ok=True)
    return folder


def _ask(product: Product) -> None:
    """A little traffic by two keys, some of it refused."""
    for key_name, model, count in (("laptop", MODEL, 14), ("nightly reports", "eye-chart", 9)):
        token = product.cli("key", "create", key_name)["token"]
        with httpx.Client(base_url=product.url, headers={"authorization": f"Bearer {token}"}, timeout=60) as client:
            for number in range(count):
                message = {"role": "user", "content": f"question {number}: what is in the picture?"}
                client.post(
                    "/v1/chat/completions", json={"model": model, "messages": [message], "stream": number % 2 == 0}
                ).raise_for_status()
