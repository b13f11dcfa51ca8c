"""Ready means: it answers, and what should see pictures answers about them."""

import asyncio
import json

import pytest
from tests.node.world import World, gone, ready, seen, world

from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.replicas import ReplicaState
from aimindserve.domain.sight import SightOutcome
from aimindserve.node.probes import exchange

__all__ = ["world"]


async def test_wrong_content_is_ready_and_told(world: World) -> None:
    world.engine("--fake-sight", "wrong")
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        serving = await ready(agent, replica)
        assert serving.sight is not None
        assert serving.sight.outcome is SightOutcome.CONTENT_WRONG
        assert [check.answer for check in serving.sight.checks] == ["It is a purple elephant."] * 3
        assert serving.reason is None


@pytest.mark.parametrize(
    ("sight", "code", "state"),
    [
        ("refused", ReasonCode.PICTURE_REFUSED, ReplicaState.FAILED),
        ("silent", ReasonCode.PICTURE_NOT_ANSWERED, ReplicaState.BACKOFF),
    ],
)
async def test_no_answer_about_a_picture_is_not_ready(
    world: World, sight: str, code: ReasonCode, state: ReplicaState
) -> None:
    world.engine("--fake-sight", sight)
    world.patient(answer_patience=0.2, backoff_first=30.0, backoff_cap=60.0)
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        failed = await seen(agent, replica.id, lambda o: o.state is state)
        assert failed.reason is not None
        assert failed.reason.code is code
        assert failed.sight is not None
        assert failed.sight.outcome is SightOutcome.FAILED
        assert failed.ready_since is None
        await agent.sync(world.desired())
        await gone(agent, replica)


async def test_who_is_told_to_see_none_is_asked_about_none(world: World) -> None:
    world.engine("--fake-sight", "refused")
    replica = world.replica(parameters=("--no-mmproj",))
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        assert (await ready(agent, replica)).sight is None


@pytest.mark.parametrize("capability", ["chat", "embedding", "rerank"])
async def test_each_kind_of_model_is_asked_what_it_answers(world: World, capability: str) -> None:
    replica = world.replica(facts=world.facts.model_copy(update={"capabilities": (capability,)}))
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        assert (await ready(agent, replica)).sight is None


async def test_first_requests_count_for_nobody(world: World) -> None:
    ledger = world.root / "counted"
    world.engine("--fake-ledger", str(ledger))
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        serving = await ready(agent, replica)
        assert serving.port is not None
        state = await exchange("127.0.0.1", serving.port, "/fake/state", "", 5)
    assert state is not None
    assert json.loads(state[1])["requests"] == 0
    assert not ledger.exists() or not ledger.read_text()


async def test_what_a_start_is_doing_is_told_while_it_does_it(world: World) -> None:
    world.engine("--fake-never-ready")
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        loading = await seen(agent, replica.id, lambda o: o.doing is not None and o.doing.stage == "weights")
        assert loading.state is ReplicaState.STARTING
        assert [mark.stage for mark in loading.timeline][-1] == "program"
    async with world.agent() as agent:
        again = await seen(agent, replica.id, lambda o: o.doing is not None and o.doing.stage == "weights")
        assert [mark.stage for mark in again.timeline].count("program") == 1
        await agent.sync(world.desired())
        await gone(agent, replica)
        await asyncio.sleep(0)
