"""Aliases through the API, in the table and in the events."""

import httpx
from tests.server_life.life import ON_SQLITE, Life

from aimindserve.domain.routing import Alias


async def test_an_alias_is_made_changed_and_deleted(cli: httpx.AsyncClient, life: Life) -> None:
    for name in ("old", "new"):
        await life.add(name)
    body = {"targets": [{"deployment": "old", "weight": 90}, {"deployment": "new", "weight": 10}]}
    made = await cli.put("/api/v1/aliases/chat", json=body)
    assert made.status_code == 200, made.text
    assert made.json()["targets"] == body["targets"]
    (alias,) = (await life.table()).aliases
    assert alias == Alias("chat", (("old", 90), ("new", 10)), None, alias.created)
    changed = await cli.put("/api/v1/aliases/chat", json={"targets": [{"deployment": "new"}], "fallback": "old"})
    assert (changed.json()["fallback"], changed.json()["missing"]) == ("old", [])
    assert (await life.table()).aliases == (Alias("chat", (("new", 1),), "old", alias.created),)
    await cli.put("/api/v1/aliases/chat", json={"targets": [{"deployment": "new"}], "fallback": "old"})
    await cli.delete("/api/v1/deployments/old")
    assert (await cli.get("/api/v1/aliases")).json()["items"][0]["missing"] == ["old"]
    assert (await cli.delete("/api/v1/aliases/chat")).status_code == 204
    assert (await life.table()).aliases == ()
    events = (await cli.get("/api/v1/events")).json()["items"]
    told = [(event["kind"], event["data"].get("leads_to")) for event in events if event["kind"].startswith("alias.")]
    assert told == [("alias.created", "old=90, new=10"), ("alias.changed", "new=1; old"), ("alias.deleted", None)]


@ON_SQLITE
async def test_names_are_public_once_and_lead_somewhere(cli: httpx.AsyncClient, life: Life) -> None:
    await life.add("eye")
    one = {"targets": [{"deployment": "eye"}]}
    taken = await cli.put("/api/v1/aliases/eye", json=one)
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    nowhere = await cli.put("/api/v1/aliases/chat", json={"targets": [{"deployment": "nobody"}]})
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "not_found")
    assert (await cli.delete("/api/v1/aliases/nobody")).json()["code"] == "not_found"
    assert (await cli.put("/api/v1/aliases/chat", json=one)).status_code == 200
    spec = {"name": "chat", "source": "demo://tiny-vlm"}
    assert (await cli.post("/api/v1/deployments", json=spec)).json()["code"] == "name_taken"
    for wrong in (
        {"targets": []},
        {"targets": [*one["targets"], *one["targets"]]},
        {"targets": [{"deployment": "eye", "weight": 0}]},
    ):
        assert (await cli.put("/api/v1/aliases/other", json=wrong)).status_code == 422, wrong
