"""Lost, late and repeated reports, restarts in the middle, silence: nothing is lost and nothing is booked twice."""

import random

import pytest
from tests.server.fixtures import Clock, open_context
from tests.server_life.life import Life, model_facts, only

from aimindserve.domain.lifecycle import UNREACHABLE_AFTER_SECONDS, Phase
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.replicas import NodeReport, ReplicaState, Wanted
from aimindserve.domain.routing import RouteState
from aimindserve.domain.units import GIB
from aimindserve.server.reconcile import reports
from aimindserve.server.reconcile.nodes import desired_of
from aimindserve.server.reconcile.placement import reconcile_placement
from aimindserve.server.reconcile.replicas import reconcile_replicas
from aimindserve.server.reconcile.reports import HEARTBEAT_SECONDS, store_report
from aimindserve.server.settings import Settings
from aimindserve.sim.fake_node import FakeNode, cpu_node


async def _deliver(life: Life, report: NodeReport, *, sent: tuple[str, ...] = ()) -> bool:
    ref = (await life.fabric.nodes())[0]
    return await store_report(life.context, ref, report, sent)


async def test_a_second_pass_changes_nothing(life: Life) -> None:
    await life.add(replicas=2)
    await life.settle()
    event, node, replicas = await life.last_event(), await life.node_row(), await life.replicas()
    assert await reconcile_replicas(life.context) == 0
    assert await reconcile_placement(life.context) == 0
    assert not await life.round()
    assert await life.last_event() == event
    assert (await life.node_row()).desired_revision == node.desired_revision
    assert await life.replicas() == replicas
    assert await life.table() == await life.table()


