"""Several engines behind one model: who answers, and who does when one of them fails."""

from __future__ import annotations

import asyncio
from collections import Counter

import msgspec
from tests.gateway.harness import MODEL, Rig, Seen, Upstreams, chat, complete, http, post, route, until
from tests.gateway.pictures import shell, uri
from tests.gateway.test_channel import channel
from tests.gateway.test_faults import free_port

from aimindserve.domain.channel import Elsewhere
from aimindserve.domain.routing import Endpoint, Route, RouteState


def said(*texts: str) -> bytes:
    """A conversation: the person speaks first, then they take turns."""
    roles = ("user", "assistant")
    return chat(messages=[{"role": roles[number % 2], "content": text} for number, text in enumerate(texts)])


def nothing_known() -> bytes:
    """A request that no cache could know: it goes to the least busy replica, the first of the table among equals."""
    return chat(messages=[{"role": "assistant", "content": ""}])


def stop_the_clock(stage: Rig) -> None:
    """What is left out for some seconds stays so, however slow the machine is."""
    at = stage.gateway.now()
    stage.gateway.now = lambda: at


def about(picture: str, question: str) -> bytes:
    parts = [{"type": "text", "text": question}, {"type": "image_url", "image_url": {"url": picture}}]
    return chat(messages=[{"role": "user", "content": parts}])


async def three(stage: Rig) -> list[Upstreams]:
    engines = [await stage.engine() for _ in range(3)]
    stage.serve(route(*(engine.port for engine in engines)))
    return engines


def counts(engines: list[Upstreams]) -> list[int]:
    return [len(engine.seen) for engine in engines]


async def test_every_turn_of_a_conversation_goes_to_the_same_replica(stage: Rig) -> None:
    engines = await three(stage)
    homes = Counter[int]()
    for number in range(12):
        before = counts(engines)
        turns = [f"question {number}"]
        for turn in range(4):
            assert (await stage.ask(post(said(*turns)))).status == 200
            turns += [f"answer {turn}", f"and {turn}?"]
        gained = [after - old for old, after in zip(before, counts(engines), strict=True)]
        assert sorted(gained) == [0, 0, 4]
        homes[gained.index(4)] += 1
    assert len(homes) > 1, "not all conversations go to one"


async def test_every_question_about_a_picture_goes_to_the_same_replica(stage: Rig) -> None:
    engines = await three(stage)
    for number in range(5):
        assert (await stage.ask(post(about(uri(shell()), f"question {number}")))).status == 200
    assert sorted(counts(engines)) == [0, 0, 5]


async def test_a_busy_home_is_left_for_others(stage: Rig) -> None:
    gate = asyncio.Event()

    async def held(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        await complete(seen, writer)

    engines = [await stage.engine(held) for _ in range(2)]
    stage.serve(route(*(engine.port for engine in engines)))
    clients = [await stage.connect() for _ in range(8)]
    for client in clients:
        client.send(post(said("the same question")))
    await until(lambda: sum(counts(engines)) == 8)
    assert min(counts(engines)) >= 2
    gate.set()
    for client in clients:
        assert (await client.answer()).status == 200


async def test_a_dead_replica_is_not_tried_again_and_again(stage: Rig) -> None:
    port, good = free_port(), await stage.engine()
    stage.serve(route(port, good.port))
    stop_the_clock(stage)
    for _ in range(6):
        assert (await stage.ask(post(nothing_known()))).status == 200
    (dead,) = (lane for lane in stage.gateway.lanes.of(f"d-{MODEL}") if lane.endpoint.port == port)
    assert dead.failures == 1, "one request found out"
    assert b"aimindserve_gateway_replicas_left_out 1" in (await metrics(stage))
    good_again = await Upstreams(complete).start()
    stage.upstreams.append(good_again)
    dead.out_until = 0.0  # its time is over
    dead.endpoint = Endpoint(dead.endpoint.replica_id, "127.0.0.1", good_again.port)
    await until_used(stage, good_again)
    assert dead.failures == 0


async def until_used(stage: Rig, engine: Upstreams) -> None:
    number = 0
    while not engine.seen:
        number += 1
        assert number < 200
        assert (await stage.ask(post(said(f"other question {number}")))).status == 200


async def metrics(stage: Rig) -> bytes:
    from tests.gateway.harness import METRICS_KEY, get

    return (await stage.ask(get("/metrics", METRICS_KEY))).body


async def test_an_engine_that_loads_is_left_out_too(stage: Rig) -> None:
    async def loading(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(http(b'{"error":{"message":"Loading model","code":503}}', 503))

    slow, good = await stage.engine(loading), await stage.engine()
    stage.serve(route(slow.port, good.port))
    stop_the_clock(stage)
    for _ in range(6):
        assert (await stage.ask(post(nothing_known()))).status == 200
    assert counts([slow, good]) == [1, 6]


async def test_requests_at_other_gateways_count(stage: Rig) -> None:
    engines = [await stage.engine() for _ in range(2)]
    stage.serve(route(*(engine.port for engine in engines)))
    async with channel(stage) as server:
        await until(lambda: server.of("hello"))
        server.send(Elsewhere({f"r{engines[0].port}": 5}))
        await until(lambda: stage.gateway.lanes.of(f"d-{MODEL}")[0].elsewhere == 5)
        for _ in range(4):
            assert (
                await stage.ask(post(msgspec.json.encode({"model": MODEL, "input": "x"}), "/v1/embeddings"))
            ).status == 200
    assert counts(engines) == [0, 4]


async def test_a_request_that_waited_goes_to_the_replicas_of_now(stage: Rig) -> None:
    gate = asyncio.Event()

    async def held(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        await complete(seen, writer)

    old, new = await stage.engine(held), await stage.engine()

    def one(engine: Upstreams) -> Route:
        endpoint = Endpoint(f"r{engine.port}", "127.0.0.1", engine.port, slots=1)
        return Route(MODEL, f"d-{MODEL}", RouteState.READY, (endpoint,))

    stage.serve(one(old))
    first, second = await stage.connect(), await stage.connect()
    first.send(post(chat()))
    await until(lambda: old.seen)
    second.send(post(chat()))
    await until(lambda: stage.gateway.turns.waiting() == 1)
    stage.serve(one(new))
    gate.set()
    assert (await first.answer()).status == 200
    assert (await second.answer()).status == 200
    assert counts([old, new]) == [1, 1]
