"""A replica that is not wanted any more ends its answers first: no new requests, and not for ever."""

from tests.server_life.life import ON_SQLITE, Life, only

from aimindserve.domain.lifecycle import Phase
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.replicas import FINISH_SECONDS, Wanted
from aimindserve.domain.routing import RouteState
from aimindserve.sim.fake_node import FakeNode

pytestmark = ON_SQLITE


async def stopped_while_busy(life: Life, node: FakeNode) -> str:
    await life.add()
    await life.settle()
    replica = only(node)
    life.busy.add(replica)
    await life.change(wanted=Wanted.STOPPED)
    await life.settle()
    return replica


async def test_it_gets_no_requests_and_ends_its_answers(life: Life, node: FakeNode) -> None:
    replica = await stopped_while_busy(life, node)
    standing = await life.standing()
    assert (standing.phase, standing.reasons[0].code) == (Phase.STOPPING, ReasonCode.FINISHING)
    route = await life.route()
    assert (route.state, route.endpoints) == (RouteState.STOPPED, ())
    assert only(node) == replica
    life.clock.now += FINISH_SECONDS / 2
    await life.settle()
    assert only(node) == replica
    life.busy.clear()
    await life.settle()
    assert not node.held
    kinds = await life.kinds()
    assert kinds.index("replica.finishing") < kinds.index("replica.stop_ordered")
    assert kinds.count("replica.finishing") == 1


async def test_an_answer_without_end_holds_it_for_a_minute(life: Life, node: FakeNode) -> None:
    await stopped_while_busy(life, node)
    life.clock.now += FINISH_SECONDS
    await life.settle()
    assert not node.held
    assert await life.phase() is Phase.STOPPED


async def test_one_that_finishes_does_not_count_and_does_not_come_back(life: Life, node: FakeNode) -> None:
    replica = await stopped_while_busy(life, node)
    await life.change(wanted=Wanted.RUNNING)
    await life.settle()
    assert len(node.held) == 2
    assert await life.phase() is Phase.READY
    assert [one.replica_id for one in (await life.route()).endpoints] == [key for key in node.held if key != replica]
    life.busy.clear()
    await life.settle()
    assert replica not in node.held


async def test_what_never_answered_ends_at_once(life: Life, node: FakeNode) -> None:
    node.quick = False
    await life.add()
    await life.settle()
    life.busy.add(only(node))
    await life.change(wanted=Wanted.STOPPED)
    await life.settle()
    assert "replica.finishing" not in await life.kinds()
    assert "replica.stop_ordered" in await life.kinds()
