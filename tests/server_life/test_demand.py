"""Deployments that follow their requests: asleep, woken, given up for each other on a small machine."""

from dataclasses import dataclass, field

import httpx
import pytest
from tests.server_life.life import ON_SQLITE, Life

from aimindserve.domain.channel import Loads
from aimindserve.domain.lifecycle import Phase
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.replicas import ReplicaState
from aimindserve.domain.routing import RouteState
from aimindserve.domain.scaling import GROW_AFTER_SECONDS, awake
from aimindserve.domain.specs import ScalingWishes
from aimindserve.domain.startup import Mark
from aimindserve.domain.units import GIB, MIB
from aimindserve.server.reconcile.demand import Demand
from aimindserve.sim.fake_node import FakeNode

pytestmark = ON_SQLITE
IDLE = 300
LARGE = 5 * GIB  # two of them do not fit the machine


@dataclass
class Stage:
    """One gateway that tells what a test says."""

    life: Life
    demand: Demand
    asked: dict[str, float] = field(default_factory=dict[str, float])
    waiting: dict[str, int] = field(default_factory=dict[str, int])
    in_flight: dict[str, int] = field(default_factory=dict[str, int])

    async def add(self, name: str, *, replicas: int = 1, weights: int = 500 * MIB, **scaling: int | None) -> str:
        identity = await self.life.add(name, replicas, weights)
        wishes = ScalingWishes.model_validate({"minimum": 0, "idle_seconds": IDLE, **scaling})
        deployment = await self.life.deployment(name)
        await self.life.change(name, spec=deployment.spec.model_copy(update={"scaling": wishes}))
        return identity

    def ask(self, name: str) -> None:
        self.life.clock.now += 1
        self.asked[name] = self.life.clock.now

    async def settle(self, seconds: float = 0.0) -> None:
        """Steps of everything until nothing changes, some seconds later."""
        self.life.clock.now += seconds
        for _ in range(20):
            changed = await self.life.round()
            if not await self.demand.step() and not changed:
                return
        raise AssertionError("it does not settle")

    async def phases(self, *names: str) -> list[Phase]:
        return [await self.life.phase(name) for name in names]


@pytest.fixture
def stage(life: Life) -> Stage:
    made = Stage(life, Demand(life.context, lambda: [Loads(made.in_flight, made.asked, made.waiting)]))
    return made


async def test_it_sleeps_when_nobody_asks_and_wakes_by_a_request(stage: Stage, node: FakeNode) -> None:
    identity = await stage.add("eye", hold_seconds=90)
    await stage.settle()
    assert await stage.phases("eye") == [Phase.READY]
    await stage.settle(IDLE - 1)
    assert await stage.phases("eye") == [Phase.READY]
    await stage.settle(2)
    standing = await stage.life.standing("eye")
    assert (standing.phase, standing.reasons[0].code) == (Phase.ASLEEP, ReasonCode.ASLEEP)
    assert not node.held
    route = await stage.life.route("eye")
    assert (route.state, route.hold, route.may_wait) == (RouteState.ASLEEP, 90, True)
    await stage.settle(10_000)
    assert await stage.phases("eye") == [Phase.ASLEEP]
    stage.ask("eye")
    stage.waiting[identity] = 1
    await stage.settle(1)
    assert await stage.phases("eye") == [Phase.READY]
    kinds = await stage.life.kinds()
    assert [kind for kind in kinds if kind in ("deployment.fell_asleep", "deployment.woken")] == [
        "deployment.fell_asleep",
        "deployment.woken",
    ]


async def test_who_is_asked_stays_awake(stage: Stage) -> None:
    await stage.add("eye")
    await stage.settle()
    for _ in range(4):
        stage.ask("eye")
        await stage.settle(IDLE - 1)
    (replica,) = await stage.life.replicas()
    stage.in_flight[replica.id] = 1
    await stage.settle(10 * IDLE)
    assert await stage.phases("eye") == [Phase.READY], "an answer takes as long as it takes"


async def test_nothing_is_decided_while_no_gateway_is_there(stage: Stage) -> None:
    await stage.add("eye")
    await stage.settle()
    stage.demand.loads = list
    await stage.settle(10 * IDLE)
    assert await stage.phases("eye") == [Phase.READY]


