"""Limits and networks of keys and people, over the API, in the table of the gateways and in what they are told."""

import csv
import io
from dataclasses import replace

import httpx
import pytest
from starlette.types import ASGIApp
from tests.server.fixtures import NEW_PASSWORD, Browser, Clock, browser_of, client_of
from tests.server.test_events_usage import record

from aimindserve.domain.limits import Limits
from aimindserve.server.context import ServerContext
from aimindserve.server.reconcile.routes import read_table
from aimindserve.server.usage_store import spent_of_limited, store_usage

LIMITS = {"requests_per_minute": 60, "tokens_per_month": 1_000_000}


async def made(client: httpx.AsyncClient, **body: object) -> dict:
    answer = await client.post("/api/v1/keys", json={"name": "test", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_key_with_everything_reaches_the_gateways(admin: Browser, context: ServerContext) -> None:
    key = await made(admin.client, limits=LIMITS, networks=["10.0.0.0/8", "2001:db8::1"])
    assert key["networks"] == ["10.0.0.0/8", "2001:db8::1/128"]
    assert (key["limits"]["requests_per_minute"], key["limits"]["concurrent"]) == (60, None)
    plain = await made(admin.client)
    assert (plain["networks"], set(plain["limits"].values())) == (None, {None})
    grants = {grant.key_id: grant for grant in (await read_table(context)).keys}
    assert grants[key["id"]].limits == Limits(requests_per_minute=60, tokens_per_month=1_000_000)
    assert grants[key["id"]].networks == ("10.0.0.0/8", "2001:db8::1/128")
    assert (grants[plain["id"]].limits, grants[plain["id"]].networks) == (None, None)


async def test_a_key_is_changed_field_by_field(admin: Browser, clock: Clock) -> None:
    key = await made(admin.client, limits=LIMITS, models=["a"], expires_in=3600)
    url = f"/api/v1/keys/{key['id']}"
    changes: list[tuple[dict[str, object], dict[str, object]]] = [
        ({"name": "new name"}, {"name": "new name", "models": ["a"]}),
        ({"models": None, "scopes": ["inference", "metrics"]}, {"models": None, "scopes": ["inference", "metrics"]}),
        ({"expires_in": None}, {"expires_at": None}),
        ({"expires_in": 60}, {"expires_at": clock() + 60}),
        ({"networks": ["192.0.2.1"]}, {"networks": ["192.0.2.1/32"]}),
        ({"limits": {"concurrent": 2}}, {"limits": dict.fromkeys(key["limits"]) | {"concurrent": 2}}),
        ({"limits": None, "networks": None}, {"limits": dict.fromkeys(key["limits"]), "networks": None}),
        ({"disabled": True}, {"disabled": True, "name": "new name"}),
    ]
    for body, expected in changes:
        answer = await admin.client.patch(url, json=body)
        assert answer.status_code == 200, answer.text
        assert {name: answer.json()[name] for name in expected} == expected
    kinds = [event["kind"] for event in (await admin.client.get("/api/v1/events")).json()["items"]]
    assert kinds.count("key.changed") == 7
    assert kinds[-1] == "key.disabled"


@pytest.mark.parametrize(
    "body",
    [
        {"name": None},
        {"scopes": []},
        {"disabled": None},
        {"networks": ["10.0.0.1/8"]},
        {"networks": ["here"]},
        {"networks": []},
        {"limits": {"requests_per_minute": 0}},
        {"limits": {"requests_per_second": 1}},
        {"limits": {"tokens_per_month": 10**16}},
        {"owner": "me"},
    ],
)
async def test_changes_that_are_refused(admin: Browser, body: dict[str, object]) -> None:
    key = await made(admin.client)
    answer = await admin.client.patch(f"/api/v1/keys/{key['id']}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_people_change_only_their_own_keys(app: ASGIApp, admin: Browser) -> None:
    theirs = await made(admin.client)
    password = "another long passphrase"
    await admin.client.post("/api/v1/users", json={"username": "second", "password": password})
    async with browser_of(app) as second:
        await second.login("second", password)
        await second.change_password(password, NEW_PASSWORD)
        answer = await second.client.patch(f"/api/v1/keys/{theirs['id']}", json={"name": "mine now"})
        assert answer.status_code == 404


async def test_a_management_key_is_bound_to_its_network_too(app: ASGIApp, admin: Browser) -> None:
    key = await made(admin.client, scopes=["management"], networks=["10.0.0.0/8"])
    async with client_of(app, key["token"]) as program:
        for address, status in (("10.9.8.7", 200), ("192.0.2.1", 401), ("", 401)):
            program.headers["x-forwarded-for"] = address  # which only the gateway sets
            assert (await program.get("/api/v1/system")).status_code == status


async def test_a_persons_limits_are_in_the_table_while_there_are_any(admin: Browser, context: ServerContext) -> None:
    body = {"username": "second", "password": "another long passphrase", "limits": {"concurrent": 3}}
    person = (await admin.client.post("/api/v1/users", json=body)).json()
    assert person["limits"]["concurrent"] == 3
    assert [(one.user_id, one.limits) for one in (await read_table(context)).users] == [
        (person["id"], Limits(concurrent=3))
    ]
    url = f"/api/v1/users/{person['id']}"
    changed = await admin.client.patch(url, json={"limits": {"tokens_per_minute": 5}})
    assert (changed.status_code, changed.json()["limits"]["tokens_per_minute"]) == (200, 5)
    assert (await admin.client.patch(url, json={"limits": None})).status_code == 200
    assert (await read_table(context)).users == ()
    assert (await admin.client.patch(url, json={"disabled": None})).status_code == 422


async def test_a_month_is_summed_for_keys_and_people(admin: Browser, context: ServerContext, clock: Clock) -> None:
    key = await made(admin.client, limits={"tokens_per_month": 100})
    other = await made(admin.client)
    [person] = (await admin.client.get("/api/v1/users")).json()["items"]
    await admin.client.patch(f"/api/v1/users/{person['id']}", json={"limits": {"tokens_per_month": 500}})
    mine = [
        record(number, clock, user_id=person["id"], key_id=one)
        for number, one in enumerate((key["id"], key["id"], other["id"], None))
    ]
    old = record(9, clock, user_id=person["id"], key_id=key["id"], started_at=clock() - 40 * 86_400)
    stranger = record(10, clock, user_id="somebody", key_id="else")
    await store_usage(context.database, [*mine, old, stranger, mine[0]])
    subjects = {f"key {key['id']}": 30, f"user {person['id']}": 60}
    assert await spent_of_limited(context.database, clock(), None) == subjects
    assert await spent_of_limited(context.database, clock(), [stranger]) == {}
    assert await spent_of_limited(context.database, clock(), [mine[0]]) == subjects
    listed = {one["id"]: one["tokens_this_month"] for one in (await admin.client.get("/api/v1/keys")).json()["items"]}
    assert listed == {key["id"]: 30, other["id"]: 15}
    assert (await admin.client.get("/api/v1/users")).json()["items"][0]["tokens_this_month"] == 60


async def test_usage_by_key_and_person_as_json_and_as_a_table(
    admin: Browser, context: ServerContext, clock: Clock
) -> None:
    key = await made(admin.client, name="=1+1")
    base = record(1, clock, key_id=key["id"], cached_tokens=4, image_tokens=3, images=2)
    await store_usage(context.database, [base, replace(base, request_id="2", model="big", user_id="gone")])
    url = "/api/v1/usage"
    by_model = (await admin.client.get(url)).json()["items"]
    assert [(row["model"], row["key"], row["user_id"]) for row in by_model] == [("big", "", ""), ("tiny", "", "")]
    [by_key] = (await admin.client.get(f"{url}?by=key")).json()["items"]
    assert (by_key["key_id"], by_key["key"], by_key["requests"], by_key["model"]) == (key["id"], "=1+1", 2, "")
    assert (by_key["cached_tokens"], by_key["image_tokens"], by_key["images"]) == (8, 6, 4)
    people = (await admin.client.get(f"{url}?by=user&by=model&model=big")).json()["items"]
    assert [(row["user_id"], row["user"], row["model"]) for row in people] == [("gone", "", "big")]
    answer = await admin.client.get(f"{url}/export?days=7")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["model"], row["key"], row["prompt_tokens"]) for row in rows] == [
        ("big", "'=1+1", "10"),
        ("tiny", "'=1+1", "10"),
    ]
    assert (await admin.client.get(f"{url}?by=colour")).status_code == 422


async def test_people_see_their_own_usage(app: ASGIApp, admin: Browser, context: ServerContext, clock: Clock) -> None:
    password = "another long passphrase"
    person = (await admin.client.post("/api/v1/users", json={"username": "second", "password": password})).json()
    await store_usage(context.database, [record(1, clock, user_id=person["id"]), record(2, clock)])
    async with browser_of(app) as second:
        await second.login("second", password)
        await second.change_password(password, NEW_PASSWORD)
        for path in ("usage", "usage?by=user&user=u"):
            rows = (await second.client.get(f"/api/v1/{path}")).json()["items"]
            assert sum(row["requests"] for row in rows) == (1 if path == "usage" else 0)
        assert (await second.client.get("/api/v1/usage/export")).text.count("\n") == 2
