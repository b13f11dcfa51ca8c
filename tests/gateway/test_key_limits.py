"""What keys and people may use: limits, networks, and places that are shared fairly."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Sequence
from typing import Any

import pytest
from tests.gateway.harness import (
    KEY,
    MODEL,
    SESSION,
    Answer,
    Rig,
    Seen,
    chat,
    complete,
    digest,
    get,
    post,
    rig,
    until,
)
from tests.gateway.pictures import real, uri

from aimindserve.domain.channel import Used
from aimindserve.domain.limits import Limits, month_of
from aimindserve.domain.routing import Endpoint, KeyGrant, Route, RouteState, RoutingTable, SessionGrant, UserGrant
from aimindserve.gateway.meters import Meters, duration, load_meters, save_meters

OTHER = "sk-otherotherot-" + "o" * 43
PICTURE = {"type": "image_url", "image_url": {"url": uri(real())}}
FROM_PAGE = f"Cookie: aimindserve_session={SESSION}\r\nx-aimindserve-csrf: 1\r\nOrigin: http://gw\r\n"


class Times:
    """Both clocks of the meters; they only move when told to."""

    def __init__(self) -> None:
        self.now, self.wall = 100.5, 1_795_600_000.0

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.wall += seconds


def grant(key: str, **more: Any) -> KeyGrant:
    return KeyGrant(key[3:15], digest(key), "user-1", ("inference",), **more)


def serve(
    stage: Rig, port: int, keys: Sequence[KeyGrant], owner: Limits | None = None, *, slots: int = 0, model: str = MODEL
) -> Times:
    """Put a table in force with these keys of one person; the clocks of the limits are the test's."""
    endpoint = Endpoint(f"r{port}", "127.0.0.1", port, "engine-secret", slots=slots)
    users = (UserGrant("user-1", owner),) if owner else ()
    sessions = (SessionGrant(digest(SESSION), "user-1", 4e9),)
    ready = Route(model, f"d-{model}", RouteState.READY, (endpoint,))
    times = Times()
    stage.gateway.meters = Meters(lambda: times.now, lambda: times.wall)
    stage.gateway.apply(RoutingTable(5, (ready,), tuple(keys), sessions, users))
    return times


def limit_headers(answer: Answer) -> dict[str, str]:
    return {name[12:]: value for name, value in answer.headers.items() if name.startswith("x-ratelimit-")}


async def test_requests_in_a_minute_are_limited_and_told(stage: Rig) -> None:
    engine = await stage.engine()
    times = serve(stage, engine.port, [grant(KEY, limits=Limits(requests_per_minute=2))])
    first = await stage.ask(post(chat()))
    assert limit_headers(first) == {"limit-requests": "2", "remaining-requests": "1", "reset-requests": "1m1s"}
    times.advance(10)
    assert (await stage.ask(post(chat()))).status == 200
    refused = await stage.ask(post(chat()))
    assert (refused.status, refused.error["code"], refused.error["type"]) == (
        429,
        "rate_limit_exceeded",
        "rate_limit_error",
    )
    assert refused.headers["retry-after"] == "51"
    assert limit_headers(refused)["remaining-requests"] == "0"
    times.advance(51)
    assert (await stage.ask(post(chat()))).status == 200
    assert len(engine.seen) == 3
    assert len(stage.gateway.outbox) == 3, "what was refused is no usage"


async def test_without_limits_nothing_is_counted_or_told(stage: Rig) -> None:
    engine = await stage.engine()
    serve(stage, engine.port, [grant(KEY)])
    assert limit_headers(await stage.ask(post(chat()))) == {}
    assert len(stage.gateway.meters) == 0
    assert stage.gateway.meters.snapshot() is None


async def test_tokens_count_when_the_engine_has_told_them(stage: Rig) -> None:
    engine = await stage.engine()  # 11 + 7 tokens each
    times = serve(stage, engine.port, [grant(KEY, limits=Limits(tokens_per_minute=20))])
    for _ in range(2):
        assert (await stage.ask(post(chat()))).status == 200
    refused = await stage.ask(post(chat()))
    assert (refused.status, refused.error["limit"]) == (429, "tokens")
    assert limit_headers(refused) == {"limit-tokens": "20", "remaining-tokens": "0", "reset-tokens": "1m1s"}
    times.advance(61)
    assert (await stage.ask(post(chat()))).status == 200


