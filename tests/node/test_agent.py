"""The life of replicas on a node, with real processes."""

import signal
import time

from tests.node.world import World, alive, command_line, engines_of, failing, gone, kill_pid, ready, seen, world

from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.replicas import ReplicaObservation, ReplicaState
from aimindserve.domain.sight import SightOutcome
from aimindserve.engines.llama_steps import LLAMA_STEPS
from aimindserve.node.probes import exchange

__all__ = ["world"]


async def test_a_replica_starts_serves_and_stops(world: World) -> None:
    replica = world.replica()
    async with world.agent() as agent:
        report = await agent.sync(world.desired(replica))
        assert report.acked_revision == 1
        assert [r.id for r in report.replicas] == [replica.id]
        serving = await ready(agent, replica)
        assert [mark.stage for mark in serving.timeline] == [
            "accepted",
            "files",
            "environment",
            "launched",
            *LLAMA_STEPS.order,
            "answered",
            "seen",
            "ready",
        ]
        assert [mark.at for mark in serving.timeline] == sorted(mark.at for mark in serving.timeline)
        assert serving.doing is None
        assert serving.sight is not None
        assert serving.sight.outcome is SightOutcome.PASSED
        assert serving.restarts == 0
        assert serving.reason is None
        assert serving.port is not None
        answer = await exchange("127.0.0.1", serving.port, "/v1/models", serving.engine_key, 5)
        assert answer is not None
        assert answer[0] == 200
        assert b"tiny" in answer[1]
        refused = await exchange("127.0.0.1", serving.port, "/props", "wrong", 5)
        stopping = await agent.sync(world.desired())
        assert stopping.acked_revision == 2
        await gone(agent, replica)
    assert refused is not None
    assert refused[0] == 401
    assert not alive(serving.pid)
    assert engines_of(replica.id) == []
    assert not world.folder(replica).path.exists()


async def test_the_key_is_a_secret(world: World) -> None:
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        serving = await ready(agent, replica)
        folder = world.folder(replica)
        assert folder.key_path.stat().st_mode & 0o777 == 0o600
        assert folder.ledger_path.stat().st_mode & 0o777 == 0o600
        assert serving.engine_key not in folder.ledger_path.read_text()
        for pid in engines_of(replica.id):
            assert serving.engine_key.encode() not in command_line(pid)
        assert serving.engine_key not in repr(serving)
        await agent.sync(world.desired())
        await gone(agent, replica)


async def test_a_crash_is_noticed_at_once_and_the_engine_started_again(world: World) -> None:
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        first = await ready(agent, replica)
        began = time.monotonic()
        kill_pid(first.pid)
        down = await failing(agent, replica, ReasonCode.ENGINE_KILLED)
        noticed = time.monotonic() - began
        assert down.pid is None
        assert down.port is None
        assert down.reason is not None
        assert down.reason.params == {"signal": "KILL"}
        again = await ready(agent, replica)
        print(f"exit noticed after {noticed * 1000:.1f} ms, served again after {time.monotonic() - began:.2f} s")
    assert noticed < 5, "the aim is 0.5 s on a quiet machine"
    assert again.pid != first.pid
    assert (again.attempt, again.restarts, again.reason) == (2, 1, None)


async def test_exit_zero_without_an_order_is_a_crash(world: World) -> None:
    world.engine("--fake-crash-after", "0.1", "--fake-exit", "0")
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        down = await failing(agent, replica, ReasonCode.ENGINE_EXITED)
        assert down.restarts >= 1
        assert down.retry_at is not None
        await agent.sync(world.desired())
        await gone(agent, replica)


async def test_back_off_grows_up_to_its_cap(world: World) -> None:
    world.engine("--fake-crash-after", "0", "--fake-exit", "1")
    replica = world.replica()
    waits: dict[int, float] = {}
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))

        def note(seen_now: ReplicaObservation) -> bool:
            if seen_now.state is ReplicaState.BACKOFF and seen_now.retry_at is not None:
                waits.setdefault(seen_now.restarts, seen_now.retry_at - time.time())
            return len(waits) >= 5

        await seen(agent, replica.id, note)
        await agent.sync(world.desired())
        await gone(agent, replica)
    longest = [waits[key] for key in sorted(waits)]
    assert longest[0] <= 0.05
    assert 0.2 < max(longest) <= 0.4
    assert longest[:3] == sorted(longest[:3])


