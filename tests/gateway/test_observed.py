"""What can be seen of the gateway from outside: metrics, the request log, traces."""

from __future__ import annotations

import gc
import re
import stat
from pathlib import Path

import msgspec
import pytest
from tests.gateway.harness import METRICS_KEY, Rig, chat, get, http, post, rig, route, streaming, until
from tests.gateway.pictures import real, uri

from aimindserve.domain.usage import UsageRecord
from aimindserve.gateway.forward import Exchange
from aimindserve.gateway.metrics import MOST_MODELS, OTHERS, Metrics, exposition
from aimindserve.gateway.request_log import RequestLog

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_SAMPLE = re.compile(r'^[a-z_]+(\{[a-z_]+="(?:[^"\\]|\\.)*"(,[a-z_]+="(?:[^"\\]|\\.)*")*\})? -?[0-9.e+-]+$')


def record(number: int, **changes: object) -> UsageRecord:
    values = {"started_at": 5.0, "endpoint": "chat.completions", "model": "m", "deployment_id": "d", "replica_id": "r"}
    values |= {"user_id": "u", "key_id": "k", "status": 200}
    return UsageRecord(request_id=f"r{number}", **(values | changes))  # type: ignore[arg-type]


async def scraped(stage: Rig) -> dict[str, float]:
    answer = await stage.ask(get("/metrics", key=METRICS_KEY))
    assert answer.status == 200
    lines = answer.body.decode().splitlines()
    assert all(line.startswith("# TYPE ") or _SAMPLE.match(line) for line in lines), lines
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


async def test_requests_are_counted_by_model_and_status(stage: Rig) -> None:
    good, bad = await stage.engine(streaming(3)), await stage.engine(lambda seen, writer: refuse(writer))
    stage.serve(route(good.port, model="one"), route(bad.port, model="two"))
    body = chat("one", stream=True)
    answers = [await stage.ask(post(body)), await stage.ask(post(chat("two"))), await stage.ask(post(chat("three")))]
    assert [answer.status for answer in answers] == [200, 400, 404]
    seen = await scraped(stage)
    name = "aimindserve_gateway_"
    assert seen[name + 'requests_total{endpoint="chat.completions",model="one",status="200"}'] == 1
    assert seen[name + 'requests_total{endpoint="chat.completions",model="two",status="400"}'] == 1
    assert seen[name + 'refused_total{code="model_not_found",status="404"}'] == 1
    assert seen[name + 'tokens_total{model="one",kind="prompt"}'] == 5
    assert seen[name + 'time_to_first_token_seconds_count{model="one"}'] == 1
    assert seen[name + 'inter_token_seconds_count{model="one"}'] == 2
    assert seen[name + 'request_duration_seconds_bucket{model="two",le="+Inf"}'] == 1
    assert seen[name + "overhead_seconds_count"] == 1
    assert seen[name + "request_body_bytes_total"] == len(body) + len(chat("two")) + len(chat("three"))
    assert seen[name + "sent_bytes_total"] >= sum(len(answer.body) for answer in answers)
    assert not any("three" in line for line in seen), "what strangers ask for makes no series"


async def refuse(writer) -> None:
    writer.write(http(b'{"error":{"message":"no"}}', 400))


def test_the_number_of_series_is_bounded() -> None:
    metrics = Metrics()
    metrics.count([record(number, model=f"m{number}") for number in range(MOST_MODELS + 50)])
    assert len(metrics.models) == MOST_MODELS + 1
    assert metrics.requests["chat.completions", OTHERS, 200] == 50
    metrics.count([record(1, model='quote"back\\slash\nline')])
    assert all(_SAMPLE.match(line) or line[0] == "#" for line in exposition(metrics, {}, {}).decode().splitlines())


