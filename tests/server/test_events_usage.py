"""The live stream and the usage ledger."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
from starlette.types import ASGIApp
from tests.server.fixtures import WAIT_SECONDS, Browser, Clock, client_of, live_client, local_key

from aimindserve.domain.usage import UsageRecord
from aimindserve.server.context import ServerContext
from aimindserve.server.usage_store import store_usage

FOLLOW = "/api/v1/events?follow=true"


async def happen(context: ServerContext, kind: str, deployment: str | None = None, **data: object) -> None:
    async with context.database.unit_of_work("tester") as work:
        work.record(kind, subject="x", deployment=deployment, **data)


async def stream(answer: httpx.Response) -> AsyncIterator[dict]:
    """The events of a stream, comments left out."""
    event: dict = {}
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if name in ("id", "event", "data"):
            event[name] = value
        if not line and "id" in event:
            yield event
            event = {}


async def take(answer: httpx.Response, count: int) -> list[dict]:
    found: list[dict] = []
    async with asyncio.timeout(WAIT_SECONDS):
        async for event in stream(answer):
            found.append(event)
            if len(found) == count:
                break
    return found


async def test_what_happens_arrives_while_it_happens(app: ASGIApp, context: ServerContext) -> None:
    async with live_client(app, context, local_key(context)) as client, client.stream("GET", FOLLOW) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        await happen(context, "deployment.created", "tiny", phase="pending")
        [event] = await take(answer, 1)
    data = json.loads(event["data"])
    assert event["event"] == data["kind"] == "deployment.created"
    assert (data["deployment"], data["actor"], data["data"]) == ("tiny", "tester", {"phase": "pending"})
    assert int(event["id"]) == data["id"]


async def test_a_reader_that_returns_misses_nothing_and_sees_nothing_twice(
    app: ASGIApp, context: ServerContext
) -> None:
    async with live_client(app, context, local_key(context)) as client:
        async with client.stream("GET", FOLLOW) as answer:
            await happen(context, "n.one", "a")
            [first] = await take(answer, 1)
        for number in range(450):
            await happen(context, f"n.{number}", "a")
        async with client.stream("GET", FOLLOW, headers={"last-event-id": first["id"]}) as answer:
            rest = await take(answer, 450)
    assert [event["event"] for event in rest] == [f"n.{number}" for number in range(450)]
    identifiers = [int(event["id"]) for event in (first, *rest)]
    assert identifiers == sorted(set(identifiers))


async def test_an_id_that_no_event_can_have_is_refused(app: ASGIApp, context: ServerContext) -> None:
    async with client_of(app, local_key(context)) as client:
        for odd in ("-1", "x", str(10**30)):
            answer = await client.get(FOLLOW, headers={"last-event-id": odd})
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_one_deployments_events_only(app: ASGIApp, context: ServerContext) -> None:
    async with (
        live_client(app, context, local_key(context)) as client,
        client.stream("GET", f"{FOLLOW}&deployment=b") as answer,
    ):
        await happen(context, "x.a", "a")
        await happen(context, "x.b", "b")
        [event] = await take(answer, 1)
    assert event["event"] == "x.b"


async def test_the_stream_ends_with_the_right_to_read_it(app: ASGIApp, context: ServerContext, admin: Browser) -> None:
    made = (await admin.client.post("/api/v1/keys", json={"name": "x", "scopes": ["management"]})).json()
    async with live_client(app, context, made["token"]) as client, client.stream("GET", FOLLOW) as answer:
        await happen(context, "before.deletion", "a")
        [event] = await take(answer, 1)
        assert event["event"] == "before.deletion"
    async with live_client(app, context, made["token"]) as client, client.stream("GET", FOLLOW) as answer:
        await admin.client.delete(f"/api/v1/keys/{made['id']}")
        async with asyncio.timeout(WAIT_SECONDS):
            assert [event["event"] async for event in stream(answer)] == []


async def test_stop_of_the_server_ends_streams(app: ASGIApp, context: ServerContext) -> None:
    async with asyncio.timeout(WAIT_SECONDS), live_client(app, context, local_key(context)) as client:
        request = client.build_request("GET", FOLLOW)
        answer = await client.send(request, stream=True)
        assert answer.status_code == 200


async def test_history_is_oldest_first_and_hides_people_from_people(
    app: ASGIApp, context: ServerContext, admin: Browser
) -> None:
    await happen(context, "deployment.created", "a")
    everything = (await admin.client.get("/api/v1/events")).json()["items"]
    assert [event["id"] for event in everything] == sorted(event["id"] for event in everything)
    assert {"session.created", "user.password_changed", "deployment.created"} <= {e["kind"] for e in everything}
    await admin.client.post("/api/v1/users", json={"username": "second", "password": "some passphrase"})
    async with client_of(app) as second:
        second.headers.update({"x-aimindserve-csrf": "1", "sec-fetch-site": "same-origin"})
        body = {"username": "second", "password": "some passphrase"}
        await second.post("/api/v1/session", json=body)
        change = {"current": "some passphrase", "new": "another passphrase"}
        await second.post("/api/v1/session/password", json=change)
        seen = (await second.get("/api/v1/events")).json()["items"]
    assert [event["kind"] for event in seen] == ["deployment.created"]


def record(number: int, clock: Clock, **changes: object) -> UsageRecord:
    made = UsageRecord(
        request_id=f"r{number}",
        started_at=clock(),
        endpoint="/v1/chat/completions",
        model="tiny",
        deployment_id="d",
        replica_id="r",
        user_id="u",
        key_id=None,
        status=200,
        prompt_tokens=10,
        completion_tokens=5,
        duration_ms=12.5,
        ttft_ms=3.25,
        counted_by="engine",
    )
    return replace(made, **changes)


async def test_a_batch_that_comes_twice_counts_once(
    context: ServerContext, cli: httpx.AsyncClient, clock: Clock
) -> None:
    batch = [record(number, clock) for number in range(3_000)]
    await store_usage(context.database, batch)
    await store_usage(context.database, [*batch[1_500:], batch[0], record(3_000, clock, status=502)])
    await store_usage(context.database, [])
    [row] = (await cli.get("/api/v1/usage")).json()["items"]
    assert (row["requests"], row["failed"]) == (3_001, 1)
    assert (row["prompt_tokens"], row["completion_tokens"]) == (30_010, 15_005)


async def test_usage_by_day_and_model(context: ServerContext, cli: httpx.AsyncClient, clock: Clock) -> None:
    await store_usage(context.database, [record(1, clock), record(2, clock, model="big"), record(3, clock)])
    clock.advance(86_400)
    await store_usage(context.database, [record(4, clock), record(5, clock, started_at=clock() - 90 * 86_400)])
    rows = (await cli.get("/api/v1/usage?days=30")).json()["items"]
    assert [(row["model"], row["requests"]) for row in rows] == [("tiny", 1), ("big", 1), ("tiny", 2)]
    assert rows[0]["day"] > rows[1]["day"] == rows[2]["day"]
    assert len((await cli.get("/api/v1/usage?days=1")).json()["items"]) == 1
    assert (await cli.get("/api/v1/usage?days=0")).status_code == 422
