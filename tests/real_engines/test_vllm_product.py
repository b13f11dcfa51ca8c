"""Real vLLM on the CPU through the whole product: server, node and gateway. Models of random weights come from the
generator beside the repository, the trained one lies there too."""

import base64
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from openai import OpenAI
from tests.e2e.product import Product, wait_for

from aimindserve.domain.sight_pictures import trials

pytestmark = pytest.mark.engines
ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
PATIENCE = 400.0
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
CHEAP = ("--max-model-len=4096", "--max-num-seqs=4")
PARAMETERS = {
    "qwen2_vl": (),
    "pixtral": ("--tokenizer-mode=mistral", "--limit-mm-per-prompt=image=4"),
    "phi3_v": ("--trust-remote-code",),
}


@pytest.fixture(scope="module")
def models(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of tiny models by name, made with vLLM's own packages."""
    generator = SHARED / "tools" / "make_tiny_models.py"
    if not generator.exists():
        pytest.skip(f"{generator} is not there")
    folder = tmp_path_factory.mktemp("models")
    python = program.read_bytes().split(b"\n", 1)[0].removeprefix(b"#!").decode().strip()
    command = [python, str(generator), str(folder), *PARAMETERS, "mllama"]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    return folder


@pytest.fixture(scope="module")
def product(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A running product that finds the program in its data folder."""
    data = tmp_path_factory.mktemp("product") / "data"
    place = data / "engines" / "vllm" / "real" / "bin"
    place.mkdir(parents=True)
    (place / "vllm").symlink_to(program)
    product = Product(data)
    product.start()
    try:
        yield product
        product.clear()
    finally:
        product.stop()
        for left in product.relatives():
            left.kill()


@pytest.fixture(scope="module")
def client(product: Product) -> OpenAI:
    return OpenAI(base_url=f"{product.url}/v1", api_key=product.inference_key(), max_retries=0, timeout=120)


def deploy(product: Product, folder: Path, name: str, *parameters: str) -> None:
    spec = {"name": name, "source": f"file://{folder}", "engine": "vllm", "env": ENVIRONMENT}
    with closing(product.login()) as page:
        answer = page.post("/api/v1/deployments", json={**spec, "parameters": [*CHEAP, *parameters]})
    assert answer.status_code == 201, answer.text


def content(pictures: int) -> list[dict[str, Any]]:
    trial = trials(0)[0]
    url = f"data:image/png;base64,{base64.b64encode(trial.png).decode()}"
    return [{"type": "image_url", "image_url": {"url": url}}] * pictures + [{"type": "text", "text": trial.question}]


def ask(client: OpenAI, model: str, pictures: int) -> tuple[str, int]:
    """The streamed answer, and the tokens of the prompt."""
    messages: Any = [{"role": "user", "content": content(pictures)}]
    options = {"stream": True, "stream_options": {"include_usage": True}, "temperature": 0, "max_tokens": 12}
    text, prompt = "", 0
    for piece in client.chat.completions.create(model=model, messages=messages, **options):  # type: ignore[call-overload]
        text += "".join(choice.delta.content or "" for choice in piece.choices)
        prompt = piece.usage.prompt_tokens if piece.usage else prompt
    return text, prompt


def sight(view: dict[str, Any]) -> str:
    return str(view["replicas"][0]["sight"]["outcome"])


def stages(view: dict[str, Any]) -> list[str]:
    return [mark["stage"] for mark in view["replicas"][0]["timeline"]]


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_random_model_answers_about_pictures(product: Product, client: OpenAI, models: Path, name: str) -> None:
    deploy(product, models / name, name.replace("_", "-"), *PARAMETERS[name])
    model = name.replace("_", "-")
    view = product.wait_phase(model, "ready", PATIENCE)
    assert sight(view) in {"content_wrong", "passed"}
    reached = stages(view)
    always = ["program", "configuration", "engine", "weights", "healthy", "seen"]
    assert [stage for stage in reached if stage in always] == always
    one, two = ask(client, model, 1)[1], ask(client, model, 2)[1]
    assert two > one > 50
    product.run_cli("rm", model, "--yes")
    wait_for("no engine is left", lambda: product.engine_pids() == [])


def test_two_at_once_and_one_is_killed(product: Product, client: OpenAI, models: Path) -> None:
    deploy(product, SHARED / "models" / "tiny-vlm" / "hf", "trained")
    deploy(product, models / "qwen2_vl", "random")
    trained = product.wait_phase("trained", "ready", PATIENCE)
    product.wait_phase("random", "ready", PATIENCE)
    assert sight(trained) == "passed"
    assert "red" in ask(client, "trained", 1)[0]
    assert ask(client, "random", 1)[1] > 50
    psutil.Process(trained["replicas"][0]["pid"]).kill()

    def again() -> dict[str, Any] | None:
        view = product.cli("show", "trained")
        replica = view["replicas"][0]
        return view if view["phase"] == "ready" and replica["restarts"] == 1 else None

    # Nothing of the start is silent: each look tells the stage that is under way.
    silent, began = 0.0, time.monotonic()
    while (view := again()) is None:
        assert time.monotonic() - began < PATIENCE
        shown = product.cli("show", "trained")["replicas"][0]
        waits = shown["under_way"] is not None or shown["reasons"] or shown["phase"] == "ready"
        silent = 0.0 if waits else silent + 1.0
        assert silent < 5
        time.sleep(1)
    assert sight(view) == "passed"
    assert "red" in ask(client, "trained", 1)[0]
    product.clear()


def test_llama_3_2_vision_is_refused_with_the_version_that_runs_it(product: Product, models: Path) -> None:
    def reasons(*wish: str) -> dict[str, dict[str, Any]]:
        report = product.cli("fit", f"file://{models / 'mllama'}", "--engine", "vllm", *wish, check=False)
        return {one["code"]: one for one in report["reasons"]}

    assert reasons()["engine_not_installed"]["params"]["engine"] == "vllm 0.10.2", "it is the version that is chosen"
    dropped = reasons("--engine-version", "0.32.0")["architecture_dropped"]
    assert dropped["params"]["last"] == "0.10.2"
    assert "0.10.2" in dropped["remedy"]


def test_an_unknown_flag_is_refused_with_the_nearest(product: Product, models: Path) -> None:
    done = product.run_cli("deploy", f"file://{models / 'qwen2_vl'}", "--name", "odd", "--", "--max-model-length=1")
    assert done.returncode == 1
    assert "--max-model-len" in done.stderr
