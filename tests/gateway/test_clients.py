"""The official clients' own calls, through the gateway, to the emulated engines: every endpoint of the table."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx
import openai
import pytest
import pytest_asyncio
from tests.gateway.harness import KEY, MODEL, Rig, http, route
from tests.gateway.pictures import real, uri

from aimindserve.domain.usage import UsageRecord
from aimindserve.gateway.endpoints import LLAMA, VLLM
from aimindserve.sim.engine_knobs import Knobs
from aimindserve.sim.engine_options import read_options
from aimindserve.sim.engine_service import Service

RED = real()


@dataclass
class Clients:
    """The clients of one gateway with one emulated engine behind it."""

    stage: Rig
    openai: openai.AsyncOpenAI
    anthropic: anthropic.AsyncAnthropic
    http: httpx.AsyncClient

    def records(self) -> list[UsageRecord]:
        outbox = self.stage.gateway.outbox
        batch = outbox.next_batch()
        if batch is None:
            return []
        outbox.acknowledged(batch.batch)
        return list(batch.records)

    def counts(self) -> list[tuple[str, int, int, str]]:
        return [(r.endpoint, r.prompt_tokens, r.completion_tokens, r.counted_by) for r in self.records()]


@contextlib.asynccontextmanager
async def clients_of(stage: Rig, engine: str) -> AsyncIterator[Clients]:
    words = ["serve", "model"] if engine == VLLM else ["--model", "model.gguf"]
    service = Service(read_options(words, {}), Knobs())
    service.state.ready = True
    upstream = await stage.engine()
    assert upstream.server is not None
    upstream.on_connection = service.serve
    upstream.server.close()
    await upstream.start()
    stage.serve(route(upstream.port, engine=engine))
    url = f"http://127.0.0.1:{stage.port}"
    async with (
        openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as one,
        anthropic.AsyncAnthropic(base_url=url, api_key=KEY, max_retries=0) as other,
        httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {KEY}"}) as raw,
    ):
        yield Clients(stage, one, other, raw)


@pytest_asyncio.fixture(params=[LLAMA, VLLM])
async def clients(stage: Rig, request: pytest.FixtureRequest) -> AsyncIterator[Clients]:
    async with clients_of(stage, request.param) as made:
        yield made


SAID = "An emulated engine answers this"


async def test_chat(clients: Clients) -> None:
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": uri(RED)}}]
    asked = {"model": MODEL, "messages": [{"role": "user", "content": content}], "max_tokens": 5}
    whole = await clients.openai.chat.completions.create(**asked)
    assert whole.choices[0].message.content == SAID
    stream = await clients.openai.chat.completions.create(**asked, stream=True)
    assert "".join([piece.choices[0].delta.content or "" async for piece in stream]) == SAID
    assert clients.counts() == [("chat.completions", 24, 5, "engine")] * 2


async def test_completions(clients: Clients) -> None:
    whole = await clients.openai.completions.create(model=MODEL, prompt="hello there", max_tokens=5)
    assert whole.choices[0].text == SAID
    stream = await clients.openai.completions.create(model=MODEL, prompt="hello there", max_tokens=5, stream=True)
    assert "".join([piece.choices[0].text async for piece in stream]) == SAID
    assert clients.counts() == [("completions", 2, 5, "engine")] * 2


async def test_responses(clients: Clients) -> None:
    content = [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": uri(RED), "detail": "auto"},
    ]
    asked = {"model": MODEL, "input": [{"role": "user", "content": content}], "max_output_tokens": 5}
    whole = await clients.openai.responses.create(**asked)
    assert whole.output_text == SAID
    async with clients.openai.responses.stream(**asked) as stream:
        pieces = [event.delta async for event in stream if event.type == "response.output_text.delta"]
        assert "".join(pieces) == SAID
        usage = (await stream.get_final_response()).usage
        assert usage is not None
        assert usage.output_tokens == 5
    assert (
        await clients.openai.responses.create(model=MODEL, input="hello", max_output_tokens=2)
    ).status == "completed"
    assert [record[2:] for record in clients.counts()] == [(5, "engine"), (5, "engine"), (2, "engine")]


async def test_messages(clients: Clients) -> None:
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": uri(RED)[22:]}}
    content = [picture, {"type": "text", "text": "What is it?"}]
    asked = {"model": MODEL, "messages": [{"role": "user", "content": content}], "max_tokens": 5}
    whole = await clients.anthropic.messages.create(**asked)
    assert (whole.content[0].text, whole.usage.output_tokens) == (SAID, 5)
    async with clients.anthropic.messages.stream(**asked) as stream:
        assert "".join([text async for text in stream.text_stream]) == SAID
        assert (await stream.get_final_message()).usage.output_tokens == 5
    counted = await clients.anthropic.messages.count_tokens(model=MODEL, messages=asked["messages"])
    assert counted.input_tokens == whole.usage.input_tokens == 24
    assert clients.counts()[:2] == [("messages", 24, 5, "engine")] * 2


async def test_embeddings_and_ranking(clients: Clients) -> None:
    vectors = await clients.openai.embeddings.create(model=MODEL, input=["a b", "c"])
    assert [len(one.embedding) for one in vectors.data] == [8, 8]
    answer = await clients.http.post("/v1/rerank", json={"model": MODEL, "query": "a b", "documents": ["c", "b a"]})
    assert [one["index"] for one in answer.json()["results"]] == [1, 0]
    assert clients.counts() == [("embeddings", 3, 0, "engine"), ("rerank", 3, 0, "engine")]


async def test_tokens_under_one_name_on_every_engine(clients: Clients) -> None:
    answer = await clients.http.post("/v1/tokenize", json={"model": MODEL, "prompt": "two words"})
    assert (answer.status_code, len(answer.json()["tokens"])) == (200, 2)


async def test_sounds(clients: Clients) -> None:
    sound = ("speech.wav", b"RIFF" + bytes(100_000), "audio/wav")
    heard = await clients.openai.audio.transcriptions.create(model=MODEL, file=sound)
    assert heard.text == "Heard 100004 bytes."
    assert clients.counts() == [("audio.transcriptions", 100_004, 4, "engine")]


async def test_models(clients: Clients) -> None:
    assert [model.id async for model in clients.openai.models.list()] == [MODEL]
    assert (await clients.openai.models.retrieve(MODEL)).id == MODEL


async def test_what_an_engine_lacks_is_told_in_the_form_of_the_client(stage: Rig) -> None:
    sound = ("a.wav", b"RIFF", "audio/wav")
    async with clients_of(stage, LLAMA) as clients:
        calls = [
            clients.openai.audio.translations.create(model=MODEL, file=sound),
            clients.openai.audio.speech.create(model=MODEL, input="hello", voice="alloy"),
            clients.openai.images.generate(model=MODEL, prompt="a cat"),
            clients.openai.images.edit(model=MODEL, image=("a.png", RED, "image/png"), prompt="a cat"),
        ]
        for call in calls:
            with pytest.raises(openai.InternalServerError) as caught:
                await call
            assert (caught.value.status_code, caught.value.code) == (501, "not_supported_by_engine")
            assert "llama.cpp" in caught.value.message
        with pytest.raises(openai.NotFoundError):
            await clients.openai.images.generate(model="nobody", prompt="a cat")
        assert clients.counts() == []
    async with clients_of(stage, VLLM) as clients:
        assert "Translated" in (await clients.openai.audio.translations.create(model=MODEL, file=sound)).text


@pytest.mark.parametrize("body", [b'{"detail":"Not Found"}', b'{"error":{"message":"File Not Found","code":404}}'])
async def test_an_engine_that_is_too_old_for_an_endpoint(stage: Rig, body: bytes) -> None:
    async def reply(seen: object, writer) -> None:
        writer.write(http(body, 404))

    engine = await stage.engine(reply)
    stage.serve(route(engine.port, engine=VLLM))
    asked = {"model": MODEL, "max_tokens": 5, "messages": [{"role": "user", "content": "hello"}]}
    async with anthropic.AsyncAnthropic(base_url=f"http://127.0.0.1:{stage.port}", api_key=KEY, max_retries=0) as one:
        with pytest.raises(anthropic.InternalServerError) as caught:
            await one.messages.create(**asked)
    assert caught.value.status_code == 501
    assert caught.value.body["error"]["code"] == "not_supported_by_engine"  # type: ignore[index]


async def test_errors_in_anthropics_form(clients: Clients) -> None:
    asked = {"max_tokens": 5, "messages": [{"role": "user", "content": "hello"}]}
    with pytest.raises(anthropic.NotFoundError) as unknown:
        await clients.anthropic.messages.create(model="nobody", **asked)
    assert unknown.value.body["type"] == "error"  # type: ignore[index]
    assert unknown.value.body["error"]["type"] == "not_found_error"  # type: ignore[index]
    document: Any = {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
    }
    with pytest.raises(anthropic.BadRequestError, match="PDF"):
        await clients.anthropic.messages.create(
            model=MODEL, max_tokens=5, messages=[{"role": "user", "content": [document]}]
        )
    async with anthropic.AsyncAnthropic(
        base_url=f"http://127.0.0.1:{clients.stage.port}", api_key="sk-no", max_retries=0
    ) as stranger:
        with pytest.raises(anthropic.AuthenticationError):
            await stranger.messages.create(model=MODEL, **asked)


async def test_a_broken_stream_ends_with_an_error_event_of_its_form(clients: Clients) -> None:
    asked = {"max_tokens": 5, "messages": [{"role": "user", "content": "[[fake close-at-token=2]]"}]}
    with pytest.raises(anthropic.APIStatusError) as caught:
        async with clients.anthropic.messages.stream(model=MODEL, **asked) as stream:
            await stream.get_final_message()
    assert caught.value.body["error"]["code"] == "engine_failed"  # type: ignore[index]
