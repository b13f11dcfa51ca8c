"""On each GPU one engine starts at a time."""

import asyncio

from tests.node.world import World, gone, ready, seen, world

from aimindserve.domain.nodes import CPU_DEVICE_ID
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.replicas import Claim, ReplicaState
from aimindserve.node.starts import Starts, gpus_of

__all__ = ["world"]


def claims(*devices: str) -> tuple[Claim, ...]:
    return tuple(Claim(device_id=device, bytes=1) for device in devices)


async def test_turns_come_one_after_the_other_and_all_devices_at_once() -> None:
    starts, order = Starts(), list[str]()

    async def start(name: str, *devices: str) -> None:
        await starts.take(name, devices)
        order.append(name)

    starts.hold("first", ("a",))
    assert starts.busy("second", ("b", "a")) == "a"
    assert starts.busy("first", ("a",)) is None
    async with asyncio.TaskGroup() as group:
        both = group.create_task(start("second", "a", "b"))
        await start("other", "b")
        starts.release("first")
        starts.release("nobody")
        await asyncio.sleep(0)
        assert not both.done(), "b is still held"
        starts.release("other")
    assert order == ["other", "second"]
    assert starts.busy("third", ("a", "b")) == "a"


def test_the_machine_needs_no_turn() -> None:
    assert gpus_of(claims("b", CPU_DEVICE_ID, "a", "b")) == ("a", "b")


async def test_a_replica_waits_while_another_starts_on_its_gpu(world: World) -> None:
    world.engine("--fake-never-ready")
    first, second, elsewhere = (world.replica(claims=claims(gpu, CPU_DEVICE_ID)) for gpu in ("g", "g", "h"))
    async with world.agent() as agent:
        await agent.sync(world.desired(first))
        await seen(agent, first.id, lambda one: one.state is ReplicaState.STARTING)
        world.engine()
        await agent.sync(world.desired(first, second, elsewhere))
        await ready(agent, elsewhere)
        waiting = await seen(agent, second.id, lambda one: one.reason is not None)
        assert waiting.state is ReplicaState.PREPARING
        assert waiting.reason is not None
        assert (waiting.reason.code, waiting.reason.params) == (ReasonCode.DEVICE_STARTING, {"device": "g"})
        await agent.sync(world.desired(second, elsewhere))
        assert (await ready(agent, second)).reason is None


async def test_who_waits_for_a_turn_can_be_stopped(world: World) -> None:
    world.engine("--fake-never-ready")
    first, second = (world.replica(claims=claims("g")) for _ in range(2))
    async with world.agent() as agent:
        await agent.sync(world.desired(first))
        await seen(agent, first.id, lambda one: one.state is ReplicaState.STARTING)
        await agent.sync(world.desired(first, second))
        await seen(agent, second.id, lambda one: one.reason is not None)
        await agent.sync(world.desired(first))
        await gone(agent, second)


async def test_a_restarted_agent_knows_who_is_starting(world: World) -> None:
    world.engine("--fake-never-ready")
    first, second = (world.replica(claims=claims("g")) for _ in range(2))
    async with world.agent() as agent:
        await agent.sync(world.desired(first))
        await seen(agent, first.id, lambda one: one.state is ReplicaState.STARTING)
    async with world.agent() as agent:
        await agent.sync(world.desired(first, second))
        waiting = await seen(agent, second.id, lambda one: one.reason is not None)
        assert waiting.reason is not None
        assert waiting.reason.code is ReasonCode.DEVICE_STARTING