async def test_a_lost_answer_is_made_up_for(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.round()
    life.fabric.lost.add("one")
    await life.round()
    assert await life.phase() is Phase.PLACING, "the order arrived, its answer did not"
    await life.settle()
    assert await life.phase() is Phase.READY
    assert len(node.started) == 1


async def test_a_late_report_takes_nothing_back(life: Life, node: FakeNode) -> None:
    await life.settle()
    early = node.report(life.clock.now)
    await life.add()
    await life.settle()
    assert not await _deliver(life, early, sent=(only(node),))
    assert await life.phase() is Phase.READY
    late = node.report(life.clock.now)
    await life.change(wanted=Wanted.STOPPED)
    await life.settle()
    assert not await _deliver(life, late)
    assert await life.replicas() == ()


async def test_a_report_that_is_overtaken_on_its_way_into_the_database_changes_nothing(
    life: Life, node: FakeNode
) -> None:
    await life.settle()
    early, ref = node.report(life.clock.now), (await life.fabric.nodes())[0]
    await life.add()
    await life.settle()
    row, event = await life.node_row(), await life.last_event()
    async with life.context.database.unit_of_work(quiet=True) as work:
        await reports._apply(work, ref, early, (only(node),))
    assert (await life.node_row()).acked_revision == row.acked_revision
    assert await life.last_event() == event
    assert await life.phase() is Phase.READY


async def test_a_repeated_report_writes_nothing(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    event = await life.last_event()
    assert not await _deliver(life, node.report(life.clock.now), sent=(only(node),))
    assert await life.last_event() == event


async def test_a_report_from_before_the_order_frees_no_memory(life: Life, node: FakeNode) -> None:
    """A replica is assigned and stopped before its node hears of it; an old report does not list it either."""
    await life.settle()
    before = node.report(life.clock.now)
    await life.add(weights=5 * GIB)
    await reconcile_replicas(life.context)
    await reconcile_placement(life.context)
    sent = await desired_of(life.context, "one")
    await life.change(wanted=Wanted.STOPPED)
    await reconcile_replicas(life.context)
    life.clock.advance(HEARTBEAT_SECONDS)
    assert await _deliver(life, before) is False
    assert (await life.node_row()).last_report_at == life.clock.now
    assert [replica.stopping for replica in await life.replicas()] == [True]
    node.quick = False
    await _deliver(life, node.accept(sent, life.clock.now), sent=tuple(node.held))
    assert len(await life.replicas()) == 1, "the node has started it: its memory is in use"
    await life.add("other", weights=5 * GIB)
    await life.round()
    await life.round()
    assert await life.phase("other") is Phase.PENDING
    node.end(only(node))
    await life.settle()
    assert await life.phase("other") is Phase.STARTING


async def test_an_agent_that_restarts_keeps_its_engines(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    engine = node.held[only(node)].pid
    node.restart_agent()
    await life.settle()
    assert node.held[only(node)].pid == engine
    assert len(node.started) == 1
    assert await life.phase() is Phase.READY


async def test_a_machine_that_reboots_starts_its_replicas_again(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    replica = only(node)
    node.end(replica)
    node.restart_agent()
    node.facts = node.facts.model_copy(update={"boot_id": "second"})
    await life.settle()
    assert node.started == [replica, replica]
    assert await life.phase() is Phase.READY
    assert (await life.node_row()).boot_id == "second"


async def test_a_silent_node_is_unreachable_and_its_engines_stay_routed(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    life.fabric.deaf.add("one")
    life.clock.advance(UNREACHABLE_AFTER_SECONDS + 1)
    await life.round()
    standing = await life.standing()
    assert standing.phase is Phase.UNREACHABLE
    assert standing.reasons[0].code is ReasonCode.NODE_UNREACHABLE
    route = await life.route()
    assert route.state is RouteState.READY, "an engine outlives its agent"
    assert len(route.endpoints) == 1
    life.fabric.deaf.clear()
    await life.settle()
    assert await life.phase() is Phase.READY
    assert len(node.started) == 1


async def test_nothing_new_is_placed_on_a_silent_node(life: Life) -> None:
    await life.settle()
    life.fabric.deaf.add("one")
    life.clock.advance(UNREACHABLE_AFTER_SECONDS + 1)
    await life.add()
    await life.round()
    standing = await life.standing()
    assert standing.phase is Phase.PENDING
    assert standing.reasons[0].code is ReasonCode.NO_NODE


async def test_an_older_database_wins_back_its_node(life: Life, node: FakeNode) -> None:
    """A node ignores revisions below those that it knows; a restored database must go above them."""
    await life.add()
    await life.settle()
    node.acked = 500
    await life.round()
    await life.change(wanted=Wanted.STOPPED)
    await life.settle()
    assert node.held == {}
    assert (await life.node_row()).acked_revision > 500


async def test_an_engine_that_nobody_knows_is_stopped(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    known = only(node)
    node.held["stranger"] = node.held[known].model_copy(update={"id": "stranger"})
    node.claims["stranger"] = ()
    await life.settle()
    assert list(node.held) == [known]


async def test_a_lost_replica_shows_as_waiting_for_its_node(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    replica = only(node)
    report = node.report(life.clock.now).model_copy(update={"replicas": ()})
    assert await _deliver(life, report, sent=(replica,))
    assert await life.phase() is Phase.PLACING
    assert (await life.route()).endpoints == ()


async def test_a_clock_that_was_set_back_does_not_hide_silence(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    life.clock.advance(-3600)
    await life.round()
    assert (await life.node_row()).last_report_at == life.clock.now


async def test_telemetry_and_heartbeats_are_no_events(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    event = await life.last_event()
    cpu = node.facts.devices[0].model_copy(update={"memory_free": 1, "utilization": 0.5})
    node.facts = node.facts.model_copy(update={"devices": (cpu,)})
    node.observe(only(node), progress=0.5)
    life.clock.advance(HEARTBEAT_SECONDS)
    await life.round()
    row = await life.node_row()
    assert row.last_report_at == life.clock.now
    assert row.facts is not None
    assert row.facts.devices[0].memory_free == 1
    assert (await life.replicas())[0].observation == node.held[only(node)]
    assert await life.last_event() == event


async def test_a_new_server_on_the_same_database_goes_on(
    life: Life, node: FakeNode, settings: Settings, clock: Clock
) -> None:
    node.quick = False
    await life.add()
    await life.round()
    async with open_context(settings, clock) as context:
        second = Life(context, clock, life.fabric)
        await second.settle()
        node.observe(only(node), state=ReplicaState.READY)
        await second.settle()
        assert await second.phase() is Phase.READY
        assert len(node.started) == 1


@pytest.mark.parametrize(
    ("database_url", "seed"),
    [*(("sqlite", seed) for seed in range(6)), *(("postgresql", seed) for seed in range(6, 8))],
    indirect=["database_url"],
)
async def test_any_mixture_of_wishes_and_faults_ends_as_asked(life: Life, clock: Clock, seed: int) -> None:
    """People and faults act at random; no memory is booked twice, and when they rest all is as was asked."""
    chance = random.Random(seed)
    machines = [FakeNode(cpu_node(name, memory=4 * GIB)) for name in ("one", "two")]
    life.fabric.machines = {machine.facts.node_id: machine for machine in machines}
    for name in ("a", "b"):
        await life.add(name, weights=GIB)
    for _ in range(40):
        await _one_thing(life, chance, machines)
        clock.advance(chance.choice((0.1, 3.0, 12.0)))
        await life.round()
    life.fabric.deaf.clear()
    life.fabric.lost.clear()
    for machine in machines:
        _finish(machine)
    await life.settle()
    for deployment in (await life.world()).deployments:
        expected = deployment.spec.replicas if deployment.wanted is Wanted.RUNNING else 0
        held = [replica for replica in await life.replicas() if replica.deployment_id == deployment.id]
        assert len(held) == expected
        assert all(replica.generation == deployment.generation for replica in held)
    rows = {replica.id for replica in await life.replicas() if replica.assignment}
    assert rows == {replica for machine in machines for replica in machine.held}


def _finish(machine: FakeNode) -> None:
    machine.quick = True
    for replica, seen in list(machine.held.items()):
        if seen.state is ReplicaState.STOPPING:
            machine.end(replica)


async def _one_thing(life: Life, chance: random.Random, machines: list[FakeNode]) -> None:
    machine = chance.choice(machines)
    name = chance.choice(("a", "b"))
    match chance.randrange(9):
        case 0:
            await life.scale(chance.randrange(4), name)
        case 1:
            await life.change(name, wanted=chance.choice((Wanted.RUNNING, Wanted.STOPPED)))
        case 2:
            await life.change(name, again=True, facts=model_facts(chance.choice((GIB, 2 * GIB))))
        case 3:
            machine.restart_agent()
        case 4:
            life.fabric.deaf ^= {machine.facts.node_id}
        case 5:
            life.fabric.lost.add(machine.facts.node_id)
        case 6 if machine.held:
            machine.end(chance.choice(list(machine.held)))
        case 7:
            machine.quick = not machine.quick
        case _:
            _finish(machine)