async def test_pictures_in_a_minute(stage: Rig) -> None:
    engine = await stage.engine()
    serve(stage, engine.port, [grant(KEY, limits=Limits(images_per_minute=3))])

    def with_pictures(count: int) -> bytes:
        return post(chat(messages=[{"role": "user", "content": [PICTURE] * count}]))

    assert (await stage.ask(with_pictures(2))).status == 200
    refused = await stage.ask(with_pictures(2))
    assert (refused.status, limit_headers(refused)["remaining-images"]) == (429, "1")
    assert (await stage.ask(post(chat()))).status == 200, "a text needs none"
    never = await stage.ask(with_pictures(4))
    assert (never.status, never.error["code"]) == (400, "above_limit")
    assert "retry-after" not in never.headers
    assert [record.images for record in stage.gateway.outbox.take_all()] == [2, 0]


async def test_a_month_goes_on_where_the_server_knows_more(stage: Rig) -> None:
    engine = await stage.engine()
    times = serve(stage, engine.port, [grant(KEY, limits=Limits(tokens_per_month=100))])
    assert limit_headers(await stage.ask(post(chat())))["remaining-tokens-month"] == "100"
    stage.gateway.meters.spent(month_of(times.wall), {f"key {KEY[3:15]}": 99})
    assert (await stage.ask(post(chat()))).status == 200
    refused = await stage.ask(post(chat()))
    assert (refused.status, refused.error["code"]) == (429, "insufficient_quota")
    assert int(refused.headers["retry-after"]) > 86_400
    times.wall += int(refused.headers["retry-after"])
    assert (await stage.ask(post(chat()))).status == 200


async def test_a_person_has_one_limit_for_all_keys_and_the_page(stage: Rig) -> None:
    engine = await stage.engine()
    own = [grant(KEY, limits=Limits(requests_per_minute=9)), grant(OTHER)]
    serve(stage, engine.port, own, Limits(requests_per_minute=3))
    for key, headers in ((KEY, ""), (OTHER, ""), (None, FROM_PAGE)):
        answer = await stage.ask(post(chat(), key=key, headers=headers))
        assert (answer.status, limit_headers(answer)["limit-requests"]) == (200, "3")
    for key, headers in ((KEY, ""), (OTHER, ""), (None, FROM_PAGE)):
        assert (await stage.ask(post(chat(), key=key, headers=headers))).status == 429


async def test_a_restart_gives_nobody_a_fresh_minute(stage: Rig) -> None:
    engine = await stage.engine()
    keys = [grant(KEY, limits=Limits(requests_per_minute=1, tokens_per_month=500))]
    times = serve(stage, engine.port, keys)
    assert (await stage.ask(post(chat()))).status == 200
    content = stage.gateway.meters.snapshot()
    assert content is not None
    file = stage.run / "limit-counts.json"
    assert save_meters(file, content)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    times.advance(20)
    again = Meters(lambda: 7.25, lambda: times.wall)  # another process: its clock began elsewhere
    again.restore(load_meters(file))
    stage.gateway.meters = again
    refused = await stage.ask(post(chat()))
    assert refused.status == 429
    assert 40 <= int(refused.headers["retry-after"]) <= 42
    assert limit_headers(refused)["remaining-tokens-month"] == "482"
    file.write_bytes(b"{")
    Meters(lambda: 0.0).restore(load_meters(file))


async def test_gateways_tell_each_other(stage: Rig) -> None:
    engine = await stage.engine()
    times = serve(stage, engine.port, [grant(KEY, limits=Limits(requests_per_minute=3))])
    assert (await stage.ask(post(chat()))).status == 200
    told = stage.gateway.meters.news()
    assert told == Used({f"key {KEY[3:15]}": (1, 18, 0)})
    assert stage.gateway.meters.news() is None
    assert told is not None
    stage.gateway.meters.hear(told)
    answer = await stage.ask(post(chat()))
    assert limit_headers(answer)["remaining-requests"] == "0"
    assert times.now == 100.5


async def test_counts_of_who_is_gone_go_with_their_minute(stage: Rig) -> None:
    engine = await stage.engine()
    times = serve(stage, engine.port, [grant(KEY, limits=Limits(requests_per_minute=3))])
    await stage.ask(post(chat()))
    stage.gateway.apply(RoutingTable(6))
    assert len(stage.gateway.meters) == 1, "it may come back within the minute"
    times.advance(62)
    times.wall += 32 * 86_400
    stage.gateway.apply(RoutingTable(7))
    assert len(stage.gateway.meters) == 0


