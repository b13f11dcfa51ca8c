"""Labels of machines, and machines that are emptied, through the API."""

from typing import Any

import httpx
from tests.server_life.life import ON_SQLITE, Life, only

from aimindserve.domain.lifecycle import Phase
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.replicas import ReplicaState
from aimindserve.sim.fake_node import FakeFabric, FakeNode, cpu_node

LABELS = {"room": "lab", "disk": "ssd"}


async def _last_event(cli: httpx.AsyncClient) -> dict[str, Any]:
    return (await cli.get("/api/v1/events")).json()["items"][-1]


async def test_labels_are_given_and_taken_back(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    node.facts = node.facts.model_copy(update={"labels": {"room": "cellar"}})
    await life.settle()
    answer = await cli.patch("/api/v1/nodes/host-one", json={"labels": LABELS})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["labels"], answer.json()["given_labels"]) == (LABELS, LABELS)
    event = await _last_event(cli)
    assert (event["kind"], event["subject"]) == ("node.labelled", "one")
    assert event["data"]["labels"] == "disk=ssd, room=lab"
    taken = (await cli.patch("/api/v1/nodes/one", json={"labels": {"room": None, "absent": None}})).json()
    assert (taken["labels"], taken["given_labels"]) == ({"room": "cellar", "disk": "ssd"}, {"disk": "ssd"})
    await life.settle()
    assert (await cli.get("/api/v1/nodes")).json()["items"][0]["labels"] == {"room": "cellar", "disk": "ssd"}


@ON_SQLITE
async def test_odd_labels_and_absent_machines_are_refused(cli: httpx.AsyncClient, life: Life) -> None:
    await life.settle()
    for labels in ({}, {"a b": "c"}, {"a": "ü"}, {"a": 1}, None, {"": "x"}, {"a": "x" * 64}):
        answer = await cli.patch("/api/v1/nodes/one", json={"labels": labels})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), labels
    for path in ("drain", "undrain"):
        answer = await cli.post(f"/api/v1/nodes/nobody/{path}")
        assert answer.json()["code"] == "node_unknown"
    assert (await cli.patch("/api/v1/nodes/nobody", json={"labels": LABELS})).json()["code"] == "node_unknown"


@ON_SQLITE
async def test_wished_labels_choose_the_machine(
    cli: httpx.AsyncClient, life: Life, fabric: FakeFabric, node: FakeNode
) -> None:
    other = fabric.machines["two"] = FakeNode(cpu_node("two"))
    await life.settle()
    await cli.patch("/api/v1/nodes/two", json={"labels": LABELS})
    body = {"name": "eye", "source": "demo://tiny-vlm", "placement": {"labels": {"disk": "ssd"}}}
    report = (await cli.post("/api/v1/fit", json=body)).json()
    assert report["placement"]["node_id"] == "two"
    (refusal,) = report["refusals"]
    assert (refusal["node"], refusal["reason"]["code"]) == ("host-one", "node_labels_missing")
    assert "disk=ssd" in refusal["reason"]["message"]
    nowhere = (await cli.post("/api/v1/fit", json=body | {"placement": {"labels": {"disk": "tape"}}})).json()
    assert (nowhere["verdict"], nowhere["reasons"][0]["code"]) == ("no", "node_unknown")
    assert [one["kind"] for one in nowhere["alternatives"]] == ["wishes"]
    assert nowhere["alternatives"][0]["patch"]["placement"]["labels"] == {}
    assert (await cli.post("/api/v1/deployments", json=body)).status_code == 201
    await life.settle()
    assert (len(other.held), len(node.held)) == (1, 0)


async def test_a_drained_machine_is_emptied_when_others_are_ready(
    cli: httpx.AsyncClient, life: Life, fabric: FakeFabric, node: FakeNode
) -> None:
    await life.add()
    await life.settle()
    first = only(node)
    drained = (await cli.post("/api/v1/nodes/one/drain")).json()
    assert drained["drained_at"] == life.clock.now
    assert (await _last_event(cli))["kind"] == "node.drained"
    await life.settle()
    standing = await life.standing()
    assert standing.phase is Phase.READY, "what runs there goes on"
    assert [why.code for why in standing.reasons] == [ReasonCode.NODE_DRAINED]
    other = fabric.machines["two"] = FakeNode(cpu_node("two"), quick=False)
    for _ in range(5):
        await life.round()
    assert only(node) == first, "the other is not ready yet"
    other.observe(only(other), state=ReplicaState.READY)
    await life.settle()
    assert (node.held, await life.phase()) == ({}, Phase.READY)
    await cli.post("/api/v1/nodes/one/undrain")
    assert (await _last_event(cli))["kind"] == "node.undrained"
    await life.settle()
    assert node.held == {}, "nobody is moved back"


@ON_SQLITE
async def test_a_machine_that_is_drained_twice_tells_once(cli: httpx.AsyncClient, life: Life) -> None:
    await life.settle()
    for action in ("undrain", "drain", "drain"):
        assert (await cli.post(f"/api/v1/nodes/one/{action}")).status_code == 200
    kinds = [event["kind"] for event in (await cli.get("/api/v1/events")).json()["items"]]
    assert (kinds.count("node.drained"), kinds.count("node.undrained")) == (1, 0)
