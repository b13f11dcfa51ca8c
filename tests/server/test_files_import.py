"""Importing model files through the API: what is ordered, from where, and what is refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from tests.node.downloading import fetched, job
from tests.server.test_hub_models import HUB
from tests.sources.test_folder import COMMIT, SHA, cached, gguf_folder
from tests.support.hub_server import Hub, content, serving

from aimindserve.domain.files import StoredModel, TransferProgress, model_key
from aimindserve.domain.replicas import NodeReport
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import ModelOrderRow, NodeRow

IMPORT = "/api/v1/files/import"
NODE = "node-1"


@pytest.fixture
async def node(context: ServerContext) -> str:
    async with context.database.unit_of_work(quiet=True) as work:
        work.session.add(NodeRow(id=NODE, hostname="box", address="127.0.0.1", created_at=work.now))
    return NODE


@pytest.fixture
async def offline(cli: httpx.AsyncClient) -> None:
    (await cli.patch(HUB, json={"offline": True})).raise_for_status()


async def orders(context: ServerContext) -> list[ModelOrderRow]:
    async with context.database.read() as session:
        return list(await session.scalars(select(ModelOrderRow)))


@pytest.mark.usefixtures("offline", "node")
async def test_a_folder_with_a_named_source(cli: httpx.AsyncClient, context: ServerContext, tmp_path: Path) -> None:
    folder = gguf_folder(tmp_path / "usb")
    answer = await cli.post(IMPORT, json={"path": str(folder), "source": "hf://maker/Tiny-GGUF"})
    assert answer.status_code == 202, answer.text
    (order,) = await orders(context)
    assert answer.json() == {"keys": [order.key]}
    assert (order.folder, order.source, order.wanted) == (str(folder), "hf://maker/Tiny-GGUF", "stored")
    assert len(order.facts.files) == 2  # with its projector
    (shown,) = (await cli.get("/api/v1/files")).json()["items"]
    assert (shown["brought_from"], shown["revision"], shown["state"]) == (str(folder), "imported", "queued")
    # Ordered again from elsewhere, the new folder counts.
    other = gguf_folder(tmp_path / "other")
    await cli.post(IMPORT, json={"path": str(other), "source": "hf://maker/Tiny-GGUF", "node": "box"})
    (again,) = await orders(context)
    assert (again.folder, again.attempt) == (str(other), 2)


@pytest.mark.usefixtures("offline", "node")
async def test_a_cache_needs_no_source(cli: httpx.AsyncClient, context: ServerContext, tmp_path: Path) -> None:
    model = cached(tmp_path / "hub", COMMIT)
    answer = await cli.post(IMPORT, json={"path": str(model), "projector": "none"})
    assert answer.status_code == 202, answer.text
    (order,) = await orders(context)
    assert order.source == f"hf://maker/Tiny-GGUF@{COMMIT}"
    assert order.facts.files[0].digest == f"sha256:{SHA}"


@pytest.mark.usefixtures("offline", "node")
@pytest.mark.parametrize(
    ("path", "more", "code"),
    [
        ("usb", {}, "import_source_unknown"),
        ("nowhere", {"source": "hf://a/b"}, "source_not_found"),
        ("usb", {"source": "hf://a/b:Q2_K"}, "quantization_not_found"),
        ("usb", {"source": "hf://a/b", "node": "elsewhere"}, "node_unknown"),
        ("usb", {"source": "nonsense"}, "source_invalid"),
    ],
)
async def test_refusals(
    cli: httpx.AsyncClient,
    context: ServerContext,
    tmp_path: Path,
    path: str,
    more: dict[str, str],
    code: str,
) -> None:
    gguf_folder(tmp_path / "usb")
    answer = await cli.post(IMPORT, json={"path": str(tmp_path / path), **more})
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == code
    assert problem["remedy"]
    assert await orders(context) == []


async def test_a_relative_path_is_refused(cli: httpx.AsyncClient) -> None:
    answer = await cli.post(IMPORT, json={"path": "usb"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub({"model.gguf": content(5000, 1), "config.json": b"{}"})) as served:
        yield served


@pytest.mark.usefixtures("offline", "node")
async def test_every_model_of_another_store(
    cli: httpx.AsyncClient, context: ServerContext, hub: Hub, tmp_path: Path
) -> None:
    assert (await fetched(job(hub, tmp_path / "data" / "models"))).finished
    for path in (tmp_path / "data", tmp_path / "data" / "models"):
        answer = await cli.post(IMPORT, json={"path": str(path)})
        assert answer.status_code == 202, answer.text
    (order,) = await orders(context)
    assert order.key == model_key(hub.facts())
    assert order.folder == str(tmp_path / "data" / "models")


@pytest.mark.usefixtures("offline", "node")
async def test_stored_files_answer_for_a_hub_that_does_not(
    cli: httpx.AsyncClient, context: ServerContext, tmp_path: Path
) -> None:
    folder = gguf_folder(tmp_path / "usb")
    for tag in ("Q8_0", "Q4_K_M"):
        await cli.post(IMPORT, json={"path": str(folder), "source": f"hf://maker/Tiny-GGUF:{tag}"})
    spec = {"name": "tiny", "source": "hf://maker/Tiny-GGUF"}
    refused = await cli.post("/api/v1/fit", json=spec)
    assert json.dumps(refused.json()).count("hub_offline")
    models = []
    for order in await orders(context):
        size = sum(file.size for file in order.facts.files)
        progress = TransferProgress(done=size, total=size)
        models.append(
            StoredModel(key=order.key, source=order.source, facts=order.facts, state="ready", progress=progress)
        )
    facts = {"node_id": NODE, "hostname": "box", "boot_id": "b"}
    context.board.put(
        NodeReport.model_validate({"node_id": NODE, "acked_revision": 1, "facts": facts, "models": models})
    )
    found = (await cli.post("/api/v1/fit", json=spec)).json()
    assert "hub_offline" not in json.dumps(found)
    for source, status in (("hf://maker/Tiny-GGUF:Q8_0", True), ("hf://maker/Tiny-GGUF:Q2_K", False)):
        found = (await cli.post("/api/v1/fit", json=spec | {"source": source})).json()
        assert ("hub_offline" not in json.dumps(found)) is status
    # A wish for another projector is not what is stored.
    wish = {"source": "hf://maker/Tiny-GGUF:Q8_0", "projector": "other.gguf"}
    assert "hub_offline" in json.dumps((await cli.post("/api/v1/fit", json=spec | wish)).json())