@pytest.mark.parametrize(
    ("networks", "trusted", "forwarded", "status"),
    [
        (("127.0.0.0/8",), (), "", 200),
        (("10.0.0.0/8",), (), "", 403),
        (("10.0.0.0/8",), (), "10.1.2.3", 403),  # anybody can write that
        (("10.0.0.0/8",), ("127.0.0.1",), "10.1.2.3", 200),
        (("10.0.0.0/8",), ("127.0.0.1",), "10.1.2.3, 192.0.2.7", 403),
        (("10.0.0.0/8",), ("127.0.0.1", "192.0.2.0/24"), "10.1.2.3, 192.0.2.7", 200),
        (("2001:db8::/32", "10.0.0.0/8"), ("127.0.0.1",), "2001:db8::5", 200),
        (("10.0.0.0/8",), ("127.0.0.1",), "nonsense", 403),
        (("10.0.0.0/8",), ("127.0.0.1",), "::ffff:10.1.1.1", 200),
    ],
)
async def test_a_key_of_a_network(
    folder, networks: tuple[str, ...], trusted: tuple[str, ...], forwarded: str, status: int
) -> None:
    headers = f"X-Forwarded-For: {forwarded}\r\n" if forwarded else ""
    async with rig(folder, trusted_proxies=trusted) as stage:
        engine = await stage.engine()
        serve(stage, engine.port, [grant(KEY, networks=networks)])
        answer = await stage.ask(post(chat(), headers=headers))
        assert answer.status == status
        assert (await stage.ask(get("/v1/models", headers=headers))).status == status
        if status == 403:
            assert answer.error["code"] == "address_not_allowed"
            assert engine.seen == []


async def test_a_greedy_key_does_not_starve_a_modest_one(folder) -> None:
    """An engine with two places and 40 requests of one key; another key's requests come one after another."""
    order: list[str] = []
    places = asyncio.Semaphore(0)

    async def slow(seen: Seen, writer: asyncio.StreamWriter) -> None:
        order.append("modest" if b"modest" in seen.body else "greedy")
        await places.acquire()
        await complete(seen, writer)

    async with rig(folder, key_concurrency=16, key_queue=64) as stage:
        engine = await stage.engine(slow)
        serve(stage, engine.port, [grant(KEY), grant(OTHER)], slots=2)
        greedy = [await stage.connect() for _ in range(40)]
        for client in greedy:
            client.send(post(chat()))
        await until(lambda: stage.gateway.turns.waiting() == 38 and len(order) == 2)
        for _ in range(5):
            before = len(order)
            modest = await stage.connect()
            modest.send(post(chat(user="modest"), key=OTHER))
            await until(lambda: stage.gateway.turns.waits("key " + OTHER[3:15]) == 1)
            for _ in range(2):
                places.release()
            await until(lambda count=before: len(order) == count + 2)
            assert "modest" in order[before : before + 2], "at most one start of the other key comes first"
            for _ in range(2):
                places.release()
            assert (await modest.answer()).status == 200
            await until(lambda count=before: len(order) == count + 4)  # nothing is under way when the next one comes
            modest.close()
        assert len(engine.seen) < 25
        for client in greedy:
            client.close()
        for _ in range(60):
            places.release()


async def test_a_key_that_is_withdrawn_while_its_request_waits_gets_nothing(folder) -> None:
    gate = asyncio.Event()

    async def held(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        await complete(seen, writer)

    async with rig(folder, key_concurrency=1) as stage:
        engine = await stage.engine(held)
        serve(stage, engine.port, [grant(KEY)])
        one, two = await stage.connect(), await stage.connect()
        one.send(post(chat()))
        await until(lambda: len(engine.seen) == 1)
        two.send(post(chat()))
        await until(lambda: stage.gateway.turns.waiting() == 1)
        serve(stage, engine.port, [])
        gate.set()
        assert (await one.answer()).status == 200, "what runs may end"
        refused = await two.answer()
        assert (refused.status, refused.error["code"]) == (401, "invalid_api_key")
        assert len(engine.seen) == 1


async def test_a_keys_own_number_of_requests_at_once(folder) -> None:
    gate = asyncio.Event()

    async def held(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        await complete(seen, writer)

    async with rig(folder, key_concurrency=16) as stage:
        engine = await stage.engine(held)
        keys = [grant(KEY, limits=Limits(concurrent=1)), grant(OTHER)]
        serve(stage, engine.port, keys, Limits(concurrent=2))
        clients = [await stage.connect() for _ in range(4)]
        for client, key in zip(clients, (KEY, KEY, OTHER, OTHER), strict=True):
            client.send(post(chat(), key=key))
        await until(lambda: len(engine.seen) + stage.gateway.turns.waiting() == 4)
        assert (len(engine.seen), stage.gateway.turns.waiting()) == (2, 2)
        gate.set()
        assert [(await client.answer()).status for client in clients] == [200] * 4


def test_times_as_openai_writes_them() -> None:
    assert [duration(seconds) for seconds in (0, 1, 60, 61, 3661, 86_400)] == [
        b"0s",
        b"1s",
        b"1m0s",
        b"1m1s",
        b"1h1m1s",
        b"24h0m0s",
    ]