async def test_hanging_engine_and_its_children_are_killed_after_the_grace(world: World) -> None:
    world.engine("--fake-ignore-term", "--fake-child", "ignores-term")
    world.patient(stop_grace=0.3)
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        await ready(agent, replica)
        assert len(engines_of(replica.id)) >= 2
        await agent.sync(world.desired())
        await gone(agent, replica)
    assert engines_of(replica.id) == []


async def test_children_do_not_outlive_a_killed_engine(world: World) -> None:
    world.engine("--fake-child", "ignores-term")
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        first = await ready(agent, replica)
        old = set(engines_of(replica.id))
        kill_pid(first.pid)
        await seen(agent, replica.id, lambda o: o.state is ReplicaState.READY and o.pid != first.pid)
        assert old.isdisjoint(engines_of(replica.id))
        await agent.sync(world.desired())
        await gone(agent, replica)


async def test_stale_revisions_are_ignored(world: World) -> None:
    replica = world.replica()
    async with world.agent() as agent:
        old = world.desired(replica)
        await agent.sync(world.desired())
        report = await agent.sync(old)
        assert report.acked_revision == 2
        assert report.replicas == ()
        assert engines_of(replica.id) == []


async def test_nothing_is_done_before_the_first_order(world: World) -> None:
    async with world.agent() as agent:
        report = await agent.report()
        assert report.acked_revision == 0
        assert report.facts.boot_id
        assert [install.flavour for install in report.facts.engines] == ["llama-server"]


async def test_stop_while_starting(world: World) -> None:
    world.engine("--fake-start-delay", "30")
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        await seen(agent, replica.id, lambda o: o.state is ReplicaState.STARTING and o.pid is not None)
        await agent.sync(world.desired())
        await gone(agent, replica)
    assert engines_of(replica.id) == []


async def test_stop_during_back_off_is_prompt(world: World) -> None:
    world.patient(backoff_first=600.0, backoff_cap=600.0)
    world.engine("--fake-crash-after", "0", "--fake-exit", "1")
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        await failing(agent, replica, ReasonCode.ENGINE_CRASHED)
        await agent.sync(world.desired())
        await gone(agent, replica)


async def test_an_engine_that_stops_answering_is_restarted(world: World) -> None:
    world.patient(unhealthy_after=0.2, give_up_after=0.5, stop_grace=0.3)
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        first = await ready(agent, replica)
        kill_pid(first.pid, signal.SIGSTOP)
        await failing(agent, replica, ReasonCode.ENGINE_NOT_ANSWERING)
        await seen(agent, replica.id, lambda o: o.state is ReplicaState.READY and o.pid != first.pid)
        assert not alive(first.pid)


async def test_start_limit(world: World) -> None:
    world.engine("--fake-never-ready")
    world.patient(start_timeout=0.5)
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        await failing(agent, replica, ReasonCode.ENGINE_START_TIMEOUT)


async def test_several_replicas_at_once(world: World) -> None:
    replicas = [world.replica() for _ in range(3)]
    async with world.agent() as agent:
        await agent.sync(world.desired(*replicas))
        serving = [await ready(agent, replica) for replica in replicas]
        assert len({one.pid for one in serving}) == len({one.port for one in serving}) == 3
        kept = await agent.sync(world.desired(replicas[1]))
        assert kept.acked_revision == 2
        await gone(agent, replicas[0])
        await gone(agent, replicas[2])
        assert [r.pid for r in (await agent.report()).replicas] == [serving[1].pid]


async def test_syncing_the_same_state_again_changes_nothing(world: World) -> None:
    replica = world.replica()
    async with world.agent() as agent:
        order = world.desired(replica)
        await agent.sync(order)
        first = await ready(agent, replica)
        for _ in range(5):
            await agent.sync(order)
        assert (await ready(agent, replica)).pid == first.pid
        assert engines_of(replica.id) == [first.pid]
