"""What starts took: kept once beside the estimate, and heeded by the next one."""

from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from tests.server_life.life import ON_SQLITE, Life, only

from aimindserve.domain.lessons import LEAST_STARTS
from aimindserve.domain.measured import TOTAL, DeviceReading, Measurement
from aimindserve.domain.memory import MemoryEstimate
from aimindserve.domain.nodes import CPU_DEVICE_ID
from aimindserve.domain.reasons import Reason
from aimindserve.domain.replicas import Replica, ReplicaObservation
from aimindserve.domain.units import MIB
from aimindserve.server.db.tables import CorrectionRow, EstimateRow, EventRow
from aimindserve.server.reconcile import cleanup, measured
from aimindserve.server.reconcile.planning import plan_of
from aimindserve.sim.fake_node import FakeNode


def estimate_of(replica: Replica, node: FakeNode) -> MemoryEstimate:
    plan = plan_of(replica.spec, replica.facts, replica.assignment, node.facts, None)
    assert not isinstance(plan, Reason)
    return plan.memory


async def took(life: Life, node: FakeNode, replica: Replica, share: float = 1.0, attempt: int = 1) -> None:
    """The replica reports that its start took ``share`` of what each item was estimated without corrections."""
    estimate = estimate_of(replica, node)
    items = [
        DeviceReading(device_id=CPU_DEVICE_ID, item=item.item, bytes=round(item.uncorrected * share))
        for item in estimate.items
        if item.item in ("weights", "kv_cache", "compute")
    ]
    items.append(DeviceReading(device_id=CPU_DEVICE_ID, item=TOTAL, bytes=700 * MIB))
    what = Measurement(
        attempt=attempt,
        at=life.clock.now,
        engine="llama.cpp",
        version="b1",
        on_gpu=False,
        items=tuple(items),
        cache_tokens=8192,
    )
    node.observe(replica.id, measured=what, attempt=attempt)
    await life.settle()


async def rows(life: Life) -> list[EstimateRow]:
    async with life.context.database.read() as session:
        return list(await session.scalars(select(EstimateRow).order_by(EstimateRow.replica_id, EstimateRow.item)))


async def events(life: Life, kind: str) -> int:
    return (await life.kinds()).count(kind)


