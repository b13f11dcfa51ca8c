"""The emulated engine answers like an engine."""

import json
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from openai import OpenAI
from tests.sim.engine_process import Running, engine, texts

from aimindserve.domain.sight_pictures import trials
from aimindserve.domain.tryout import AGENT, complaint, picture_question, said

PICTURE = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with engine("--alias", "m,other", "--api-key", "secret") as it:
        it.http.headers["authorization"] = "Bearer secret"
        yield it


def test_official_client_gets_the_same_text_streaming_and_not(running: Running) -> None:
    client = OpenAI(base_url=f"http://127.0.0.1:{running.port}/v1", api_key="secret")
    ask = [{"role": "user", "content": "Describe this."}]
    whole = client.chat.completions.create(model="m", messages=ask, max_tokens=9)
    stream = client.chat.completions.create(model="m", messages=ask, max_tokens=9, stream=True)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert whole.choices[0].message.content == said == "An emulated engine answers this 1 2 3 4"
    assert whole.choices[0].finish_reason == "length"
    assert [model.id for model in client.models.list()] == ["m", "other"]


def test_tokens_follow_from_the_request(running: Running) -> None:
    plain = running.chat("one two, three").json()["usage"]
    assert plain == {"prompt_tokens": 4 + 4, "completion_tokens": 16, "total_tokens": 24}
    parts = [{"type": "text", "text": "one"}] + [{"type": "image_url", "image_url": {"url": PICTURE}}] * 2
    body = {"messages": [{"role": "user", "content": parts}], "max_tokens": 2}
    seen = running.http.post("/v1/chat/completions", json=body).json()["usage"]
    assert seen == {"prompt_tokens": 1 + 2 * 16 + 4, "completion_tokens": 2, "total_tokens": 39}


def test_usage_comes_in_a_last_event_only_when_asked_for(running: Running) -> None:
    without = running.events(max_tokens=3)
    counted = running.events(max_tokens=3, stream_options={"include_usage": True})
    assert not any('"usage"' in event for event in without)
    assert counted[-1] == "[DONE]"
    last = json.loads(counted[-2])
    assert last["choices"] == []
    assert last["usage"] == {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
    assert texts(counted) == texts(without) == "An emulated engine"


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("missing", "absent"),
        ("null", None),
        ("wrong", {"prompt_tokens": -1, "completion_tokens": 10**12, "total_tokens": 7}),
        ("text", {"prompt_tokens": "many", "completion_tokens": "some", "total_tokens": "lots"}),
    ],
)
def test_usage_can_be_wrong(running: Running, how: str, expected: object) -> None:
    assert running.chat(headers={"x-fake-usage": how}).json().get("usage", "absent") == expected


def test_knobs_come_by_header_body_and_prompt(running: Running) -> None:
    by_header = running.chat(headers={"x-fake-tokens": "3"})
    by_body = running.chat(fake={"tokens": 3})
    by_prompt = running.chat("x [[fake tokens=3 usage=missing]]")
    said = [answer.json()["choices"][0]["message"]["content"] for answer in (by_header, by_body, by_prompt)]
    assert said == ["An emulated engine"] * 3
    assert "usage" not in by_prompt.json()
    assert running.chat(headers={"x-fake-nonsense": "1"}).status_code == 400


def test_a_huge_answer(running: Running) -> None:
    text = running.chat(fake={"answer-bytes": 3_000_000}).json()["choices"][0]["message"]["content"]
    assert 2_900_000 < len(text) < 3_000_100


@pytest.mark.parametrize(
    ("framing", "head"), [("length", "content-length"), ("chunked", "transfer-encoding"), ("close", "connection")]
)
def test_framing(running: Running, framing: str, head: str) -> None:
    answer = running.chat(headers={"x-fake-framing": framing, "x-fake-dribble": "7"})
    assert head in answer.headers
    assert len({"content-length", "transfer-encoding"} & set(answer.headers)) == (framing != "close")
    assert answer.json()["choices"][0]["message"]["content"].startswith("An emulated")


