"""The node in memory keeps the promises of the fabric that the reconcilers rely on."""

import asyncio

import pytest
from tests.server_life.life import model_facts

from aimindserve.domain.replicas import Claim, DesiredReplica, DesiredState, ReplicaState
from aimindserve.sim.fake_node import FakeFabric, FakeNode


def desired(revision: int, *names: str) -> DesiredState:
    return DesiredState(
        node_id="one",
        revision=revision,
        replicas=tuple(
            DesiredReplica(
                id=name,
                deployment_id="d",
                model="eye",
                generation=1,
                engine="llama.cpp",
                engine_version=None,
                facts=model_facts(),
                parameters=(),
                env={},
                claims=(Claim(device_id="cpu", bytes=10),),
            )
            for name in names
        ),
    )


async def test_the_same_order_twice_starts_nothing_twice(fabric: FakeFabric, node: FakeNode) -> None:
    first = await fabric.sync("one", desired(3, "a", "b"))
    assert [seen.state for seen in first.replicas] == [ReplicaState.READY] * 2
    assert await fabric.sync("one", desired(3, "a", "b")) == first
    assert node.started == ["a", "b"]


async def test_an_overtaken_order_changes_nothing(fabric: FakeFabric, node: FakeNode) -> None:
    await fabric.sync("one", desired(5, "a"))
    report = await fabric.sync("one", desired(4, "b"))
    assert report.acked_revision == 5
    assert list(node.held) == ["a"]


async def test_what_is_not_named_is_stopped_and_reported_until_it_has_ended(fabric: FakeFabric, node: FakeNode) -> None:
    node.quick = False
    await fabric.sync("one", desired(1, "a"))
    report = await fabric.sync("one", desired(2))
    assert [seen.state for seen in report.replicas] == [ReplicaState.STOPPING]
    node.end("a")
    assert (await fabric.report("one")).replicas == ()


async def test_a_change_wakes_who_waits_for_it(fabric: FakeFabric, node: FakeNode) -> None:
    seen = await fabric.wait_change("one", 0)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(fabric.wait_change("one", seen))
        await asyncio.sleep(0)
        assert not waiting.done()
        await fabric.sync("one", desired(1, "a"))
    assert waiting.result() != seen


async def test_lost_answers_and_deaf_nodes(fabric: FakeFabric, node: FakeNode) -> None:
    fabric.lost.add("one")
    with pytest.raises(ConnectionError):
        await fabric.sync("one", desired(1, "a"))
    assert list(node.held) == ["a"], "the order was carried out"
    fabric.deaf.add("one")
    with pytest.raises(ConnectionError):
        await fabric.sync("one", desired(2))
    assert list(node.held) == ["a"], "the order never arrived"


async def test_it_notices_when_memory_is_booked_twice(fabric: FakeFabric, node: FakeNode) -> None:
    size = node.facts.devices[0].allocatable
    order = desired(1, "a", "b")
    large = tuple(
        replica.model_copy(update={"claims": (Claim(device_id="cpu", bytes=size),)}) for replica in order.replicas
    )
    await fabric.sync("one", order.model_copy(update={"replicas": large[:1]}))
    assert not node.overbooked
    await fabric.sync("one", order.model_copy(update={"replicas": large}))
    assert node.overbooked
