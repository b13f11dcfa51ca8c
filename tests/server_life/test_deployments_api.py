"""``/deployments`` as a program sees it; replicas on a node in memory."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.server.fixtures import Browser
from tests.server_life.life import ON_SQLITE, Life, only
from tests.support.gguf_files import write_model, write_projector

from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.sim.fake_node import FakeNode

DEMO = {"name": "eye", "source": "demo://tiny-vlm"}
API = "/api/v1/deployments"


async def create(cli: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await cli.post(API, json=DEMO | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def refused(answer: httpx.Response, status: int, code: ReasonCode) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["code"] == code
    assert body["message"]
    assert body["remedy"]
    assert "?" not in body["message"]
    return body


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_projector(tmp_path / "mmproj-tiny.gguf")
    return write_model(tmp_path / "tiny.gguf")


def remove(path: Path) -> None:
    path.unlink()


async def test_a_deployment_from_its_making_to_its_end(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    made = await create(cli)
    assert made["phase"] == "pending"
    assert made["spec"]["engine"] == "auto"
    assert made["capabilities"] == ["chat", "vision"]
    assert made["plan"]["engine"] == "llama.cpp"
    await life.settle()
    shown = (await cli.get(f"{API}/eye")).json()
    assert shown["phase"] == "ready"
    assert shown["replicas_ready"] == 1
    assert shown["replicas"][0]["node"] == "host-one"
    assert shown["replicas"][0]["claims"][0]["bytes"] == shown["plan"]["memory_high"]
    flags = {item["flag"]: item for item in shown["plan"]["parameters"]}
    assert flags["--image-max-tokens"]["origin"] == "derived"
    listed = (await cli.get(API)).json()["items"]
    assert listed == [shown]
    assert (await cli.delete(f"{API}/eye")).status_code == 202
    assert (await cli.get(f"{API}/eye")).json()["phase"] == "stopping"
    assert (await cli.get(f"{API}/eye")).json()["allowed_actions"] == []
    await life.settle()
    assert (await cli.get(API)).json() == {"items": []}
    assert node.held == {}
    kinds = [event["kind"] for event in (await cli.get(f"{API}/eye/events")).json()["items"]]
    assert kinds[0] == "deployment.created"
    assert kinds[-1] == "deployment.deleted"


async def test_no_secret_is_shown(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    await create(cli)
    await life.settle()
    for path in (API, f"{API}/eye", f"{API}/eye/events", "/api/v1/nodes", "/api/v1/events"):
        assert "engine-key" not in (await cli.get(path)).text
    assert node.held[only(node)].engine_key not in repr(node.held[only(node)])


async def test_a_name_is_used_once(cli: httpx.AsyncClient, life: Life) -> None:
    await create(cli)
    body = await refused(await cli.post(API, json=DEMO), 409, ReasonCode.NAME_TAKEN)
    assert "eye" in body["message"]
    await life.settle()
    await cli.delete(f"{API}/eye")
    await refused(await cli.post(API, json=DEMO), 409, ReasonCode.NAME_TAKEN)
    await life.settle()
    await create(cli)


async def test_what_never_ran_is_deleted_at_once(cli: httpx.AsyncClient) -> None:
    await create(cli)
    assert (await cli.delete(f"{API}/eye")).status_code == 202
    await create(cli)


@ON_SQLITE
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"source": "/nowhere/model.gguf"}, ReasonCode.SOURCE_NOT_FOUND),
        ({"source": "demo://unknown"}, ReasonCode.DEMO_UNKNOWN),
        ({"source": "what is this"}, ReasonCode.SOURCE_INVALID),
        ({"name": "not a name"}, ReasonCode.INVALID_REQUEST),
        ({"name": "../etc"}, ReasonCode.INVALID_REQUEST),
        ({"replicas": -1}, ReasonCode.INVALID_REQUEST),
        ({"is_admin": True}, ReasonCode.INVALID_REQUEST),
        ({"engine": "vllm"}, ReasonCode.ENGINE_CANNOT_RUN),
        ({"parameters": ["--ctx-sise=512"]}, ReasonCode.PARAMETER_UNKNOWN),
        ({"parameters": ["--port=1"]}, ReasonCode.PARAMETER_MANAGED),
        ({"parameters": ["--rpc=10.0.0.1:1"]}, ReasonCode.PARAMETER_DENIED),
        ({"parameters": ["--ctx-size=many"]}, ReasonCode.PARAMETER_VALUE),
        ({"env": {"LD_PRELOAD": "/x.so"}}, ReasonCode.ENVIRONMENT_DENIED),
    ],
)
async def test_what_cannot_run_is_refused_at_once(
    cli: httpx.AsyncClient, changes: dict[str, Any], code: ReasonCode
) -> None:
    await refused(await cli.post(API, json=DEMO | changes), 422, code)
    assert (await cli.get(API)).json() == {"items": []}


async def test_damaged_files_are_refused_at_once(cli: httpx.AsyncClient, model: Path) -> None:
    await create(cli, source=str(model))
    with model.open("r+b") as file:
        file.truncate(300)
    again = DEMO | {"name": "second", "source": str(model)}
    await refused(await cli.post(API, json=again), 422, ReasonCode.GGUF_CORRUPT)
    (model.parent / "mmproj-tiny.gguf").unlink()
    write_model(model)
    await refused(await cli.post(API, json=again), 422, ReasonCode.PROJECTOR_MISSING)


async def test_several_faults_are_told_together(cli: httpx.AsyncClient) -> None:
    answer = await cli.post(API, json=DEMO | {"parameters": ["--nonsense", "--port=1"]})
    body = await refused(answer, 422, ReasonCode.PARAMETER_UNKNOWN)
    assert [why["code"] for why in body["reasons"]] == ["parameter_managed"]


async def test_reasons_come_in_the_readers_language(cli: httpx.AsyncClient) -> None:
    answer = await cli.post(API, json=DEMO | {"source": "/nowhere"}, headers={"accept-language": "zh-CN,zh;q=0.9"})
    assert "没有文件" in answer.json()["message"]


async def test_an_edit_replaces_replicas_and_a_scale_does_not(
    cli: httpx.AsyncClient, life: Life, node: FakeNode
) -> None:
    await create(cli)
    await life.settle()
    first = only(node)
    edited = (await cli.patch(f"{API}/eye", json={"replicas": 2})).json()
    assert (edited["generation"], edited["revision"]) == (1, 2)
    await life.settle()
    assert first in node.held
    edited = (await cli.patch(f"{API}/eye", json={"parameters": ["--ctx-size=2048"]})).json()
    assert (edited["generation"], edited["revision"]) == (2, 3)
    await life.settle()
    assert first not in node.held
    assert len(node.held) == 2
    scaled = (await cli.post(f"{API}/eye/scale", json={"replicas": 0})).json()
    assert scaled["generation"] == 2
    await life.settle()
    assert (await cli.get(f"{API}/eye")).json()["reasons"][0]["code"] == "scaled_to_zero"


async def test_a_refused_edit_changes_nothing(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    await create(cli)
    await life.settle()
    before = (await cli.get(f"{API}/eye")).json()
    answer = await cli.patch(f"{API}/eye", json={"parameters": ["--nonsense"]})
    await refused(answer, 422, ReasonCode.PARAMETER_UNKNOWN)
    await refused(await cli.patch(f"{API}/eye", json={"name": "ear"}), 422, ReasonCode.INVALID_REQUEST)
    assert (await cli.get(f"{API}/eye")).json() == before


async def test_an_edit_that_changes_nothing_is_no_change(cli: httpx.AsyncClient, life: Life) -> None:
    await create(cli)
    await life.settle()
    event = await life.last_event()
    assert (await cli.patch(f"{API}/eye", json={"replicas": 1})).json()["revision"] == 1
    assert (await cli.patch(f"{API}/eye", json={})).json()["revision"] == 1
    assert await life.last_event() == event


async def test_stop_and_start_may_be_repeated(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    await create(cli)
    await life.settle()
    for _ in range(2):
        assert (await cli.post(f"{API}/eye/stop")).json()["wanted"] == "stopped"
    await life.settle()
    shown = (await cli.get(f"{API}/eye")).json()
    assert shown["phase"] == "stopped"
    assert shown["revision"] == 2
    assert "start" in shown["allowed_actions"]
    await refused(await cli.post(f"{API}/eye/restart"), 409, ReasonCode.ACTION_NOT_ALLOWED)
    for _ in range(2):
        assert (await cli.post(f"{API}/eye/start")).json()["wanted"] == "running"
    await life.settle()
    assert (await cli.get(f"{API}/eye")).json()["phase"] == "ready"
    assert len(node.started) == 2


async def test_a_restart_makes_new_replicas(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    await create(cli)
    await life.settle()
    first = only(node)
    assert (await cli.post(f"{API}/eye/restart")).json()["generation"] == 2
    await life.settle()
    assert only(node) != first


async def test_a_restart_reads_the_files_again(cli: httpx.AsyncClient, life: Life, model: Path) -> None:
    await create(cli, source=str(model))
    await life.settle()
    write_model(model, layers=3)
    await cli.post(f"{API}/eye/restart")
    facts = (await life.deployment()).facts
    assert facts is not None
    assert facts.layers == 3
    remove(model)
    await refused(await cli.post(f"{API}/eye/restart"), 422, ReasonCode.SOURCE_NOT_FOUND)
    assert (await cli.get(f"{API}/eye")).json()["phase"] != "failed"


async def test_only_what_was_seen_is_changed(cli: httpx.AsyncClient) -> None:
    made = await create(cli)
    seen = {"if-match": f'"{made["revision"]}"'}
    assert (await cli.patch(f"{API}/eye", json={"replicas": 2}, headers=seen)).headers["etag"] == '"2"'
    answer = await cli.patch(f"{API}/eye", json={"replicas": 3}, headers=seen)
    await refused(answer, 409, ReasonCode.REVISION_CONFLICT)
    await refused(await cli.delete(f"{API}/eye", headers=seen), 409, ReasonCode.REVISION_CONFLICT)
    answer = await cli.delete(f"{API}/eye", headers={"if-match": "yesterday"})
    await refused(answer, 422, ReasonCode.INVALID_REQUEST)
    assert (await cli.delete(f"{API}/eye", headers={"if-match": '"2"'})).status_code == 202


@ON_SQLITE
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/start"),
        ("POST", "/stop"),
        ("POST", "/restart"),
        ("GET", "/events"),
    ],
)
async def test_what_is_not_there_is_not_found(cli: httpx.AsyncClient, method: str, path: str) -> None:
    body = {} if method == "PATCH" else None
    await refused(await cli.request(method, f"{API}/nothing{path}", json=body), 404, ReasonCode.NOT_FOUND)


async def test_a_failed_engine_is_explained(cli: httpx.AsyncClient, life: Life, node: FakeNode) -> None:
    await create(cli)
    await life.settle()
    node.crash(only(node), reason(ReasonCode.ENGINE_OUT_OF_MEMORY), retry_at=life.clock.now + 8)
    await life.settle()
    shown = (await cli.get(f"{API}/eye")).json()
    assert shown["phase"] == "failed"
    assert [why["code"] for why in shown["reasons"]] == ["engine_out_of_memory", "restarting"]
    assert "8 s" in shown["reasons"][1]["message"]
    assert shown["replicas"][0]["restarts"] == 1


async def test_an_ordinary_user_looks_and_does_not_touch(admin: Browser, cli: httpx.AsyncClient) -> None:
    await create(cli)
    body = {"username": "guest", "password": "a fine passphrase"}
    assert (await admin.client.post("/api/v1/users", json=body)).status_code == 201
    await admin.login("guest", body["password"])
    (await admin.change_password(body["password"], "another fine passphrase")).raise_for_status()
    assert (await admin.client.get(f"{API}/eye")).status_code == 200
    await refused(await admin.client.post(f"{API}/eye/stop"), 403, ReasonCode.FORBIDDEN)
    await refused(await admin.client.post(API, json=DEMO | {"name": "mine"}), 403, ReasonCode.FORBIDDEN)
