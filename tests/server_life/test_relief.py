"""A start that runs out of memory: one retry with less, told plainly, kept over restarts, and no second one."""

from typing import Any

import httpx
from sqlalchemy import select
from tests.server_life.life import ON_SQLITE, Life, model_facts, only

from aimindserve.domain.lessons import RAISE
from aimindserve.domain.lifecycle import Phase
from aimindserve.domain.nodes import Device, DeviceKind, EngineInstall
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.replicas import Replica, ReplicaState
from aimindserve.domain.specs import DeploymentPatch, DeploymentSpec
from aimindserve.domain.units import MIB
from aimindserve.server.db.tables import EventRow
from aimindserve.server.features.deployments.service import edited
from aimindserve.server.reconcile.planning import plan_of
from aimindserve.server.reconcile.relief import reconcile_relief
from aimindserve.sim.fake_node import FakeFabric, FakeNode, cpu_node

pytestmark = ON_SQLITE
SHORT = reason(ReasonCode.START_MEMORY_SHORT, part="kv_cache")


async def fail(life: Life, node: FakeNode, why: Reason = SHORT) -> str:
    """The one replica that runs fails at its start, for good."""
    replica_id = only(node)
    node.observe(replica_id, state=ReplicaState.FAILED, reason=why, pid=None, port=None, ready_since=None)
    await life.settle()
    return replica_id


def flags(replica: Replica, node: FakeNode) -> dict[str, str | None]:
    plan = plan_of(replica.spec, replica.facts, replica.assignment, node.facts, None)
    assert not isinstance(plan, Reason)
    return {item.flag: item.value for item in plan.parameters.parameters}


async def told(life: Life, kind: str) -> list[dict[str, Any]]:
    async with life.context.database.read() as session:
        query = select(EventRow.payload).where(EventRow.kind == kind).order_by(EventRow.id)
        return list(await session.scalars(query))


async def test_it_is_tried_once_more_with_less(life: Life, node: FakeNode, cli: httpx.AsyncClient) -> None:
    await life.add()
    await life.settle()
    (before,) = await life.replicas()
    first = await fail(life, node)
    (after,) = await life.replicas()
    assert after.id != first
    assert after.generation == before.generation
    assert (flags(before, node)["--parallel"], flags(after, node)["--parallel"]) == ("2", "1")
    assert after.assignment is not None
    assert [(one.item, one.factor) for one in after.assignment.lessons.corrections] == [("kv_cache", RAISE)]
    assert (await told(life, "deployment.memory_retried")) == [
        {"part": "kv_cache", "parameter": "--parallel", "before": 2, "after": 1}
    ]
    shown: Any = (await cli.get("/api/v1/deployments/eye")).json()
    assert shown["phase"] == "ready"
    (why,) = [one for one in shown["reasons"] if one["code"] == "memory_retried"]
    assert "--parallel 1 instead of 2" in why["message"]
    assert "the KV cache" in why["message"]
    parameters = {item["flag"]: item for item in shown["plan"]["parameters"]}
    assert "ran out of memory" in parameters["--parallel"]["why"]
    line = next(item for item in shown["plan"]["memory"] if item["item"] == "kv_cache")
    assert "ran out of memory here: +25.0 %" in line["corrections"][0]
    zh: Any = (await cli.get("/api/v1/deployments/eye", headers={"accept-language": "zh-CN"})).json()
    assert "KV 缓存" in next(one for one in zh["reasons"] if one["code"] == "memory_retried")["message"]


