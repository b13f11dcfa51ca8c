"""From an empty data folder to a described picture: the way that `make demo` goes, with the real engine."""

import base64
import contextlib
import io
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import psutil
import pytest
from PIL import Image, ImageDraw
from tests.e2e.product import Product, wait_for

MODEL = "tiny-vlm"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    running = Product(tmp_path_factory.mktemp("demo") / "data", "--demo", "--llama-threads", "1")
    running.start()
    yield running
    running.run_cli("rm", MODEL, "--yes")
    wait_for("no engine is left", lambda: running.engine_pids() == [])
    running.stop()


@pytest.fixture(scope="module")
def client(product: Product) -> openai.OpenAI:
    product.wait_phase(MODEL, "ready")
    return openai.OpenAI(base_url=f"{product.url}/v1", api_key=product.inference_key(), max_retries=0)


def red_circle() -> str:
    """A picture of a red circle on white, as a data URI."""
    picture = Image.new("RGB", (112, 112), "white")
    ImageDraw.Draw(picture).ellipse((26, 26, 86, 86), fill=(220, 30, 30))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def question(text: str) -> list[dict[str, object]]:
    """A user message with the picture and ``text``."""
    picture = {"type": "image_url", "image_url": {"url": red_circle()}}
    return [{"role": "user", "content": [picture, {"type": "text", "text": text}]}]


def test_the_picture_is_described(client: openai.OpenAI) -> None:
    messages = question("Describe this image.")
    answer = client.chat.completions.create(model=MODEL, messages=messages, temperature=0)  # type: ignore[arg-type]
    text = (answer.choices[0].message.content or "").lower()
    assert "red" in text
    assert "circle" in text
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0


def test_what_it_took_stands_beside_the_estimate(product: Product, client: openai.OpenAI) -> None:
    assert client
    shown: list[str] = []

    def measured() -> bool:
        shown[:] = [product.run_cli("show", MODEL).stdout]
        return "MEASURED" in shown[0]

    wait_for("its memory is measured", measured)
    for item in ("weights", "projector", "kv_cache", "compute", "vision_compute", "total"):
        assert re.search(rf"^{item} +cpu +[\d.]+ [KMG]iB +[\d.]+ [KMG]iB +[\d.]+ [KMG]iB$", shown[0], re.MULTILINE), (
            item
        )


def test_the_answer_streams(client: openai.OpenAI) -> None:
    messages = question("What colour is the circle?")
    stream = client.chat.completions.create(model=MODEL, messages=messages, temperature=0, stream=True)  # type: ignore[arg-type, call-overload]
    parts = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    assert "red" in "".join(parts).lower()
    assert len([part for part in parts if part]) > 1


def test_the_model_is_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [MODEL]


def test_an_unknown_model_gets_near_names(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match=MODEL):
        client.chat.completions.create(model="tiny-vml", messages=[{"role": "user", "content": "hi"}])


def test_a_wrong_key_is_refused(product: Product) -> None:
    stranger = openai.OpenAI(base_url=f"{product.url}/v1", api_key="sk-nobody-knows", max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        stranger.models.list()


def test_a_deleted_key_is_soon_refused(product: Product) -> None:
    key = product.cli("key", "create", "short-lived")
    bearer = {"authorization": f"Bearer {key['token']}"}
    with httpx.Client(base_url=product.url, headers=bearer, timeout=30) as program:
        assert program.get("/v1/models").status_code == 200
        product.cli("key", "rm", key["id"])
        deleted = time.monotonic()
        wait_for("the key is refused", lambda: program.get("/v1/models").status_code == 401)
    print(f"refused {time.monotonic() - deleted:.3f} s after the command (aim: 1 s)")


def test_an_engine_crash_is_healed(product: Product, client: openai.OpenAI) -> None:
    (pid,) = product.engine_pids()
    psutil.Process(pid).kill()
    wait_for("another engine runs", lambda: [new for new in product.engine_pids() if new != pid])
    product.wait_phase(MODEL, "ready")
    test_the_picture_is_described(client)


def test_nothing_listens_beyond_loopback(product: Product) -> None:
    """The public port was bound to loopback here, so every listener of ours must be on loopback."""
    pids = {process.pid for process in product.relatives()} | set(product.engine_pids())
    listening = [c for c in psutil.net_connections("inet") if c.status == psutil.CONN_LISTEN and c.pid in pids]
    assert listening
    assert {connection.laddr.ip for connection in listening} <= {"127.0.0.1", "::1"}


def test_a_session_with_the_initial_password_may_only_change_it(product: Product) -> None:
    headers = {"x-aimindserve-csrf": "1", "origin": product.url}
    with httpx.Client(base_url=product.url, headers=headers, timeout=30) as browser:
        password = (product.data / "initial_admin_password").read_text().strip()
        browser.post("/api/v1/session", json={"username": "admin", "password": password}).raise_for_status()
        body = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}]}
        inference = browser.post("/v1/chat/completions", json=body)
        management = browser.get("/api/v1/deployments")
    assert (inference.status_code, inference.json()["error"]["code"]) == (403, "password_change_required")
    assert (management.status_code, management.json()["code"]) == (403, "password_change_required")


def test_modes_of_what_is_secret(product: Product) -> None:
    assert product.data.stat().st_mode & 0o077 == 0
    for name in ("keys/pepper", "keys/local-cli", "initial_admin_password", "routing-table.json", "run/settings.json"):
        path: Path = product.data / name
        assert path.stat().st_mode & 0o077 == 0, name


# The template's own tokens around each picture.
AROUND_A_PICTURE = ("<|vision_start|>", "<|vision_end|>")


def prompt_tokens(client: openai.OpenAI, pictures: int) -> int:
    """Tokens of a question with so many pictures, as the engine counts them."""
    messages = question("What?")
    (message,) = messages
    picture, text = message["content"]  # type: ignore[misc]
    message["content"] = [picture] * pictures + [text]
    answer = client.chat.completions.create(model=MODEL, messages=messages, max_tokens=1)  # type: ignore[arg-type]
    assert answer.usage is not None
    return answer.usage.prompt_tokens


def test_a_picture_takes_the_tokens_that_were_told_before(product: Product, client: openai.OpenAI) -> None:
    sizes = {"pictures": [{"width": 112, "height": 112}]}
    with contextlib.closing(product.login()) as page:
        (told,) = page.post(f"/api/v1/deployments/{MODEL}/image-tokens", json=sizes).json()["items"]
    assert told["exact"]
    once, twice = (prompt_tokens(client, pictures) for pictures in (1, 2))
    assert twice - once == told["tokens"] + len(AROUND_A_PICTURE)
