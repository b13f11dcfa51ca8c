"""Engines on nodes through the API: what is ordered, shown, refused and told."""

import httpx
import pytest
from sqlalchemy import select
from tests.server.fixtures import Browser, Clock

from aimindserve.domain.environments import Environment, EnvironmentOrigin, EnvironmentState, program_key
from aimindserve.domain.nodes import Device, DeviceKind, NodeFacts
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.replicas import NodeReport
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import EnvironmentOrderRow, EventRow, NodeRow
from aimindserve.server.reconcile.environments import reconcile_environments
from aimindserve.server.reconcile.nodes import desired_of

ENGINES = "/api/v1/engines"
KEY = "vllm-0.33.0-cuda"
GPU = Device(id="g", kind=DeviceKind.NVIDIA, name="GPU", memory_total=1, memory_free=1, allocatable=1)
THERE = Environment(
    key=KEY, engine="vllm", version="0.33.0", variant="cuda", origin=EnvironmentOrigin.INSTALLED,
    state=EnvironmentState.READY, path="/x/bin/vllm", size=5,
)  # fmt: skip
PROGRAM = "/opt/llama-server"


def facts(name: str, *devices: Device) -> NodeFacts:
    return NodeFacts(node_id=name, hostname=f"box-{name}", boot_id="b", devices=devices)


@pytest.fixture(autouse=True)
async def nodes(context: ServerContext) -> None:
    """A machine with a GPU and one without."""
    async with context.database.unit_of_work(quiet=True) as work:
        for name, devices in (("one", (GPU,)), ("two", ())):
            row = NodeRow(id=name, hostname=f"box-{name}", created_at=work.now, facts=facts(name, *devices))
            work.session.add(row)


async def seen(context: ServerContext, *found: Environment) -> None:
    """The first machine's report, of everything that was ordered."""
    desired = await desired_of(context, "one")
    report = NodeReport(node_id="one", acked_revision=desired.revision, facts=facts("one", GPU), environments=found)
    context.board.put(report)


async def told(context: ServerContext) -> list[str]:
    await reconcile_environments(context)
    async with context.database.read() as session:
        rows = await session.scalars(select(EventRow).where(EventRow.kind.startswith("engine.")).order_by(EventRow.id))
        return [row.kind for row in rows]


async def shown(cli: httpx.AsyncClient) -> list[dict[str, object]]:
    return (await cli.get(ENGINES)).json()["items"]


async def test_what_is_offered(cli: httpx.AsyncClient) -> None:
    view = (await cli.get(ENGINES)).json()
    assert view["items"] == []
    assert [(node["node"], node["variant"]) for node in view["nodes"]] == [("box-one", "cuda"), ("box-two", "cpu")]
    offers = {offer["name"]: offer for offer in view["offers"]}
    old = offers["vllm==0.10.2+cuda"]
    assert (old["cuda"], old["driver"]) == ("12.8", "525.60.13")
    assert "MllamaForConditionalGeneration" in old["last_for"]
    assert offers["vllm==0.33.0+cuda"]["last_for"] == []
    assert offers["vllm==0.33.0+cuda"]["driver"] == "580.65.06"


async def test_from_an_order_to_the_end(cli: httpx.AsyncClient, context: ServerContext) -> None:
    answer = await cli.post(ENGINES, json={"engine": "vllm", "version": "0.33.0", "nodes": ["box-one"]})
    assert answer.status_code == 202, answer.text
    assert answer.json()["items"] == [{"node_id": "one", "node": "box-one", "key": KEY}]
    (item,) = await shown(cli)
    assert (item["state"], item["allowed_actions"]) == ("queued", ["cancel"])
    (wanted,) = (await desired_of(context, "one")).environments
    assert (wanted.key, wanted.attempt) == (KEY, 1)
    assert (await desired_of(context, "two")).environments == ()

    await seen(context, THERE.model_copy(update={"state": EnvironmentState.FETCHING}))
    assert (await told(context))[-1] == "engine.installing"
    why = reason(ReasonCode.WHEELS_NOT_FETCHED, engine="x", detail="y")
    await seen(context, THERE.model_copy(update={"state": EnvironmentState.FAILED, "reason": why}))
    assert (await told(context))[-1] == "engine.failed"
    (item,) = await shown(cli)
    assert item["allowed_actions"] == ["retry", "cancel"]
    assert (await cli.post(f"{ENGINES}/one/{KEY}/retry")).status_code == 202
    assert (await desired_of(context, "one")).environments[0].attempt == 2

    await seen(context, THERE)
    assert (await told(context))[-1] == "engine.installed"
    (item,) = await shown(cli)
    assert (item["state"], item["allowed_actions"], item["size"]) == ("ready", ["remove"], 5)
    assert (await cli.post(f"{ENGINES}/one/{KEY}/retry")).json()["code"] == "action_not_allowed"
    assert (await cli.delete(f"{ENGINES}/one/{KEY}")).status_code == 202
    (item,) = await shown(cli)
    assert (item["removing"], item["allowed_actions"]) == (True, [])
    desired = await desired_of(context, "one")
    assert (desired.environments, desired.drop) == ((), (KEY,))
    await seen(context, THERE)
    await told(context)
    assert (await desired_of(context, "one")).drop == (KEY,), "until the node no longer has it"
    await seen(context)
    kinds = ["install_ordered", "installing", "failed", "retry_ordered", "installed", "remove_ordered", "removed"]
    assert await told(context) == [f"engine.{kind}" for kind in kinds]
    assert (await desired_of(context, "one")).drop == ()