async def test_a_second_failure_stays_with_its_reason(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    await fail(life, node)
    second = await fail(life, node, reason(ReasonCode.START_MEMORY_SHORT, part="compute"))
    for _ in range(3):
        life.clock.now += 3600
        await life.settle()
    assert only(node) == second, "nothing else is started"
    standing = await life.standing()
    assert standing.phase is Phase.FAILED
    assert standing.reasons[0].code is ReasonCode.START_MEMORY_SHORT
    assert len(await told(life, "deployment.memory_retried")) == 1
    assert (await told(life, "deployment.memory_spent")) == [{"part": "compute"}]
    relief = (await life.deployment()).relief
    assert relief is not None
    assert relief.outcome == "spent"


async def test_a_restart_of_the_server_tries_no_second_time(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    node.observe(only(node), state=ReplicaState.FAILED, reason=SHORT, pid=None, port=None)
    await life.round()
    # Stored, and then the server dies before anything follows; another one goes on from the database.
    assert (await life.deployment()).relief is not None
    again = Life(life.context, life.clock, life.fabric)
    assert await reconcile_relief(again.context) == 0
    await again.settle()
    assert len(await told(life, "deployment.memory_retried")) == 1
    await fail(again, node)
    assert await reconcile_relief(Life(life.context, life.clock, life.fabric).context) == 0
    assert len(node.started) == 2


async def typed(life: Life, *parameters: str) -> None:
    spec = DeploymentSpec(name="eye", source="file:///models/tiny.gguf", parameters=parameters)
    await life.change(spec=spec, again=True)
    await life.settle()


async def test_what_the_user_typed_is_refused_with_the_change(
    life: Life, node: FakeNode, cli: httpx.AsyncClient
) -> None:
    await life.add()
    await typed(life, "--ctx-size=8192", "--parallel=2")
    started = len(node.started)
    await fail(life, node)
    assert len(node.started) == started, "it is not tried again"
    assert await told(life, "deployment.memory_retried") == []
    refused = await told(life, "deployment.memory_refused")
    assert refused == [{"part": "kv_cache", "parameter": "--parallel", "before": 2, "after": 1}]
    shown: Any = (await cli.get("/api/v1/deployments/eye")).json()
    assert shown["phase"] == "failed"
    assert [one["code"] for one in shown["reasons"]] == ["start_memory_short", "memory_not_retried"]
    assert shown["offer"]["kind"] == "less"
    assert shown["offer"]["patch"] == {"parameters": ["--ctx-size=8192", "--parallel=1"]}
    # The change that was offered is an edit like any other, and begins anew.
    answer = await cli.patch("/api/v1/deployments/eye", json=shown["offer"]["patch"])
    assert answer.status_code in (200, 422), answer.text


async def test_copies_that_run_are_left_alone(life: Life, node: FakeNode) -> None:
    await life.add(replicas=2)
    await life.settle()
    good, bad = sorted(node.held)
    node.observe(bad, state=ReplicaState.FAILED, reason=SHORT, pid=None, port=None, ready_since=None)
    await life.settle()
    assert good in node.held
    assert bad not in node.held
    assert len(node.held) == 2
    assert len(await told(life, "deployment.memory_retried")) == 1


WEIGHTS, CARD = 4000 * MIB, 5400 * MIB


def gpu_node() -> FakeNode:
    """A machine with a GPU that can take the model and a CPU that could too."""
    card = Device(
        id="GPU-1",
        kind=DeviceKind.NVIDIA,
        name="Simulated GPU",
        memory_total=CARD,
        memory_free=CARD,
        allocatable=CARD,
    )
    plain = cpu_node("one")
    server = EngineInstall(
        engine="llama.cpp", flavour="llama-server", version="b1", path="/s", gpu_kinds=(DeviceKind.NVIDIA,)
    )
    return FakeNode(plain.model_copy(update={"devices": (*plain.devices, card), "engines": (server,)}))


async def test_never_the_cpu_in_silence(life: Life) -> None:
    node = gpu_node()
    life.fabric = FakeFabric([node])
    life.context.fabric = life.fabric
    await life.add(weights=WEIGHTS)
    await life.settle()
    (before,) = await life.replicas()
    assert before.assignment is not None
    assert before.assignment.claims[0].device_id == "GPU-1"
    # The weights are raised by a quarter: the card no longer takes them, and the CPU is no silent substitute.
    await fail(life, node, reason(ReasonCode.START_MEMORY_SHORT, part="weights"))
    (after,) = await life.replicas()
    assert after.assignment is None
    assert after.waiting_for is not None
    assert after.waiting_for.code is ReasonCode.MEMORY_INSUFFICIENT
    assert (await life.phase()) is Phase.PLACING or (await life.phase()) is Phase.PENDING


async def test_another_model_forgets_the_lesson(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    await fail(life, node)
    now = await life.deployment()
    assert now.relief is not None
    kept = edited(DeploymentPatch(parameters=("--seed=1",))).make(now)
    assert kept.relief == now.relief
    assert edited(DeploymentPatch(source="file:///models/other.gguf")).make(now).relief is None
    assert model_facts().architecture == "qwen2vl"
