"""Further names for models: split by weight, around what is away, to the fallback, counted under both names."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.gateway.harness import (
    LIMITED_KEY,
    Rig,
    Seen,
    Upstreams,
    chat,
    get,
    http,
    post,
    route,
    streaming,
)
from tests.gateway.test_faults import free_port, last_record

from aimindserve.domain.routing import Alias, RouteState

SPLIT = Alias("chat", (("old", 90), ("new", 10)), "spare")


async def pair(stage: Rig, alias: Alias = SPLIT) -> list[Upstreams]:
    engines = [await stage.engine() for _ in range(2)]
    old, new = (route(engine.port, model=name) for engine, name in zip(engines, ("old", "new"), strict=True))
    stage.serve(old, new, aliases=(alias,))
    return engines


def seen_model(seen: Seen) -> str:
    """As an engine's parser sees it: the last of two equal names."""
    return dict(msgspec.json.decode(seen.body))["model"]


async def test_requests_are_split_by_weight(stage: Rig) -> None:
    old, new = await pair(stage)
    for _ in range(50):
        assert (await stage.ask(post(chat("chat")))).status == 200
    assert len(new.seen) in (4, 5, 6)
    assert len(old.seen) + len(new.seen) == 50
    assert {seen_model(seen) for seen in old.seen} == {"old"}, "engines know their own name only"


async def test_usage_has_the_name_that_was_asked_for_and_the_deployment_that_answered(stage: Rig) -> None:
    await pair(stage, Alias("chat", (("new", 1),)))
    assert (await stage.ask(post(chat("chat")))).status == 200
    record = last_record(stage)
    assert (record.model, record.deployment_id) == ("chat", "d-new")


async def test_streams_still_tell_their_usage(stage: Rig) -> None:
    engine = await stage.engine(streaming(3))
    stage.serve(route(engine.port, model="new"), aliases=(Alias("chat", (("new", 1),)),))
    answer = await stage.ask(post(chat("chat", stream=True)))
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert b'"usage"' not in answer.body
    assert msgspec.json.decode(engine.seen[0].body)["stream_options"] == {"include_usage": True}
    assert seen_model(engine.seen[0]) == "new"
    assert last_record(stage).completion_tokens == 3


async def test_what_is_not_ready_is_left_out_of_the_split(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(route(model="old", state=RouteState.STARTING), route(engine.port, model="new"), aliases=(SPLIT,))
    for _ in range(10):
        assert (await stage.ask(post(chat("chat")))).status == 200
    assert stage.gateway.last_request_at["old"] > 1e9, "but it is known to be wanted"


@pytest.mark.parametrize("how", ["refused", "dies", "loads"])
async def test_when_every_replica_of_the_first_is_away_the_fallback_answers(stage: Rig, how: str) -> None:
    async def reply(seen: Seen, writer: asyncio.StreamWriter) -> bool:
        if how == "loads":
            writer.write(http(b'{"error":{"message":"Loading model","code":503}}', 503))
        return how == "loads"

    port = free_port() if how == "refused" else (await stage.engine(reply)).port
    spare = await stage.engine()
    stage.serve(
        route(port, model="old"), route(spare.port, model="spare"), aliases=(Alias("chat", (("old", 1),), "spare"),)
    )
    assert (await stage.ask(post(chat("chat")))).status == 200
    assert seen_model(spare.seen[0]) == "spare"
    record = last_record(stage)
    assert (record.model, record.deployment_id, record.status) == ("chat", "d-spare", 200)
    assert (await stage.ask(post(chat("old")))).status in (502, 503), "its own name has no fallback"
    assert not stage.gateway.turns.waiting()
    assert not any(stage.gateway.lanes.loads().values())


async def test_an_answer_that_began_is_not_repeated_elsewhere(stage: Rig) -> None:
    engine, spare = await stage.engine(streaming(9, die_after=2)), await stage.engine()
    stage.serve(
        route(engine.port, model="old"), route(spare.port, model="spare"),
        aliases=(Alias("chat", (("old", 1),), "spare"),),
    )  # fmt: skip
    assert b"engine_failed" in (await stage.ask(post(chat("chat", stream=True)))).body
    assert not spare.seen


async def test_keys_are_for_public_names_and_lists_have_them(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port, model="hidden"), aliases=(Alias("other", (("hidden", 1),), created=7),))
    assert (await stage.ask(post(chat("other"), key=LIMITED_KEY))).status == 200
    assert (await stage.ask(post(chat("hidden"), key=LIMITED_KEY))).status == 403
    listed = msgspec.json.decode((await stage.ask(get("/v1/models", LIMITED_KEY))).body)["data"]
    assert [(one["id"], one["state"], one["created"]) for one in listed] == [("other", "ready", 7)]
    assert (await stage.ask(get("/v1/models/other", LIMITED_KEY))).status == 200
    near = (await stage.ask(post(chat("othr")))).error
    assert near["near"] == ["other"]


async def test_an_alias_without_a_model_says_so(stage: Rig) -> None:
    stage.serve(aliases=(Alias("chat", (("gone", 1),)),))
    answer = await stage.ask(post(chat("chat")))
    assert (answer.status, answer.error["code"]) == (503, "model_unavailable")
    stage.serve(route(model="gone", state=RouteState.FAILED), aliases=(Alias("chat", (("gone", 1),)),))
    answer = await stage.ask(post(chat("chat")))
    assert (answer.status, answer.error["code"]) == (503, "model_failed")
    assert "'chat'" in answer.error["message"]


async def test_forms_name_the_deployment_too(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port, model="new", engine="vllm"), aliases=(Alias("chat", (("new", 1),)),))
    form = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nchat\r\n'
        b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nchat\r\n--b--\r\n'
    )
    kind = "Content-Type: multipart/form-data; boundary=b\r\n"
    assert (await stage.ask(post(form, "/v1/audio/transcriptions", headers=kind))).status == 200
    assert engine.seen[0].body == form.replace(b'name="model"\r\n\r\nchat', b'name="model"\r\n\r\nnew')