async def test_each_machine_gets_what_suits_it(cli: httpx.AsyncClient, context: ServerContext) -> None:
    await cli.post(ENGINES, json={"engine": "vllm", "version": "0.32.0"})
    async with context.database.read() as session:
        orders = list(await session.scalars(select(EnvironmentOrderRow).order_by(EnvironmentOrderRow.node_id)))
    assert [order.key for order in orders] == ["vllm-0.32.0-cuda", "vllm-0.32.0-cpu"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"engine": "vllm", "version": "0.1.0"}, "environment_unknown"),
        ({"engine": "vllm", "version": "0.33.0", "variant": "cpu"}, "environment_unknown"),
        ({"engine": "vllm", "version": "0.33.0", "variant": "cuda", "nodes": ["three"]}, "node_unknown"),
        ({"engine": "vllm", "version": "../x"}, "invalid_request"),
        ({"engine": "vllm", "version": "0.33.0", "wheels": "relative"}, "invalid_request"),
    ],
)
async def test_refused_orders(cli: httpx.AsyncClient, context: ServerContext, body: dict[str, str], code: str) -> None:
    answer = await cli.post(ENGINES, json=body)
    assert answer.json()["code"] == code
    assert (await desired_of(context, "one")).environments == ()


async def test_what_is_used_stays(cli: httpx.AsyncClient, context: ServerContext) -> None:
    await seen(context, THERE.model_copy(update={"used_by": ("r-1",)}))
    (item,) = await shown(cli)
    assert item["allowed_actions"] == []
    refused = await cli.delete(f"{ENGINES}/one/{KEY}")
    assert (refused.status_code, refused.json()["code"]) == (409, "environment_in_use")
    assert (await desired_of(context, "one")).drop == ()
    assert (await cli.delete(f"{ENGINES}/one/nosuch")).json()["code"] == "not_found"


async def test_what_nobody_ordered_can_be_removed(cli: httpx.AsyncClient, context: ServerContext) -> None:
    """A bundle brought it, or somebody made it by hand."""
    by_hand = THERE.model_copy(update={"key": "vllm-0.33.0"})
    await seen(context, by_hand, THERE.model_copy(update={"key": "program-1", "origin": EnvironmentOrigin.FOUND}))
    assert (await cli.delete(f"{ENGINES}/one/vllm-0.33.0")).status_code == 202
    assert (await desired_of(context, "one")).drop == ("vllm-0.33.0",)
    refused = await cli.delete(f"{ENGINES}/one/program-1")
    assert refused.json()["code"] == "action_not_allowed", "what is on the PATH is not ours"


async def test_an_installation_is_cancelled(cli: httpx.AsyncClient, context: ServerContext) -> None:
    await cli.post(ENGINES, json={"engine": "vllm", "version": "0.33.0", "nodes": ["one"]})
    await seen(context, THERE.model_copy(update={"state": EnvironmentState.FETCHING}))
    assert (await cli.post(f"{ENGINES}/one/{KEY}/cancel")).status_code == 202
    assert (await desired_of(context, "one")).environments == ()
    await seen(context)
    assert await shown(cli) == []


async def test_a_registered_program(cli: httpx.AsyncClient, context: ServerContext) -> None:
    several = await cli.post(f"{ENGINES}/register", json={"engine": "llama-box", "path": PROGRAM})
    assert several.json()["code"] == "node_unknown", "on which of the two?"
    body = {"engine": "llama-box", "path": PROGRAM, "node": "box-one"}
    assert (await cli.post(f"{ENGINES}/register", json=body)).status_code == 202
    (wanted,) = (await desired_of(context, "one")).environments
    assert (wanted.engine, wanted.program, wanted.key) == ("llama.cpp", PROGRAM, program_key(PROGRAM))
    (item,) = await shown(cli)
    assert (item["origin"], item["path"], item["allowed_actions"]) == ("registered", PROGRAM, ["forget"])
    assert (await cli.delete(f"{ENGINES}/one/{wanted.key}")).status_code == 202
    assert (await desired_of(context, "one")).environments == ()
    assert await told(context) == ["engine.register_ordered", "engine.forgotten"]


async def test_the_same_news_is_told_once(context: ServerContext, clock: Clock) -> None:
    await seen(context, THERE)
    assert await told(context) == [], "it was there before"
    moving = THERE.model_copy(update={"state": EnvironmentState.INSTALLING})
    await seen(context, moving)
    assert await told(context) == [], "a stage"
    await seen(context, THERE)
    assert await told(context) == ["engine.installed"]
    assert await told(context) == ["engine.installed"]


async def test_only_for_administrators(admin: Browser, anonymous: httpx.AsyncClient) -> None:
    assert (await admin.client.get(ENGINES)).status_code == 200
    assert (await anonymous.get(ENGINES)).status_code == 401