async def test_one_row_for_each_item_of_a_start(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    (replica,) = await life.replicas()
    await took(life, node, replica)
    found = {row.item: row for row in await rows(life)}
    estimate = {item.item: item for item in estimate_of(replica, node).items}
    assert set(found) == {"weights", "kv_cache", "compute", TOTAL}
    weights = found["weights"]
    assert (weights.estimated, weights.high, weights.base) == (
        estimate["weights"].bytes,
        estimate["weights"].high,
        estimate["weights"].bytes,
    )
    assert (weights.deployment, weights.engine, weights.engine_version, weights.family) == (
        "eye",
        "llama.cpp",
        "b1",
        "qwen2vl",
    )
    assert (weights.device, weights.on_gpu, weights.measured) == ("Simulated CPU", False, estimate["weights"].bytes)
    assert (found[TOTAL].measured, found[TOTAL].base) == (700 * MIB, None)


async def test_a_report_that_comes_twice_changes_nothing(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    (replica,) = await life.replicas()
    await took(life, node, replica)
    before = [(row.item, row.measured, row.at) for row in await rows(life)]
    node.restart_agent()
    life.clock.now += 60
    await life.settle()
    # Once more with another time, as after a restart of the agent that measured again.
    await took(life, node, replica)
    assert [(row.item, row.measured, row.at) for row in await rows(life)] == before
    assert await events(life, "replica.measured") == 1


async def test_a_second_start_has_rows_of_its_own(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    (replica,) = await life.replicas()
    await took(life, node, replica)
    await took(life, node, replica, attempt=2)
    assert sorted({row.attempt for row in await rows(life)}) == [1, 2]
    assert await events(life, "replica.measured") == 2


async def start_more(life: Life, node: FakeNode, share: float, count: int) -> list[Replica]:
    """As many replicas that took ``share`` of their estimate."""
    before = {replica.id for replica in await life.replicas()}
    await life.scale(len(before) + count)
    await life.settle()
    made = [replica for replica in await life.replicas() if replica.id not in before]
    for replica in made:
        life.clock.now += 1
        await took(life, node, replica, share)
    return made


@ON_SQLITE
async def test_enough_starts_correct_the_next_estimate_and_say_so(
    life: Life, node: FakeNode, cli: httpx.AsyncClient
) -> None:
    await life.add(replicas=0, weights=200 * MIB)
    await life.settle()
    await start_more(life, node, 1.2, LEAST_STARTS - 1)
    (plain,) = await start_more(life, node, 1.2, 1)
    assert plain.assignment is not None
    assert plain.assignment.lessons.corrections == (), "too few starts had been seen"
    (corrected,) = await start_more(life, node, 1.2, 1)
    assert corrected.assignment is not None
    known = {one.item: one for one in corrected.assignment.lessons.corrections}
    assert known["weights"].factor == pytest.approx(1.2, abs=0.002)
    assert known["weights"].starts == LEAST_STARTS
    assert corrected.assignment.claims[0].bytes > plain.assignment.claims[0].bytes
    before, after = (
        {item.item: item for item in estimate_of(replica, node).items}["weights"] for replica in (plain, corrected)
    )
    assert after.uncorrected == before.bytes
    assert after.bytes == pytest.approx(before.bytes * 1.2, rel=0.002)
    # A replica that runs keeps the plan that it was placed with.
    assert all(item.base is None for item in estimate_of(plain, node).items)
    # The ratio is to the estimate without corrections: more starts of the same size change nothing.
    async with life.context.database.read() as session:
        row = await session.get(CorrectionRow, ("llama.cpp", "b1", "qwen2vl", False, "weights"))
    assert row is not None
    assert row.ratios == pytest.approx([1.2] * (LEAST_STARTS + 1), abs=0.001)
    answer = (await cli.get("/api/v1/deployments/eye/memory")).json()
    assert {one["item"] for one in answer["corrections"]} == set(known)
    lines = (await cli.get("/api/v1/deployments/eye")).json()["plan"]["memory"]
    (weights,) = [line for line in lines if line["item"] == "weights"]
    assert weights["base"] == before.bytes
    assert "3 measured starts" in weights["corrections"][0] or "4 measured starts" in weights["corrections"][0]
    zh = (await cli.get("/api/v1/deployments/eye", headers={"accept-language": "zh-CN"})).json()
    assert any("次实测启动" in told for line in zh["plan"]["memory"] for told in line["corrections"])


@ON_SQLITE
async def test_a_correction_that_is_no_longer_true_goes(life: Life, node: FakeNode) -> None:
    await life.add(replicas=0, weights=50 * MIB)
    await life.settle()
    await start_more(life, node, 1.2, LEAST_STARTS)
    assert (await life.world()).corrections
    await start_more(life, node, 1.0, LEAST_STARTS + 2)
    assert not (await life.world()).corrections
    assert "estimate.corrected" in await all_kinds(life)


async def all_kinds(life: Life) -> set[str]:
    async with life.context.database.read() as session:
        return set(await session.scalars(select(EventRow.kind)))


@ON_SQLITE
async def test_their_number_is_bounded(life: Life, node: FakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "KEPT_STARTS", 2)
    await life.add()
    await life.settle()
    (replica,) = await life.replicas()
    for attempt in (1, 2, 3, 4):
        life.clock.now += 1
        await took(life, node, replica, attempt=attempt)
    assert sorted({row.attempt for row in await rows(life)}) == [3, 4]
    life.clock.now += cleanup.MEASUREMENTS_KEPT_SECONDS + 1
    await cleanup.reconcile_cleanup(life.context)
    async with life.context.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(EstimateRow)) == 0


@ON_SQLITE
async def test_what_the_api_shows(life: Life, node: FakeNode, cli: httpx.AsyncClient) -> None:
    await life.add()
    await life.settle()
    empty: Any = (await cli.get("/api/v1/deployments/eye/memory")).json()
    assert empty == {"starts": [], "corrections": []}
    (replica,) = await life.replicas()
    await took(life, node, replica)
    shown: Any = (await cli.get("/api/v1/deployments/eye/memory")).json()
    (start,) = shown["starts"]
    assert (start["replica_id"], start["attempt"], start["engine_version"]) == (only(node), 1, "b1")
    assert start["cache_tokens"] == 8192
    items = {item["item"]: item for item in start["items"]}
    assert items["total"]["measured"] == 700 * MIB
    assert items["weights"]["estimated"] == items["weights"]["measured"]
    assert items["weights"]["device"] == "Simulated CPU"
    assert (await cli.get("/api/v1/deployments/nobody/memory")).status_code == 404


def test_an_observation_without_figures_is_as_before() -> None:
    seen = ReplicaObservation.model_validate({"id": "r", "state": "ready"})
    assert seen.measured is None
