"""The whole at one look, and figures over time."""

import httpx
from tests.domain.test_history import record
from tests.server.fixtures import Clock

from aimindserve.domain.nodes import Device, DeviceKind, NodeFacts
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.replicas import NodeRef, NodeReport
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import DeploymentRow
from aimindserve.server.reconcile.reports import store_report
from aimindserve.server.usage_store import store_usage, usage_since

GIB = 1024**3


def device(identity: str, kind: DeviceKind) -> Device:
    return Device(
        id=identity, kind=kind, name=identity, memory_total=80 * GIB, memory_free=70 * GIB, allocatable=78 * GIB,
        utilization=25.0,
    )  # fmt: skip


async def report(context: ServerContext, *, disk_free: int | None = None) -> None:
    facts = NodeFacts(
        node_id="n1",
        hostname="box",
        boot_id="b",
        devices=(device("GPU-0", DeviceKind.NVIDIA), device("GPU-1", DeviceKind.NVIDIA), device("cpu", DeviceKind.CPU)),
        notes=(reason(ReasonCode.DRIVER_ABSENT, vendor="AMD"),),
    )
    ref = NodeRef(node_id="n1", address="127.0.0.1")
    seen = NodeReport(node_id="n1", acked_revision=1, facts=facts, disk_free=disk_free, at=context.clock())
    await store_report(context, ref, seen, [])


async def ask(client: httpx.AsyncClient, path: str, **params: str) -> dict:
    return (await client.get(f"/api/v1{path}", params=params)).raise_for_status().json()


async def test_an_empty_system_has_nothing_to_tell(cli: httpx.AsyncClient) -> None:
    seen = await ask(cli, "/overview")
    assert seen == {
        "devices": [], "nodes": 0, "nodes_alive": 0, "replicas": {}, "deployments": {}, "attention": [],
    }  # fmt: skip


async def test_devices_are_summed_up_by_kind(cli: httpx.AsyncClient, context: ServerContext) -> None:
    await report(context)
    seen = await ask(cli, "/overview")
    gpus, cpu = seen["devices"]
    assert (gpus["kind"], gpus["devices"], gpus["total"], gpus["used"]) == ("gpu", 2, 156 * GIB, 16 * GIB)
    assert (cpu["kind"], cpu["devices"], seen["nodes"], seen["nodes_alive"]) == ("cpu", 1, 1, 1)
    assert seen["attention"] == []


async def test_what_needs_attention_says_what_to_do(
    cli: httpx.AsyncClient, context: ServerContext, clock: Clock
) -> None:
    await report(context, disk_free=3 * GIB)
    (found,) = (await ask(cli, "/overview"))["attention"]
    assert (found["about"], found["name"]) == ("node", "box")
    assert [why["code"] for why in found["reasons"]] == ["disk_nearly_full"]
    assert "3.0 GiB" in found["reasons"][0]["message"]
    assert found["reasons"][0]["remedy"]
    clock.advance(60)
    (found,) = (await ask(cli, "/overview"))["attention"]
    assert [why["code"] for why in found["reasons"]] == ["node_unreachable", "disk_nearly_full"]
    async with context.database.unit_of_work(quiet=True) as work:
        spec = DeploymentSpec(name="eye", source="demo://tiny-vlm")
        work.session.add(DeploymentRow(id="d", name="eye", spec=spec, created_at=1.0, updated_at=1.0))
    assert (await ask(cli, "/overview"))["deployments"] == {"pending": 1}


async def test_traffic_over_time(cli: httpx.AsyncClient, context: ServerContext, clock: Clock) -> None:
    context.history.count([record(clock(), "eye"), record(clock(), "ear", status=500)])
    everything = await ask(cli, "/traffic")
    assert (everything["span"], everything["step"], len(everything["points"])) == ("hour", 30, 120)
    assert (everything["points"][-1]["requests"], everything["points"][-1]["failed"]) == (2, 1)
    one = await ask(cli, "/traffic", span="day", model="eye")
    assert (one["step"], one["points"][-1]["requests"]) == (600, 1)


async def test_a_device_over_time(cli: httpx.AsyncClient, context: ServerContext) -> None:
    await report(context)
    seen = await ask(cli, "/nodes/n1/devices/GPU-0/history")
    assert seen["points"][-1]["used"] == 8 * GIB
    assert seen["points"][-1]["utilization"] == 25.0
    assert seen["points"][0]["used"] is None


async def test_what_was_stored_can_be_read_again_and_counts_once(context: ServerContext, clock: Clock) -> None:
    records = [record(clock() - age) for age in (10, 20, 100_000)]
    assert len(await store_usage(context.database, records)) == 3
    assert await store_usage(context.database, records) == []
    assert await usage_since(context.database, clock() - 86_400, 5) == records[:2]
    assert await usage_since(context.database, 0, 1) == records[:1]
