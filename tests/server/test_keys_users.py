"""API keys and people, over the API."""

from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from starlette.types import ASGIApp
from tests.server.fixtures import NEW_PASSWORD, Browser, Clock, browser_of, client_of, local_key, open_context

from aimindserve.server.app import create_app
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import ApiKeyRow, UserRow
from aimindserve.server.reconcile.routes import read_table
from aimindserve.server.settings import Settings

SECOND = "another long passphrase"


async def make_key(client: httpx.AsyncClient, **body: object) -> dict:
    answer = await client.post("/api/v1/keys", json={"name": "test", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def make_user(admin: Browser, name: str = "second", *, role: str = "user") -> dict:
    answer = await admin.client.post("/api/v1/users", json={"username": name, "password": SECOND, "role": role})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_key_is_shown_once_and_stored_as_a_digest(admin: Browser, context: ServerContext) -> None:
    made = await make_key(admin.client, scopes=["inference"], models=["tiny-vlm"])
    assert made["token"].startswith(f"sk-{made['id']}-")
    assert len(made["token"].rpartition("-")[0]) >= 14
    assert (made["scopes"], made["models"], made["owner"]) == (["inference"], ["tiny-vlm"], "admin")
    listed = (await admin.client.get("/api/v1/keys")).json()["items"]
    assert [key["id"] for key in listed] == [made["id"]]
    assert made["token"] not in (await admin.client.get("/api/v1/keys")).text
    async with context.database.read() as session:
        row = await session.get_one(ApiKeyRow, made["id"])
    assert row.digest == context.digester.digest(made["token"])
    assert made["token"] not in repr(vars(row))


async def test_a_management_key_works_until_it_is_deleted(app: ASGIApp, admin: Browser) -> None:
    made = await make_key(admin.client, scopes=["management"])
    async with client_of(app, made["token"]) as program:
        assert (await program.get("/api/v1/system")).status_code == 200
        assert (await admin.client.delete(f"/api/v1/keys/{made['id']}")).status_code == 204
        assert (await program.get("/api/v1/system")).status_code == 401
    assert (await admin.client.delete(f"/api/v1/keys/{made['id']}")).status_code == 404


async def test_a_disabled_key_works_again_when_it_is_enabled(app: ASGIApp, admin: Browser) -> None:
    made = await make_key(admin.client, scopes=["management"])
    async with client_of(app, made["token"]) as program:
        for disabled, status in ((True, 401), (False, 200)):
            answer = await admin.client.patch(f"/api/v1/keys/{made['id']}", json={"disabled": disabled})
            assert answer.json()["disabled"] is disabled
            assert (await program.get("/api/v1/system")).status_code == status


async def test_an_expired_key_stops_working_on_the_second(app: ASGIApp, admin: Browser, clock: Clock) -> None:
    made = await make_key(admin.client, scopes=["management"], expires_in=60)
    async with client_of(app, made["token"]) as program:
        clock.advance(59.9)
        assert (await program.get("/api/v1/system")).status_code == 200
        clock.advance(0.1)
        assert (await program.get("/api/v1/system")).status_code == 401


async def test_last_use_is_noted(app: ASGIApp, admin: Browser, clock: Clock) -> None:
    made = await make_key(admin.client, scopes=["management"])
    async with client_of(app, made["token"]) as program:
        await program.get("/api/v1/system")
    listed = (await admin.client.get("/api/v1/keys")).json()["items"]
    assert listed[0]["last_used_at"] == clock()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x", "scopes": ["root"]},
        {"name": "x", "expires_in": 1},
        {"name": "x", "user_id": "someone"},
        {"name": "x", "role": "admin"},
        {"name": "x", "digest": "0" * 64},
        {"name": "x", "system": True},
    ],
)
async def test_bodies_that_are_refused(cli: httpx.AsyncClient, body: dict[str, object]) -> None:
    answer = await cli.post("/api/v1/keys", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_people_see_and_touch_only_their_own_keys(app: ASGIApp, admin: Browser) -> None:
    theirs = await make_key(admin.client)
    await make_user(admin)
    async with browser_of(app) as second:
        await second.login("second", SECOND)
        await second.change_password(SECOND, NEW_PASSWORD)
        mine = await make_key(second.client)
        assert [key["id"] for key in (await second.client.get("/api/v1/keys")).json()["items"]] == [mine["id"]]
        for method in ("DELETE", "PATCH"):
            answer = await second.client.request(method, f"/api/v1/keys/{theirs['id']}", json={"disabled": True})
            assert answer.status_code == 404
        assert (await second.client.get("/api/v1/users")).status_code == 403
    owners = {key["owner"] for key in (await admin.client.get("/api/v1/keys")).json()["items"]}
    assert owners == {"admin", "second"}


async def test_a_key_never_has_more_rights_than_its_owner(app: ASGIApp, admin: Browser) -> None:
    await make_user(admin)
    async with browser_of(app) as second:
        await second.login("second", SECOND)
        await second.change_password(SECOND, NEW_PASSWORD)
        made = await make_key(second.client, scopes=["management"])
    async with client_of(app, made["token"]) as program:
        assert (await program.get("/api/v1/keys")).status_code == 200
        assert (await program.get("/api/v1/users")).status_code == 403


async def test_the_command_lines_key_is_in_no_list_and_cannot_be_touched(
    cli: httpx.AsyncClient, context: ServerContext
) -> None:
    assert (await cli.get("/api/v1/keys")).json()["items"] == []
    async with context.database.read() as session:
        key = (await session.scalars(select(ApiKeyRow).where(ApiKeyRow.system))).one()
        user = (await session.scalars(select(UserRow).where(UserRow.username == "local-cli"))).one()
    assert (await cli.delete(f"/api/v1/keys/{key.id}")).status_code == 404
    assert (await cli.delete(f"/api/v1/users/{user.id}")).status_code == 404
    assert "local-cli" not in (await cli.get("/api/v1/users")).text


async def test_the_command_lines_key_outlives_a_restart(settings: Settings, clock: Clock) -> None:
    async with open_context(settings, clock) as context:
        first = local_key(context)
    async with open_context(settings, clock) as context, client_of(create_app(context), first) as program:
        assert local_key(context) == first
        assert (await program.get("/api/v1/keys")).status_code == 200


def _spoil(context: ServerContext, content: bytes) -> None:
    Path(context.paths.local_cli_key).write_bytes(content)


@pytest.mark.parametrize("content", [b"", b"sk-somebody-else\n", b"\xff\xfe"])
async def test_a_spoilt_key_of_the_command_line_is_replaced(settings: Settings, clock: Clock, content: bytes) -> None:
    async with open_context(settings, clock) as context:
        first = local_key(context)
        _spoil(context, content)
    async with open_context(settings, clock) as context:
        app = create_app(context)
        async with client_of(app, first) as program:
            assert (await program.get("/api/v1/keys")).status_code == 401
        async with client_of(app, local_key(context)) as program:
            assert (await program.get("/api/v1/keys")).status_code == 200


async def test_a_new_person_must_change_the_password(app: ASGIApp, admin: Browser) -> None:
    made = await make_user(admin, "New.Person@example.org")
    assert (made["username"], made["must_change_password"]) == ("new.person@example.org", True)
    async with browser_of(app) as browser:
        await browser.login("new.person@EXAMPLE.org", SECOND)
        assert (await browser.client.get("/api/v1/keys")).json()["code"] == "password_change_required"


async def test_names_are_taken_whatever_their_case(admin: Browser) -> None:
    await make_user(admin, "second")
    answer = await admin.client.post("/api/v1/users", json={"username": "SECOND", "password": SECOND})
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
    reserved = await admin.client.post("/api/v1/users", json={"username": "local-cli", "password": SECOND})
    assert reserved.status_code == 409


async def test_disabling_a_person_ends_sessions_and_keys_at_once(app: ASGIApp, admin: Browser) -> None:
    user = await make_user(admin)
    async with browser_of(app) as second:
        await second.login("second", SECOND)
        await second.change_password(SECOND, NEW_PASSWORD)
        key = await make_key(second.client, scopes=["management"])
        await admin.client.patch(f"/api/v1/users/{user['id']}", json={"disabled": True})
        assert (await second.client.get("/api/v1/session")).status_code == 401
        assert (await second.login("second", NEW_PASSWORD)).status_code == 401
        async with client_of(app, key["token"]) as program:
            assert (await program.get("/api/v1/keys")).status_code == 401
        await admin.client.patch(f"/api/v1/users/{user['id']}", json={"disabled": False})
        assert (await second.login("second", NEW_PASSWORD)).status_code == 200


async def test_deleting_a_person_deletes_keys_and_sessions(app: ASGIApp, admin: Browser) -> None:
    user = await make_user(admin)
    async with browser_of(app) as second:
        await second.login("second", SECOND)
        await second.change_password(SECOND, NEW_PASSWORD)
        await make_key(second.client)
        assert (await admin.client.delete(f"/api/v1/users/{user['id']}")).status_code == 204
        assert (await second.client.get("/api/v1/session")).status_code == 401
    assert (await admin.client.get("/api/v1/keys")).json()["items"] == []


async def test_the_last_administrator_stays(admin: Browser) -> None:
    me = (await admin.client.get("/api/v1/users")).json()["items"][0]
    for method, body in (("DELETE", None), ("PATCH", {"disabled": True}), ("PATCH", {"role": "operator"})):
        answer = await admin.client.request(method, f"/api/v1/users/{me['id']}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "action_not_allowed")
    other = await make_user(admin, "deputy", role="admin")
    assert (await admin.client.delete(f"/api/v1/users/{me['id']}")).status_code == 204
    assert other["role"] == "admin"


async def test_gateways_know_of_a_change_before_its_answer(
    app: ASGIApp, admin: Browser, context: ServerContext
) -> None:
    tables: list[tuple[set[str], int]] = []

    async def in_force() -> None:
        table = await read_table(context)
        tables.append(({key.key_id for key in table.keys}, len(table.sessions)))

    context.in_force = in_force
    key = (await make_key(admin.client))["id"]
    known = [key in tables[-1][0]]
    for disabled in (True, False):
        await admin.client.patch(f"/api/v1/keys/{key}", json={"disabled": disabled})
        known.append(key in tables[-1][0])
    await admin.client.delete(f"/api/v1/keys/{key}")
    assert [*known, key in tables[-1][0]] == [True, False, True, False]
    user = (await make_user(admin))["id"]
    async with browser_of(app) as second:
        await second.login("second", SECOND)
        await second.change_password(SECOND, NEW_PASSWORD)
        theirs = (await make_key(second.client))["id"]
        assert (theirs in tables[-1][0], tables[-1][1]) == (True, 2)
        await second.client.delete("/api/v1/session")
        assert tables[-1][1] == 1
    await admin.client.patch(f"/api/v1/users/{user}", json={"disabled": True})
    assert theirs not in tables[-1][0]
    await admin.client.patch(f"/api/v1/users/{user}", json={"disabled": False})
    assert theirs in tables[-1][0]
    await admin.client.delete(f"/api/v1/users/{user}")
    assert theirs not in tables[-1][0]
