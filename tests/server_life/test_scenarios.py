"""What people do, from a deployment's first moment to its last, step by step on a node in memory."""

from dataclasses import replace

from tests.server_life.life import Life, only

from aimindserve.domain.lifecycle import Phase
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.replicas import ReplicaState, Wanted
from aimindserve.domain.routing import RouteState
from aimindserve.domain.units import GIB, MIB
from aimindserve.server.reconcile.replicas import reconcile_replicas
from aimindserve.server.reconcile.routes import routes_of
from aimindserve.sim.fake_node import FakeNode


async def test_a_deployment_becomes_ready_and_is_routed(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    assert await life.phase() is Phase.READY
    route = await life.route()
    assert route.state is RouteState.READY
    assert [endpoint.port for endpoint in route.endpoints] == [node.held[only(node)].port]
    assert route.endpoints[0].engine_key == "engine-key-0"
    assert "vision" in route.capabilities


async def test_each_phase_shows_on_the_way(life: Life, node: FakeNode) -> None:
    node.quick = False
    await life.round()
    await life.add()
    assert await life.phase() is Phase.PENDING
    await life.round()
    standing = await life.standing()
    assert standing.phase is Phase.PLACING
    assert standing.reasons[0].code is ReasonCode.WAITING_FOR_NODE
    await life.round()
    assert await life.phase() is Phase.STARTING
    assert (await life.route()).state is RouteState.STARTING
    node.observe(only(node), state=ReplicaState.READY)
    await life.round()
    assert await life.phase() is Phase.READY


async def test_an_edit_starts_a_new_generation_and_stops_the_old(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    old = only(node)
    deployment = await life.deployment()
    spec = deployment.spec.model_copy(update={"parameters": ("--ctx-size=2048",)})
    await life.change(spec=spec, again=True)
    await life.settle()
    assert only(node) != old
    replicas = await life.replicas()
    assert [replica.generation for replica in replicas] == [2]
    assert replicas[0].spec.parameters == ("--ctx-size=2048",)
    assert await life.phase() is Phase.READY


async def test_stop_frees_everything_and_start_brings_it_back(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    first = only(node)
    await life.change(wanted=Wanted.STOPPED)
    await life.settle()
    assert node.held == {}
    assert await life.replicas() == ()
    standing = await life.standing()
    assert standing.phase is Phase.STOPPED
    assert standing.reasons[0].code is ReasonCode.STOPPED_BY_USER
    assert (await life.route()).state is RouteState.STOPPED
    await life.change(wanted=Wanted.RUNNING)
    await life.settle()
    assert await life.phase() is Phase.READY
    assert only(node) != first


async def test_scaling_up_keeps_what_runs_and_scaling_down_stops_the_last(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    first = only(node)
    await life.scale(3)
    await life.settle()
    assert len(node.held) == 3
    assert first in node.held
    assert len((await life.route()).endpoints) == 3
    await life.scale(1)
    await life.settle()
    assert list(node.held) == [first]
    await life.scale(0)
    await life.settle()
    assert node.held == {}
    assert (await life.standing()).reasons[0].code is ReasonCode.SCALED_TO_ZERO


async def test_a_deleted_deployment_goes_when_its_engines_have_ended(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    node.quick = False
    await life.change(wanted=Wanted.DELETED)
    for _ in range(4):
        await life.round()
    assert await life.phase() is Phase.STOPPING
    assert (await life.table()).routes == ()
    node.end(only(node))
    await life.settle()
    assert (await life.world()).deployments == ()
    assert (await life.kinds())[-2:] == ["replica.removed", "deployment.deleted"]


async def test_a_stopping_replica_keeps_its_memory_until_its_node_has_acknowledged(life: Life, node: FakeNode) -> None:
    node.quick = False
    await life.add("first", weights=5 * GIB)
    await life.settle()
    await life.add("second", weights=5 * GIB)
    await life.settle()
    waiting = await life.standing("second")
    assert waiting.phase is Phase.PENDING
    assert waiting.reasons[0].code is ReasonCode.MEMORY_CLAIMED
    await life.change("first", wanted=Wanted.STOPPED)
    for _ in range(4):
        await life.round()
    assert await life.phase("second") is Phase.PENDING, "the first engine has not ended yet"
    node.end(only(node))
    await life.settle()
    assert await life.phase("second") is Phase.STARTING
    assert len(node.held) == 1


async def test_what_never_fits_says_so(life: Life, node: FakeNode) -> None:
    await life.add(weights=100 * GIB)
    await life.settle()
    standing = await life.standing()
    assert standing.phase is Phase.PENDING
    assert standing.reasons[0].code is ReasonCode.MEMORY_INSUFFICIENT
    assert node.started == []


async def test_a_crash_shows_leaves_the_table_and_recovers(life: Life, node: FakeNode) -> None:
    await life.add()
    await life.settle()
    why = reason(ReasonCode.ENGINE_CRASHED, exit_code=1)
    node.crash(only(node), why, retry_at=life.clock.now + 4)
    await life.round()
    standing = await life.standing()
    assert standing.phase is Phase.FAILED
    assert [found.code for found in standing.reasons] == [ReasonCode.ENGINE_CRASHED, ReasonCode.RESTARTING]
    route = await life.route()
    assert route.state is RouteState.FAILED
    assert route.endpoints == ()
    assert "exit code 1" in route.detail
    node.observe(only(node), state=ReplicaState.READY, port=43_000, pid=77, attempt=2, reason=None)
    await life.round()
    assert [endpoint.port for endpoint in (await life.route()).endpoints] == [43_000]
    assert "replica.changed" in await life.kinds()


async def test_memory_is_shared_out_in_order_of_age(life: Life, node: FakeNode) -> None:
    for number in range(6):
        await life.add(f"model-{number}", weights=2 * GIB)
        await reconcile_replicas(life.context)
        life.clock.advance(1)
    await life.settle()
    ready = [number for number in range(6) if await life.phase(f"model-{number}") is Phase.READY]
    assert ready == [0, 1, 2]
    assert len(node.held) == 3
    assert sum(claim.bytes for claims in node.claims.values() for claim in claims) > 6000 * MIB


async def test_gateways_are_told_the_engine_and_how_many_pictures_it_takes(life: Life) -> None:
    await life.add()
    await life.settle()
    route = await life.route()
    assert (route.endpoints[0].engine, route.images) == ("llama.cpp", None)
    world = await life.world()
    (replica,) = world.replicas
    assert replica.assignment is not None
    assignment = replica.assignment.model_copy(update={"engine": "vllm"})
    spec = replica.spec.model_copy(update={"parameters": ("--limit-mm-per-prompt=image=7",)})
    other = replica.model_copy(update={"assignment": assignment, "spec": spec})
    (route,) = routes_of(replace(world, replicas=(other,)), life.clock.now)
    assert (route.endpoints[0].engine, route.images) == ("vllm", 7)