async def test_replicas_follow_the_queue(stage: Stage) -> None:
    await stage.add("eye", replicas=3, minimum=1, queue=2)
    await stage.settle()
    assert len(await stage.life.replicas()) == 1
    (replica,) = await stage.life.replicas()
    stage.in_flight[replica.id] = 5
    await stage.settle(1)
    await stage.settle(GROW_AFTER_SECONDS - 1)
    assert len(await stage.life.replicas()) == 1
    await stage.settle(1)
    assert len(await stage.life.replicas()) == 3
    stage.in_flight[replica.id] = 1
    await stage.settle(IDLE - 1)
    assert len(await stage.life.replicas()) == 3
    await stage.settle(2)
    assert len(await stage.life.replicas()) == 1
    assert await stage.phases("eye") == [Phase.READY]


async def test_one_makes_room_for_another_and_back(stage: Stage, node: FakeNode) -> None:
    await stage.add("one", weights=LARGE)
    await stage.settle()
    await stage.add("two", weights=LARGE)
    await stage.settle()
    assert await stage.phases("one", "two") == [Phase.READY, Phase.PENDING], "it has served for too short a time"
    stage.life.clock.now += 30
    await stage.life.round()
    assert [await stage.demand.step() for _ in range(3)] == [1, 0, 0], "decided once"
    await stage.settle()
    assert await stage.phases("one", "two") == [Phase.ASLEEP, Phase.READY]
    standing = await stage.life.standing("one")
    assert (standing.reasons[0].code, standing.reasons[0].params["model"]) == (ReasonCode.MADE_ROOM, "two")
    stage.ask("one")
    await stage.settle(30)
    assert await stage.phases("one", "two") == [Phase.READY, Phase.ASLEEP]
    assert "deployment.made_room" in await stage.life.kinds()
    await stage.settle(30)
    assert await stage.phases("one", "two") == [Phase.READY, Phase.ASLEEP], "nobody asks for the other"


async def test_who_answers_or_is_always_on_makes_no_room(stage: Stage) -> None:
    await stage.add("busy", weights=LARGE)
    await stage.settle()
    (replica,) = await stage.life.replicas()
    stage.in_flight[replica.id] = 1
    await stage.add("other", weights=LARGE)
    await stage.settle(1000)
    assert await stage.phases("busy", "other") == [Phase.READY, Phase.PENDING]
    stage.in_flight[replica.id] = 0
    busy = await stage.life.deployment("busy")
    always = busy.spec.scaling.model_copy(update={"minimum": 1})
    await stage.life.change("busy", spec=busy.spec.model_copy(update={"scaling": always}))
    await stage.settle(1000)
    assert await stage.phases("busy", "other") == [Phase.READY, Phase.PENDING]


async def test_loading_is_timed_and_told(stage: Stage, node: FakeNode) -> None:
    node.quick = False
    await stage.add("eye")
    await stage.settle()
    (replica,) = node.held
    began = stage.life.clock.now
    timeline = (Mark(stage="accepted", at=began - 5), Mark(stage="downloaded", at=began))
    node.observe(replica, timeline=timeline)
    await stage.settle(40)
    assert (await stage.life.route("eye")).loading_since == began
    timeline += (Mark(stage="environment", at=began + 10), Mark(stage="ready", at=began + 40))
    node.observe(replica, state=ReplicaState.READY, ready_since=began + 40, timeline=timeline)
    await stage.settle()
    route = await stage.life.route("eye")
    assert (route.load_seconds, route.loading_since) == (40.0, None)
    revision = (await stage.life.deployment("eye")).revision
    await stage.settle(IDLE + 1)
    assert (await stage.life.deployment("eye")).revision == revision, "people who edit it are not disturbed"


async def test_starting_it_by_hand_wakes_it_and_an_edit_of_its_wishes_restarts_nothing(
    stage: Stage, cli: httpx.AsyncClient, node: FakeNode
) -> None:
    await stage.add("eye")
    await stage.settle()
    await stage.settle(IDLE + 1)
    shown = (await cli.get("/api/v1/deployments/eye")).json()
    assert (shown["phase"], shown["replicas_target"]) == ("asleep", 0)
    asleep = await stage.life.deployment("eye")
    await stage.life.change("eye", scale=awake(asleep.scale))
    await stage.settle()
    assert await stage.phases("eye") == [Phase.READY]
    (replica,) = node.held
    answer = await cli.patch("/api/v1/deployments/eye", json={"scaling": {"minimum": 1}})
    assert answer.status_code == 200, answer.text
    await stage.settle(IDLE * 2)
    assert list(node.held) == [replica]
