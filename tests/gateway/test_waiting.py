"""Requests that wait for a model to wake: held as long as they may, then told how far it is."""

from __future__ import annotations

import time

from tests.gateway.harness import MODEL, Rig, chat, post, rig, route, table, until
from tests.gateway.pictures import shell, uri
from tests.gateway.test_channel import channel

from aimindserve.domain.routing import Route, RouteState, RoutingTable

ASLEEP, STARTING = RouteState.ASLEEP, RouteState.STARTING


def asleep(state: RouteState = ASLEEP, hold: int = 60, **more: object) -> Route:
    return route(state=state, hold=hold, **more)


async def test_a_request_waits_and_is_answered_when_the_model_is_ready(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(asleep())
    client = await stage.connect()
    client.send(post(chat()))
    await until(lambda: len(stage.gateway.waiting) == 1)
    stage.serve(asleep(STARTING))
    assert len(stage.gateway.waiting) == 1
    stage.serve(route(engine.port, hold=60))
    assert (await client.answer()).status == 200
    assert len(stage.gateway.waiting) == 0
    assert stage.gateway.outbox.next_batch().records[0].status == 200  # type: ignore[union-attr]


async def test_the_server_hears_of_it_at_once(stage: Rig) -> None:
    stage.serve(asleep())
    async with channel(stage) as server:
        await until(lambda: server.of("loads"))
        client = await stage.connect()
        client.send(post(chat()))
        await until(lambda: any(message["waiting"] == {f"d-{MODEL}": 1} for message in server.of("loads")))
        client.close()
        await until(lambda: not len(stage.gateway.waiting))
        await until(lambda: server.of("loads")[-1]["waiting"] == {})
        assert not stage.gateway.clients


async def test_when_its_time_is_over_it_is_told_how_far_the_model_is(stage: Rig) -> None:
    began = time.time() - 30
    stage.serve(asleep(STARTING, hold=1, load_seconds=100.0, loading_since=began, progress=0.5))
    answer = await stage.ask(post(chat()))
    assert (answer.status, answer.error["code"], answer.error["phase"]) == (503, "model_starting", "starting")
    assert 0 < answer.error["ready_in_seconds"] <= 70
    assert answer.headers["retry-after"] == str(answer.error["ready_in_seconds"])
    assert answer.error["progress"] == 0.5
    assert len(stage.gateway.waiting) == 0


async def test_without_holding_the_answer_comes_at_once(stage: Rig) -> None:
    stage.serve(asleep(hold=0, load_seconds=9.0))
    answer = await stage.ask(post(chat()))
    assert (answer.status, answer.error["phase"], answer.error["ready_in_seconds"]) == (503, "asleep", 9)
    assert stage.gateway.last_request_at[MODEL] > 1e9


async def test_a_model_that_fails_meanwhile_or_goes_is_told_at_once(stage: Rig) -> None:
    for table_after, code in (
        ((asleep(RouteState.FAILED, detail="No memory."),), "model_failed"),
        ((), "model_stopped"),
    ):
        stage.serve(asleep())
        client = await stage.connect()
        client.send(post(chat()))
        await until(lambda: len(stage.gateway.waiting) == 1)
        stage.serve(*table_after)
        answer = await client.answer()
        assert (answer.status, answer.error["code"]) == (503, code)
        client.send(post(chat("absent")))
        assert (await client.answer()).status == 404, "the connection goes on"


async def test_a_key_that_is_withdrawn_meanwhile_gets_nothing(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(asleep())
    client = await stage.connect()
    client.send(post(chat()))
    await until(lambda: len(stage.gateway.waiting) == 1)
    stage.gateway.apply(RoutingTable(2, (route(engine.port),)))
    assert (await client.answer()).status == 401
    assert not engine.seen


async def test_what_the_model_cannot_do_is_told_once_it_is_there(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(asleep())
    client = await stage.connect()
    picture = {"type": "image_url", "image_url": {"url": uri(shell())}}
    client.send(post(chat(messages=[{"role": "user", "content": [picture, picture]}])))
    await until(lambda: len(stage.gateway.waiting) == 1)
    stage.serve(route(engine.port, images=1))
    answer = await client.answer()
    assert (answer.status, answer.error["code"]) == (400, "too_many_images")
    assert not engine.seen


async def test_not_more_wait_than_there_is_room_for(folder) -> None:
    async with rig(folder, model_queue=2) as stage:
        engine = await stage.engine()
        stage.serve(asleep())
        clients = [await stage.connect() for _ in range(2)]
        for number, client in enumerate(clients, 1):
            client.send(post(chat()))
            await until(lambda count=number: len(stage.gateway.waiting) == count)
        refused = await stage.ask(post(chat()))
        assert (refused.status, refused.error["code"]) == (503, "model_starting")
        stage.gateway.apply(table(route(engine.port)))
        assert [(await client.answer()).status for client in clients] == [200, 200]
