"""The official clients through the gateway to llama.cpp's own server with the demo model: what the table of endpoints
promises of it."""

from __future__ import annotations

import contextlib
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest
import pytest_asyncio
from tests.gateway.harness import KEY, Rig, rig, route
from tests.gateway.pictures import real, uri
from tests.gateway.test_clients import Clients
from tests.gateway.test_process import free_port

import aimindserve.demo_model
from aimindserve.gateway.endpoints import LLAMA

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(importlib.util.find_spec("xllamacpp") is None, reason="llama.cpp is not installed"),
    pytest.mark.asyncio(loop_scope="module"),
]

FILES = Path(next(iter(aimindserve.demo_model.__path__)))
MODEL = "tiny-vlm"
PATIENCE = 120.0


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def engine() -> Iterator[int]:
    """The port of the real server, which answers."""
    port = free_port()
    command = [sys.executable, "-P", "-m", "aimindserve.node.llama_server", "--alias", MODEL, "--port", str(port)]
    command += ["--model", str(FILES / "tiny-vlm-q8_0.gguf"), "--mmproj", str(FILES / "mmproj-tiny-vlm-q8_0.gguf")]
    command += ["--threads", "1", "--threads-batch", "1", "--ctx-size", "4096", "--parallel", "1", "--jinja"]
    command += ["--image-min-tokens", "16", "--image-max-tokens", "16"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def is_healthy() -> bool:
        assert process.poll() is None
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{port}/health", timeout=PATIENCE).status_code == 200
        return False

    try:
        _wait_for(is_healthy)
        yield port
    finally:
        process.kill()
        process.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clients(engine: int) -> AsyncIterator[Clients]:
    with tempfile.TemporaryDirectory(prefix="gw-") as folder:
        async with rig(Path(folder)) as stage:
            stage.serve(route(engine, model=MODEL, engine=LLAMA))
            async with _clients(stage) as made:
                yield made


class _clients:  # noqa: N801
    def __init__(self, stage: Rig) -> None:
        url = f"http://127.0.0.1:{stage.port}"
        headers = {"authorization": f"Bearer {KEY}"}
        self.made = Clients(
            stage,
            openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0),
            anthropic.AsyncAnthropic(base_url=url, api_key=KEY, max_retries=0),
            httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE),
        )

    async def __aenter__(self) -> Clients:
        return self.made

    async def __aexit__(self, *error: object) -> None:
        await self.made.openai.close()
        await self.made.anthropic.close()
        await self.made.http.aclose()


PICTURE = uri(real("PNG", (96, 96)))
QUESTION = "What is the main color of the picture?"


async def test_chat(clients: Clients) -> None:
    content = [{"type": "image_url", "image_url": {"url": PICTURE}}, {"type": "text", "text": QUESTION}]
    asked: Any = {
        "model": MODEL,
        "messages": [{"role": "user", "content": content}],
        "max_tokens": 12,
        "temperature": 0,
    }
    whole = await clients.openai.chat.completions.create(**asked)
    stream = await clients.openai.chat.completions.create(**asked, stream=True)
    said = "".join([piece.choices[0].delta.content or "" async for piece in stream if piece.choices])
    assert said == whole.choices[0].message.content != ""
    usage = whole.usage
    assert clients.counts() == [("chat.completions", usage.prompt_tokens, usage.completion_tokens, "engine")] * 2


async def test_responses(clients: Clients) -> None:
    content = [{"type": "input_image", "image_url": PICTURE}, {"type": "input_text", "text": QUESTION}]
    asked: Any = {"model": MODEL, "input": [{"role": "user", "content": content}], "max_output_tokens": 12}
    whole = await clients.openai.responses.create(**asked, temperature=0)
    stream = await clients.openai.responses.create(**asked, temperature=0, stream=True)
    said = "".join([event.delta async for event in stream if event.type == "response.output_text.delta"])
    assert said == whole.output_text != ""
    usage = whole.usage
    assert clients.counts() == [("responses", usage.input_tokens, usage.output_tokens, "engine")] * 2


async def test_messages(clients: Clients) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE.partition(",")[2]}
    content = [{"type": "image", "source": source}, {"type": "text", "text": QUESTION}]
    asked: Any = {"model": MODEL, "messages": [{"role": "user", "content": content}]}
    cold: Any = {"max_tokens": 12, "extra_body": {"temperature": 0}}
    whole = await clients.anthropic.messages.create(**asked, **cold)
    async with clients.anthropic.messages.stream(**asked, **cold) as stream:
        said = "".join([text async for text in stream.text_stream])
    assert said == whole.content[0].text != ""
    counted = await clients.anthropic.messages.count_tokens(**asked)
    usage = whole.usage
    went_in = usage.input_tokens + (usage.cache_read_input_tokens or 0)
    assert went_in == counted.input_tokens
    assert clients.counts()[:2] == [("messages", went_in, usage.output_tokens, "engine")] * 2


async def test_tokens_and_what_the_model_is_not_made_for(clients: Clients) -> None:
    answer = await clients.http.post("/v1/tokenize", json={"model": MODEL, "prompt": "two words"})
    assert (answer.status_code, len(answer.json()["tokens"])) == (200, 6)
    for call in (
        clients.openai.embeddings.create(model=MODEL, input="x"),
        clients.openai.audio.transcriptions.create(model=MODEL, file=("a.wav", b"RIFF" + bytes(3000), "audio/wav")),
        clients.openai.images.generate(model=MODEL, prompt="a cat"),
    ):
        with pytest.raises(openai.InternalServerError) as caught:
            await call
        assert (caught.value.status_code, caught.value.code) == (501, "not_supported_by_engine")
