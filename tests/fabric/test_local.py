"""The local fabric keeps the fabric's contract."""

import asyncio

import pytest
from tests.node.world import NODE, World, engines_of, world

from aimindserve.domain.replicas import ReplicaState
from aimindserve.fabric._base import Fabric
from aimindserve.fabric.local import LocalFabric

__all__ = ["world"]


async def test_the_contract(world: World) -> None:
    replica = world.replica()
    async with world.agent() as agent:
        fabric: Fabric = LocalFabric(agent)
        assert [(ref.node_id, ref.alive) for ref in await fabric.nodes()] == [(NODE, True)]
        assert (await fabric.report(NODE)).acked_revision == 0
        order = world.desired(replica)
        report = await fabric.sync(NODE, order)
        assert (report.acked_revision, [one.id for one in report.replicas]) == (1, [replica.id])
        change = 0
        while not any(one.state is ReplicaState.READY for one in report.replicas):
            change = await fabric.wait_change(NODE, change)
            report = await fabric.report(NODE)
        log = await fabric.read_log(NODE, replica.id, 0, 0)
        assert log is not None
        assert log.attempts == (1,)
        assert await fabric.read_log(NODE, "unknown", 0, 0) is None
        assert await fabric.read_log(NODE, "../../etc", 0, 0) is None
        report = await fabric.sync(NODE, world.desired())
        while report.replicas:
            change = await fabric.wait_change(NODE, change)
            report = await fabric.report(NODE)
        assert (await fabric.sync(NODE, order)).acked_revision == 2, "an overtaken order is ignored"
        with pytest.raises(LookupError):
            await fabric.report("another")
    assert engines_of(replica.id) == []


async def test_an_order_that_changes_nothing_is_no_change(world: World) -> None:
    replica = world.replica()
    async with world.agent() as agent:
        fabric: Fabric = LocalFabric(agent)
        order, change = world.desired(replica), 0
        report = await fabric.sync(NODE, order)
        while not any(one.state is ReplicaState.READY for one in report.replicas):
            change = await fabric.wait_change(NODE, change)
            report = await fabric.report(NODE)
        before = await fabric.wait_change(NODE, 0)
        for _ in range(50):
            await fabric.sync(NODE, order)
            await asyncio.sleep(0.01)
        assert await fabric.wait_change(NODE, 0) - before < 10
        await fabric.sync(NODE, world.desired())
        while (await fabric.report(NODE)).replicas:
            change = await fabric.wait_change(NODE, change)
