"""Requests to engines: what goes there, what comes back, who may."""

from __future__ import annotations

import msgspec
import pytest
from tests.gateway.harness import (
    COMPLETION,
    DONE,
    EXPIRED_KEY,
    FRESH_SESSION,
    KEY,
    LIMITED_KEY,
    METRICS_KEY,
    SESSION,
    Rig,
    chat,
    event,
    get,
    http,
    post,
    route,
    streaming,
)

from aimindserve.domain.routing import RouteState


async def test_a_request_reaches_the_engine_unchanged_and_its_answer_the_client(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    body = chat(temperature=0.2, unknown={"x": [1, None]})
    answer = await stage.ask(post(body))
    assert (answer.status, answer.body) == (200, COMPLETION)
    assert answer.headers["x-request-id"].startswith("req-")
    assert int(answer.headers["x-aimindserve-overhead-us"]) > 0
    seen = engine.seen[0]
    assert seen.body == body
    assert seen.head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert seen.header("authorization") == "Bearer engine-secret"
    assert seen.header("x-request-id") == answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/embeddings"])
async def test_every_forwarded_endpoint(stage: Rig, path: str) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    answer = await stage.ask(post(b'{"model":"tiny","input":"x","prompt":"x"}', path + "?api-version=1"))
    assert answer.status == 200
    assert engine.seen[0].head.startswith(b"POST %b HTTP/1.1" % path.encode())


async def test_a_stream_passes_and_its_usage_is_hidden_from_who_did_not_ask(stage: Rig) -> None:
    engine = await stage.engine(streaming(3))
    stage.serve(route(engine.port))
    answer = await stage.ask(post(chat(stream=True)))
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.body == event("t0 ") + event("t1 ") + event("t2 ") + DONE
    assert msgspec.json.decode(engine.seen[0].body)["stream_options"] == {"include_usage": True}
    record = stage.gateway.outbox.next_batch().records[0]  # type: ignore[union-attr]
    assert (record.prompt_tokens, record.completion_tokens, record.counted_by) == (5, 3, "engine")
    assert record.ttft_ms is not None


async def test_who_asks_for_the_usage_gets_it_and_the_body_is_untouched(stage: Rig) -> None:
    engine = await stage.engine(streaming(1))
    stage.serve(route(engine.port))
    body = chat(stream=True, stream_options={"include_usage": True})
    answer = await stage.ask(post(body))
    assert b'"usage":{"prompt_tokens":5' in answer.body
    assert engine.seen[0].body == body


async def test_own_stream_options_are_kept_beside_ours(stage: Rig) -> None:
    engine = await stage.engine(streaming(1))
    stage.serve(route(engine.port))
    answer = await stage.ask(post(chat(stream=True, stream_options={"continuous_usage_stats": False}) + b"  \n"))
    assert b"usage" not in answer.body
    options = msgspec.json.decode(engine.seen[0].body)["stream_options"]
    assert options == {"continuous_usage_stats": False, "include_usage": True}


ACCESS = [
    (None, "", 401, "missing_api_key"),
    ("sk-wrong", "", 401, "invalid_api_key"),
    (EXPIRED_KEY, "", 401, "invalid_api_key"),
    (METRICS_KEY, "", 403, "insufficient_scope"),
    (LIMITED_KEY, "", 403, "model_not_allowed"),
    (None, f"x-api-key: {KEY}\r\n", 200, ""),
    (None, "x-api-key: nope\r\n", 401, "invalid_api_key"),
    (None, f"Authorization: Basic {KEY}\r\n", 401, "invalid_api_key"),
    (None, f"Cookie: a=b; aimindserve_session={SESSION}\r\n", 403, "csrf_failed"),
    (None, "Cookie: aimindserve_session=stolen\r\nx-aimindserve-csrf: 1\r\n", 401, "invalid_session"),
    (
        None,
        f"Cookie: aimindserve_session={SESSION}\r\nx-aimindserve-csrf: 1\r\nSec-Fetch-Site: same-origin\r\n",
        200,
        "",
    ),
    (None, f"Cookie: aimindserve_session={SESSION}\r\nx-aimindserve-csrf: 1\r\nOrigin: http://gw\r\n", 200, ""),
    (
        None,
        f"Cookie: aimindserve_session={FRESH_SESSION}\r\nx-aimindserve-csrf: 1\r\nOrigin: http://gw\r\n",
        403,
        "password_change_required",
    ),
    (
        None,
        f"Cookie: aimindserve_session={SESSION}\r\nx-aimindserve-csrf: 1\r\nOrigin: http://evil\r\n",
        403,
        "csrf_failed",
    ),
    (
        None,
        f"Cookie: aimindserve_session={SESSION}\r\nx-aimindserve-csrf: 1\r\nSec-Fetch-Site: cross-site\r\n",
        403,
        "csrf_failed",
    ),
    (
        "sk-wrong",
        f"Cookie: aimindserve_session={SESSION}\r\nx-aimindserve-csrf: 1\r\nOrigin: http://gw\r\n",
        401,
        "invalid_api_key",
    ),
]


@pytest.mark.parametrize(("key", "headers", "status", "code"), ACCESS)
async def test_who_may(stage: Rig, key: str | None, headers: str, status: int, code: str) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    answer = await stage.ask(post(chat(), key=key, headers=headers))
    assert answer.status == status
    assert len(engine.seen) == (1 if status == 200 else 0)
    if code:
        assert answer.error["code"] == code
        assert answer.error["source"] == "gateway"
        assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_models_that_are_not_ready(stage: Rig) -> None:
    stage.serve(
        route(model="starts", state=RouteState.STARTING, detail="Loading weights.", progress=0.4, retry_after=7),
        route(model="stopped", state=RouteState.STOPPED),
        route(model="broken", state=RouteState.FAILED, detail="Out of memory."),
        route(model="empty"),
    )
    starting = await stage.ask(post(chat("starts")))
    assert (starting.status, starting.headers["retry-after"]) == (503, "7")
    assert (starting.error["code"], starting.error["phase"], starting.error["progress"]) == (
        "model_starting",
        "starting",
        0.4,
    )
    assert "Loading weights." in starting.error["message"]
    stopped = await stage.ask(post(chat("stopped")))
    assert (stopped.status, stopped.error["code"]) == (503, "model_stopped")
    assert "retry-after" not in stopped.headers
    assert (await stage.ask(post(chat("broken")))).error["code"] == "model_failed"
    assert (await stage.ask(post(chat("empty")))).error["code"] == "model_unavailable"


async def test_unknown_names(stage: Rig) -> None:
    stage.serve(route(1, model="qwen2-vl-7b"), route(1, model="other"))
    answer = await stage.ask(post(chat("qwen-vl-7b")))
    assert (answer.status, answer.error["code"], answer.error["param"]) == (404, "model_not_found", "model")
    assert "qwen2-vl-7b" in answer.error["message"]
    answer = await stage.ask(get("/v1/models/qwen-vl-7b", key=LIMITED_KEY))
    assert answer.status == 404
    assert "qwen2" not in answer.error["message"]  # not a model of this key
    answer = await stage.ask(post(b"{}", "/v1/videos"))
    assert (answer.status, answer.error["code"]) == (404, "unknown_path")


async def test_the_list_of_models(stage: Rig) -> None:
    stage.serve(
        route(1, model="b", created=5, capabilities=("vision",)),
        route(1, model="other"),
        route(model="off", state=RouteState.STOPPED),
    )
    answer = await stage.ask(get("/v1/models"))
    listed = msgspec.json.decode(answer.body)
    assert [model["id"] for model in listed["data"]] == ["b", "other"]
    assert listed["data"][0]["created"] == 5
    limited = msgspec.json.decode((await stage.ask(get("/v1/models", key=LIMITED_KEY))).body)
    assert [model["id"] for model in limited["data"]] == ["other"]
    one = await stage.ask(get("/v1/models/%62"))
    assert msgspec.json.decode(one.body)["id"] == "b"
    assert (await stage.ask(get("/v1/models", key=None))).status == 401


BODIES = [
    (b"", "invalid_json", None),
    (b"not json", "invalid_json", None),
    (b"[1]", "invalid_type", None),
    (b"{}", "missing_required_parameter", "model"),
    (b'{"model":5}', "invalid_type", "model"),
    (b'{"model":"tiny","stream":"yes"}', "invalid_type", "stream"),
    (b'{"model":"tiny","messages":{}}', "invalid_type", "messages"),
    (b'{"model":"tiny","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested_too_deeply", None),
    (b'{"model":"tiny"} x', "invalid_json", None),
]


@pytest.mark.parametrize(("body", "code", "param"), BODIES)
async def test_bodies_that_make_no_sense(stage: Rig, body: bytes, code: str, param: str | None) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    answer = await stage.ask(post(body))
    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, code, param)
    assert not engine.seen


async def test_engine_errors_are_told_in_one_shape_without_addresses(stage: Rig) -> None:
    async def reply(seen, writer) -> None:
        writer.write(
            http(
                b'{"error":{"code":400,"message":"bad at http://127.0.0.1:5123/x in /var/lib/m/f.gguf 0xdeadbeef"}}',
                400,
            )
        )

    engine = await stage.engine(reply)
    stage.serve(route(engine.port))
    answer = await stage.ask(post(chat()))
    assert answer.status == 400
    assert answer.error == {
        "message": "bad at [engine] in [path] [address]",
        "type": "invalid_request_error",
        "code": "engine_error",
        "param": None,
        "source": "engine",
    }
    record = stage.gateway.outbox.next_batch().records[0]  # type: ignore[union-attr]
    assert (record.status, record.counted_by) == (400, "none")


async def test_an_engine_that_refuses_our_key_is_not_the_callers_fault(stage: Rig) -> None:
    async def reply(seen, writer) -> None:
        writer.write(http(b'{"error":"Unauthorized"}', 401))

    engine = await stage.engine(reply)
    stage.serve(route(engine.port))
    answer = await stage.ask(post(chat()))
    assert (answer.status, answer.error["source"]) == (502, "engine")
