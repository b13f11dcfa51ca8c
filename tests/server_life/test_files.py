"""``/files``: orders about model files, on nodes in memory."""

import json
from pathlib import Path
from typing import Any

import httpx
from tests.server_life.life import Life, model_facts
from tests.support.gguf_files import write_model

from aimindserve.domain.facts import HubOrigin, ModelFacts
from aimindserve.domain.file_actions import WantedFiles
from aimindserve.domain.files import ModelState, TransferProgress, model_key
from aimindserve.domain.replicas import ReplicaState
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import ModelOrderRow
from aimindserve.server.features.events.service import View, follow
from aimindserve.sim.fake_node import FakeNode

API = "/api/v1/files"
SOURCE = "hf://org/repo:Q4_K_M"


def hub_facts() -> ModelFacts:
    facts = model_facts()
    file = facts.files[0].model_copy(update={"path": "m-Q4_K_M.gguf", "digest": "sha256:" + "1" * 64})
    origin = HubOrigin(hub="hf", repository="org/repo", revision="c" * 40)
    return facts.model_copy(update={"files": (file,), "origin": origin})


KEY = model_key(hub_facts())


async def order(life: Life, wanted: WantedFiles = WantedFiles.STORED) -> None:
    """As ``POST /files`` would, for a repository that no hub here has."""
    await life.settle()
    async with life.context.database.unit_of_work("tests") as work:
        work.session.add(
            ModelOrderRow(
                node_id="one",
                key=KEY,
                source=SOURCE,
                facts=hub_facts(),
                wanted=wanted,
                attempt=1,
                created_at=work.now,
                updated_at=work.now,
            )
        )
        work.record("model.ordered", subject=SOURCE)


async def shown(cli: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await cli.get(API)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def rounds(life: Life) -> None:
    for _ in range(4):
        await life.round()


async def test_a_download_is_ordered_shown_and_deleted(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    node.quick = False
    await order(life)
    (waiting,) = await shown(cli)
    assert waiting["state"] == "queued"
    await rounds(life)
    (item,) = await shown(cli)
    assert item["state"] == "downloading"
    assert set(item["allowed_actions"]) == {"pause", "delete"}
    assert (await cli.post(f"{API}/one/{KEY}/pause")).status_code == 202
    await rounds(life)
    (item,) = await shown(cli)
    assert item["state"] == "paused"
    assert (await cli.post(f"{API}/one/{KEY}/pause")).status_code == 409
    assert (await cli.post(f"{API}/one/{KEY}/resume")).status_code == 202
    await rounds(life)
    total = item["progress"]["total"]
    node.observe_model(KEY, state=ModelState.READY, progress=TransferProgress(done=total, total=total))
    await rounds(life)
    (item,) = await shown(cli)
    assert item["state"] == "ready"
    assert set(item["allowed_actions"]) == {"deploy", "delete"}
    assert (await cli.delete(f"{API}/one/{KEY}")).status_code == 202
    await rounds(life)
    assert await shown(cli) == []
    assert node.models == {}
    async with life.context.database.read() as session:
        assert await session.get(ModelOrderRow, ("one", KEY)) is None
    events = (await cli.get("/api/v1/events")).json()["items"]
    told = [event["kind"] for event in events if event["kind"].startswith("model.")]
    assert told == [
        *("model.ordered", "model.downloading", "model.pause_ordered", "model.paused"),
        *("model.resume_ordered", "model.downloading", "model.downloaded", "model.delete_ordered", "model.deleted"),
    ]


async def test_files_that_a_deployment_needs_stay(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    await life.add()
    await life.change(facts=hub_facts())
    await order(life)
    await rounds(life)
    (item,) = await shown(cli)
    assert item["used_by"] == ["eye"]
    refused = await cli.delete(f"{API}/one/{KEY}")
    assert refused.status_code == 409
    assert refused.json()["code"] == "files_in_use"
    assert KEY in node.models


async def test_a_deployment_that_came_after_the_order_to_delete_keeps_its_files(life: Life, node: FakeNode) -> None:
    await order(life, WantedFiles.DELETED)
    await life.add()
    await life.change(facts=hub_facts())
    await rounds(life)
    assert all(KEY not in desired.forget for desired in life.fabric.syncs[-2:])


async def test_a_late_report_ends_no_order_to_delete(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    await order(life)
    await rounds(life)
    life.fabric.deaf.add("one")
    node.models.clear()
    assert (await cli.delete(f"{API}/one/{KEY}")).status_code == 202
    await rounds(life)
    async with life.context.database.read() as session:
        assert await session.get(ModelOrderRow, ("one", KEY)) is not None


async def test_a_failed_download_is_retried_by_its_attempt(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    node.quick = False
    await order(life)
    await rounds(life)
    node.observe_model(KEY, state=ModelState.FAILED)
    await rounds(life)
    assert (await cli.post(f"{API}/one/{KEY}/retry")).status_code == 202
    await rounds(life)
    assert life.fabric.syncs[-1].models[0].attempt == 2


async def test_a_local_path_is_remembered_and_forgotten(cli: httpx.AsyncClient, life: Life, tmp_path: Path) -> None:
    await life.settle()
    model = write_model(tmp_path / "tiny.gguf", architecture="llama")
    answer = await cli.post(API, json={"source": str(model)})
    assert answer.status_code == 202, answer.text
    (item,) = await shown(cli)
    assert (item["kind"], [item["key"]]) == ("local", answer.json()["keys"])
    assert (await cli.delete(f"{API}/one/{item['key']}")).status_code == 202
    assert await shown(cli) == []
    assert model.exists()


async def test_unknown_files_and_nodes(cli: httpx.AsyncClient, life: Life, tmp_path: Path) -> None:
    await life.settle()
    assert (await cli.delete(f"{API}/one/{KEY}")).status_code == 404
    assert (await cli.delete(f"{API}/one/..%2f")).status_code in (404, 422)
    model = write_model(tmp_path / "tiny.gguf", architecture="llama")
    answer = await cli.post(API, json={"source": str(model), "nodes": ["nowhere"]})
    assert answer.json()["code"] == "node_unknown"


async def test_progress_is_told_live_and_not_stored(
    cli: httpx.AsyncClient, context: ServerContext, life: Life, node: FakeNode
) -> None:
    node.quick = False
    await life.add()
    await rounds(life)
    (replica_id,) = node.held
    before = await life.last_event()

    async def yes() -> bool:
        return True

    stream = follow(context, before, View(everything=True), yes)
    assert (await anext(stream)).startswith(b"retry")
    progress = TransferProgress(done=10, total=100, rate=5.0, eta=18.0)
    node.observe(replica_id, state=ReplicaState.DOWNLOADING, download=progress)
    await rounds(life)
    told = await anext(stream)
    while not told.startswith(b"event: progress"):
        told = await anext(stream)
    await stream.aclose()
    data = json.loads(told.partition(b"data: ")[2])
    assert data == {"node_id": "one", "files": {}, "replicas": {replica_id: progress.model_dump()}}
    shown_replica = (await cli.get("/api/v1/deployments/eye")).json()["replicas"][0]
    assert shown_replica["phase"] == "downloading"
    assert shown_replica["download"]["done"] == 10
    after = await life.last_event()
    node.observe(replica_id, download=progress.model_copy(update={"done": 60}))
    await rounds(life)
    assert await life.last_event() == after
    assert (await cli.get("/api/v1/deployments/eye")).json()["replicas"][0]["download"]["done"] == 60