def test_connection_close_and_keep_alive(running: Running) -> None:
    assert running.chat(headers={"x-fake-connection": "close"}).headers["connection"] == "close"
    assert running.chat().headers["connection"] == "keep-alive"


def test_echo_shows_what_arrived(running: Running) -> None:
    answer = running.http.post("/v1/anything?q=1", content=b"\x00\xff!", headers={"x-fake-echo": "1", "x-own": "v"})
    seen = answer.json()
    assert (seen["method"], seen["target"], seen["length"]) == ("POST", "/v1/anything?q=1", 3)
    assert ["x-own", " v"] in seen["headers"]
    assert seen["body"].encode("latin-1") == b"\x00\xff!"


def test_chunked_requests_are_read(running: Running) -> None:
    answer = running.http.post("/fake/echo", content=iter([b"one", b"two"]))
    assert (answer.json()["body"], answer.json()["length"]) == ("onetwo", 6)


def test_garbage_is_no_http(running: Running) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        running.chat(headers={"x-fake-garbage": "1"})


def test_key_is_asked_for_as_llama_cpp_does(running: Running) -> None:
    address = f"http://127.0.0.1:{running.port}"
    assert httpx.get(f"{address}/health").status_code == 200
    assert httpx.get(f"{address}/v1/models").status_code == 200
    refused = httpx.post(f"{address}/v1/chat/completions", json={})
    assert (refused.status_code, refused.json()["error"]["message"]) == (401, "Invalid API Key")


def test_other_endpoints(running: Running) -> None:
    made = running.http.post("/v1/embeddings", json={"input": ["a b", "a b", "c"]}).json()
    first, second, third = (row["embedding"] for row in made["data"])
    assert first == second != third
    assert made["usage"]["prompt_tokens"] == 5
    ranked = running.http.post("/v1/rerank", json={"query": "red", "documents": ["blue", "red"]}).json()["results"]
    assert [row["index"] for row in ranked] == [1, 0]
    completed = running.http.post("/v1/completions", json={"prompt": "x", "max_tokens": 1}).json()
    assert completed["choices"][0]["text"] == "An"
    assert running.http.get("/nothing").status_code == 404
    assert running.http.post("/v1/chat/completions", content=b"{bad").status_code == 400


def test_split_characters_survive(running: Running) -> None:
    events = running.events(fake={"split-utf8": 1, "dribble": 1, "tokens": 2})
    assert texts(events) == "An图片 emulated图片"


def test_imports_nothing_but_the_standard_library() -> None:
    """Tests start many of these; third-party imports would make each start slow."""
    code = "import sys, aimindserve.sim.fake_engine; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    heavy = {"pydantic", "httpx", "msgspec", "psutil", "structlog", "sqlalchemy", "fastapi"}
    assert "aimindserve.sim.engine_service" in out
    assert heavy.isdisjoint(out)


@pytest.mark.parametrize(("how", "right"), [("passes", True), ("wrong", False)])
def test_the_pictures_of_a_start(how: str, *, right: bool) -> None:
    with engine("--fake-sight", how, "--fake-request", "status=500") as running:
        for trial in trials(1):
            question = picture_question("m", trial)
            answer = running.http.post(question.path, json=dict(question.body), headers={"user-agent": AGENT})
            told = said(answer.content)
            assert told is not None
            assert trial.is_right(told) is right
        assert running.state()["requests"] == 0


def test_a_start_s_picture_may_be_refused() -> None:
    question = picture_question("m", trials(0)[0])
    with engine("--fake-sight", "refused") as running:
        answer = running.http.post(question.path, json=dict(question.body), headers={"user-agent": AGENT})
        assert answer.status_code == 400
        assert "not supported" in complaint(answer.status_code, answer.content)