@pytest.mark.parametrize(
    ("headers", "passed"),
    [
        (
            f"traceparent: {PARENT}\r\ntracestate: a=1\r\nTraceState: b=2\r\n",
            {"traceparent": PARENT, "tracestate": "a=1,b=2"},
        ),
        (f"traceparent: {PARENT}\r\n", {"traceparent": PARENT}),
        ("tracestate: a=1\r\n", {}),
        ("traceparent: ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n", {}),
        (f"traceparent: 00-{'0' * 32}-00f067aa0ba902b7-01\r\ntracestate: a=1\r\n", {}),
        ("traceparent: nonsense\r\n", {}),
        (f"traceparent: {PARENT}\r\ntracestate: {'x' * 600}\r\n", {"traceparent": PARENT}),
    ],
)
async def test_a_trace_goes_on_to_the_engine(stage: Rig, headers: str, passed: dict[str, str]) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    assert (await stage.ask(post(chat(), headers=headers))).status == 200
    seen = engine.seen[0]
    found = {name: value for name in ("traceparent", "tracestate") if (value := seen.header(name)) is not None}
    assert found == passed


async def test_the_request_log_has_no_content(folder: Path) -> None:
    async with rig(folder, request_log_sample=1.0) as stage:
        engine = await stage.engine()
        stage.serve(route(engine.port))
        answer = await stage.ask(post(chat(messages=[{"role": "user", "content": "a very private question"}])))
        log = stage.gateway.request_log
        assert log is not None
        log.write(log.take())
        file = folder / "logs" / "requests.jsonl"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        text = file.read_bytes()
        assert b"private" not in text
        assert b'"usage' not in text
        [line] = map(msgspec.json.decode, text.splitlines())
        assert line["request_id"] == answer.headers["x-request-id"]
        assert (line["model"], line["status"], line["completion_tokens"]) == ("tiny", 200, 7)


async def test_without_the_setting_there_is_no_request_log(stage: Rig) -> None:
    assert stage.gateway.request_log is None


def test_a_share_of_requests_is_logged_and_the_file_is_put_aside(tmp_path: Path) -> None:
    draws = iter([0.05, 0.2, 0.09, 0.1])
    log = RequestLog(tmp_path / "logs" / "requests.jsonl", 0.1, limit=300, draw=lambda: next(draws))
    for number in range(4):
        log.add(record(number))
    taken = log.take()
    assert [one.request_id for one, _ in taken] == ["r0", "r2"]
    for _ in range(3):
        log.write(taken)
    files = sorted(file.name for file in (tmp_path / "logs").iterdir())
    assert files == ["requests.jsonl.1"]
    log.write(taken[:1])
    assert (tmp_path / "logs" / "requests.jsonl").read_bytes().count(b"\n") == 1
    RequestLog(tmp_path / "logs" / "requests.jsonl" / "no", 1.0).write(taken)


async def test_requests_leave_nothing_for_the_collector(stage: Rig) -> None:
    """A cycle would keep all of a request until the collector runs, which is made rare."""
    engine = await stage.engine()
    stage.serve(route(engine.port))
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            assert (await stage.ask(post(chat()))).status == 200
        await until(lambda: not stage.gateway.clients)
        assert not [left for left in gc.get_objects() if isinstance(left, Exchange)]
    finally:
        gc.enable()


async def test_what_was_asked_is_noted_for_the_models_that_are_named_and_no_other(folder: Path) -> None:
    picture = {"type": "image_url", "image_url": {"url": uri(real())}}
    async with rig(folder, request_log_sample=1.0, request_log_prompts=("watched",)) as stage:
        engine = await stage.engine()
        stage.serve(route(engine.port, model="watched"), route(engine.port, model="private"))
        for model in ("watched", "private"):
            content = [{"type": "text", "text": f"what is on it, {model}?"}, picture]
            body = chat(model, messages=[{"role": "user", "content": content}])
            assert (await stage.ask(post(body))).status == 200
        log = stage.gateway.request_log
        assert log is not None
        log.write(log.take())
    watched, private = [
        msgspec.json.decode(line) for line in (folder / "logs" / "requests.jsonl").read_bytes().splitlines()
    ]
    assert "what is on it, watched?" in watched["prompt"]
    assert "data:image/png;base64,..." in watched["prompt"], "pictures are left out"
    assert private["model"] == "private"
    assert "prompt" not in private
