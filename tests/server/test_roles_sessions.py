"""Roles, sessions of browsers, and what the audit tells of changes."""

from starlette.types import ASGIApp
from tests.server.fixtures import NEW_PASSWORD, Browser, browser_of

from aimindserve.domain.changes import HIDDEN

FIRST = "another long passphrase"


async def join(app_browser: Browser, admin: Browser, name: str, role: str) -> dict:
    """A person made by ``admin`` who has logged in and set a password."""
    body = {"username": name, "password": FIRST, "role": role}
    made = (await admin.client.post("/api/v1/users", json=body)).raise_for_status().json()
    (await app_browser.login(name, FIRST)).raise_for_status()
    (await app_browser.change_password(FIRST, NEW_PASSWORD)).raise_for_status()
    return made


async def audit(admin: Browser, **wish: object) -> list[dict]:
    answer = await admin.client.get("/api/v1/events", params=wish)
    return answer.raise_for_status().json()["items"]


async def test_an_operator_manages_models_and_nothing_else(app: ASGIApp, admin: Browser) -> None:
    async with browser_of(app) as operator:
        made = await join(operator, admin, "pilot", "operator")
        assert (await operator.client.get("/api/v1/session")).json()["role"] == "operator"
        spec = {"name": "x", "source": "file:///nowhere/x.gguf"}
        assert (await operator.client.post("/api/v1/deployments", json=spec)).status_code != 403
        assert (await operator.client.get("/api/v1/files")).status_code == 200
        assert (await operator.client.get("/api/v1/users")).status_code == 403
        assert (await operator.client.get("/api/v1/settings")).status_code == 403
        await admin.client.patch(f"/api/v1/users/{made['id']}", json={"role": "user"})
        assert (await operator.client.get("/api/v1/files")).status_code == 403
    changed = await audit(admin, kind="user.changed")
    assert changed[-1]["data"] == {"changes": {"role": {"before": "operator", "after": "user"}}}


async def test_sessions_are_listed_and_ended(app: ASGIApp, admin: Browser) -> None:
    async with browser_of(app) as laptop, browser_of(app) as phone:
        made = await join(laptop, admin, "second", "user")
        phone.client.headers["user-agent"] = "a phone"
        (await phone.login("second", NEW_PASSWORD)).raise_for_status()
        mine = (await laptop.client.get("/api/v1/sessions")).raise_for_status().json()["items"]
        assert sorted(one["current"] for one in mine) == [False, True]
        other = next(one for one in mine if not one["current"])
        assert (other["agent"], other["username"]) == ("a phone", "second")
        assert (await laptop.client.delete(f"/api/v1/sessions/{other['id']}")).status_code == 204
        assert (await phone.client.get("/api/v1/session")).status_code == 401
        assert (await laptop.client.delete(f"/api/v1/sessions/{other['id']}")).status_code == 404
        theirs = (await admin.client.get("/api/v1/sessions")).json()["items"][0]["id"]
        assert (await laptop.client.delete(f"/api/v1/sessions/{theirs}")).status_code == 404
        admin_id = (await admin.client.get("/api/v1/users", params={})).json()["items"][0]["id"]
        assert (await laptop.client.get("/api/v1/sessions", params={"user": admin_id})).status_code == 403
        seen = (await admin.client.get("/api/v1/sessions", params={"user": made["id"]})).json()["items"]
        assert [one["current"] for one in seen] == [False]
        assert (await admin.client.delete(f"/api/v1/sessions/{seen[0]['id']}")).status_code == 204
        assert (await laptop.client.get("/api/v1/session")).status_code == 401


async def test_part_of_an_id_names_no_session(admin: Browser) -> None:
    mine = (await admin.client.get("/api/v1/sessions")).json()["items"][0]["id"]
    for other in (mine[:8], "%" * 16, "_" * 16):
        assert (await admin.client.delete(f"/api/v1/sessions/{other}")).status_code == 404


async def test_a_reset_password_must_be_changed_and_ends_sessions(app: ASGIApp, admin: Browser) -> None:
    async with browser_of(app) as second:
        made = await join(second, admin, "second", "user")
        bad = await admin.client.patch(f"/api/v1/users/{made['id']}", json={"password": "short"})
        assert bad.status_code == 422
        answer = await admin.client.patch(f"/api/v1/users/{made['id']}", json={"password": FIRST})
        assert answer.json()["must_change_password"] is True
        assert (await second.client.get("/api/v1/session")).status_code == 401
        assert (await second.login("second", NEW_PASSWORD)).status_code == 401
        assert (await second.login("second", FIRST)).json()["must_change_password"] is True
    assert [event["subject"] for event in await audit(admin, kind="user.password_reset")] == ["second"]
    assert FIRST not in str(await audit(admin))


async def test_events_are_found_by_who_what_and_when(app: ASGIApp, admin: Browser) -> None:
    async with browser_of(app) as second:
        await join(second, admin, "second", "user")
    assert {event["actor"] for event in await audit(admin, actor="second")} == {"second"}
    assert {event["kind"] for event in await audit(admin, kind="user.")} == {"user.created", "user.password_changed"}
    assert await audit(admin, kind="user") == []
    everything = await audit(admin)
    older = await audit(admin, before=everything[-1]["id"], limit=2)
    assert [event["id"] for event in older] == [event["id"] for event in everything[-3:-1]]
    assert await audit(admin, until=everything[0]["at"]) == []
    assert len(await audit(admin, since=everything[0]["at"], subject="second")) >= 3


async def test_what_changed_about_a_key_is_told(admin: Browser) -> None:
    made = (await admin.client.post("/api/v1/keys", json={"name": "one"})).json()
    patch = {"name": "two", "limits": {"requests_per_minute": 5}}
    (await admin.client.patch(f"/api/v1/keys/{made['id']}", json=patch)).raise_for_status()
    told = (await audit(admin, kind="key.changed"))[-1]["data"]["changes"]
    assert told == {
        "name": {"before": "one", "after": "two"},
        "limits": {"before": {}, "after": {"requests_per_minute": 5}},
    }


async def test_a_proxy_is_not_told(admin: Browser) -> None:
    patch = {"proxy": "http://me:secret@proxy.example:3128"}
    (await admin.client.patch("/api/v1/settings/hub", json=patch)).raise_for_status()
    event = (await audit(admin, kind="hub.settings_changed"))[-1]
    assert event["data"]["changes"] == {"proxy": {"before": HIDDEN, "after": HIDDEN}}
    assert "secret" not in str(await audit(admin))
