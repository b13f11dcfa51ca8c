"""Run inside a network namespace without routes: the whole product, every page's answers, the demo model.

``python -m tests.e2e.airgap FOLDER`` prints JSON: what each question answered, and what took how long."""

import json
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
from tests.e2e.product import Product

# What a page asks of a hub; everything else must be answered from this machine.
OF_HUBS = ("/api/v1/hub/", "/api/v1/settings/hub/check")
EXAMPLES = {"{name}": "tiny-vlm", "{repository}": "org/repo", "{hub}": "hf", "{owner}": "org"}
QUERIES = {"/api/v1/hub/search": {"q": "qwen"}, "/api/v1/replicas/{replica_id}/log": {"attempt": 1, "offset": 0}}


def main(folder: Path) -> dict[str, Any]:
    """Everything, from start to stop."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    product = Product(folder / "data", "--demo", "--llama-threads", "1")
    try:
        product.start()
        started = product.wait_phase("tiny-vlm", "ready", 120)
        answers = {"pages": pages(product), "commands": commands(product, folder), "demo": demo(product)}
        return {**answers, "replica": started["replicas"][0]["phase"]}
    finally:
        product.stop()
        product.run_cli("stop-engines")


def pages(product: Product) -> dict[str, list[Any]]:
    """Status, code and seconds of every GET that needs no id which nobody knows."""
    asked: dict[str, list[Any]] = {}
    with closing(product.login()) as client:
        paths = client.get("/openapi.json").raise_for_status().json()["paths"]
        for path, methods in sorted(paths.items()):
            filled = path.replace("/catalog/{name}", "/catalog/qwen2-vl")
            for mark, value in EXAMPLES.items():
                filled = filled.replace(mark, value)
            if "get" not in methods or "{" in filled:
                continue
            then = time.monotonic()
            answer = client.get(filled, params=QUERIES.get(path, {}), timeout=60)
            problem = answer.json().get("code", "") if answer.status_code >= 400 else ""
            asked[path] = [answer.status_code, problem, round(time.monotonic() - then, 2)]
    return asked


def commands(product: Product, folder: Path) -> dict[str, list[Any]]:
    """Exit code, first line and seconds of what people type."""
    done: dict[str, list[Any]] = {}
    for words in (
        ["catalog", "ls"], ["fit", "demo://tiny-vlm"], ["doctor", "--hub"], ["search", "qwen"],
        ["backup", str(folder / "b.tar.gz")],
    ):  # fmt: skip
        then = time.monotonic()
        answer = product.run_cli(*words)
        done[" ".join(words[:2])] = [answer.returncode, answer.stderr[-300:], round(time.monotonic() - then, 2)]
    return done


def demo(product: Product) -> str:
    """What the demo model says to its picture."""
    key = product.inference_key()
    body = json.loads((product.data / "demo-request.json").read_text())
    answer = httpx.post(
        f"{product.url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"}, timeout=120
    )
    return str(answer.raise_for_status().json()["choices"][0]["message"]["content"])


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
