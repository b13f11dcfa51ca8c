"""The node's downloads: orders, replicas that wait for their files, what is said meanwhile."""

import asyncio
from pathlib import Path

from tests.node.downloading import (
    access,
    hub,
    manager,
    seen,
    until,
)
from tests.node.world import World, failing, gone, ready, world
from tests.node.world import seen as seen_replica
from tests.support.hub_server import PIECE, Fault, Hub, content, serving

from aimindserve.domain.files import ModelState, WantedModel
from aimindserve.domain.replicas import ReplicaState

__all__ = ["hub", "world"]


async def test_two_that_need_the_same_files_share_one_download(hub: Hub, tmp_path: Path) -> None:
    async with manager(tmp_path, hub) as downloads:
        outcomes = await asyncio.gather(downloads.ensure(hub.facts()), downloads.ensure(hub.facts()))
    assert outcomes == [None, None]
    assert sum(hub.sent.values()) == sum(map(len, hub.files.values()))


async def test_an_order_is_paused_resumed_and_forgotten(tmp_path: Path) -> None:
    with serving(Hub({"model.gguf": content(1_000_000, 5)}, rate=300_000)) as hub:
        wanted = WantedModel(source="hf://org/repo", facts=hub.facts())
        async with manager(tmp_path, hub) as downloads:
            downloads.order((wanted,), (), access(hub))
            await until(lambda: any(model.progress.done for model in downloads.observe()))
            downloads.order((wanted.model_copy(update={"paused": True}),), (), access(hub))
            paused = await seen(downloads, ModelState.PAUSED)
            assert paused.reason is not None
            kept = downloads.store.there(hub.facts())
            assert kept > 0
            await until(lambda: not hub.sending)
            hub.rate, before = None, hub.sent["model.gguf"]
            downloads.order((wanted,), (), access(hub))
            done = await seen(downloads, ModelState.READY)
            assert done.progress.done == done.progress.total
            assert hub.sent["model.gguf"] - before <= 1_000_000 - kept
            downloads.order((), (wanted.key,), access(hub))
            await until(lambda: not downloads.observe())
            assert not list(downloads.store.blobs.iterdir())


async def test_no_room_is_said_before_anything_is_fetched(hub: Hub, tmp_path: Path) -> None:
    facts = hub.facts()
    huge = facts.files[0].model_copy(update={"size": 1 << 60})
    async with manager(tmp_path, hub) as downloads:
        why = await downloads.ensure(facts.model_copy(update={"files": (huge,)}))
    assert why is not None
    assert why.code == "download_no_space"
    assert hub.requests == 0


async def test_offline_says_so_at_once_and_uses_what_is_there(hub: Hub, tmp_path: Path) -> None:
    async with manager(tmp_path, hub, offline=True) as downloads:
        why = await downloads.ensure(hub.facts())
        assert why is not None
        assert why.code == "download_offline"
        downloads.order((), (), access(hub))
        assert await downloads.ensure(hub.facts()) is None
        downloads.order((), (), access(hub, offline=True))
        assert await downloads.ensure(hub.facts()) is None


async def test_a_failed_order_waits_for_a_new_attempt(hub: Hub, tmp_path: Path) -> None:
    wanted = WantedModel(source="hf://org/repo", facts=hub.facts())
    hub.faults = [Fault("status", status=403)] * 3
    async with manager(tmp_path, hub) as downloads:
        downloads.order((wanted,), (), access(hub))
        failed = await seen(downloads, ModelState.FAILED)
        assert failed.reason is not None
        assert failed.reason.code == "download_refused"
        hub.faults = []
        downloads.order((wanted.model_copy(update={"attempt": 2}),), (), access(hub))
        await seen(downloads, ModelState.READY)


async def test_a_replica_downloads_its_files_then_serves(world: World, hub: Hub) -> None:
    facts = hub.facts().model_copy(update={"capabilities": ("chat",), "context_length": 4096})
    replica = world.replica(facts=facts)
    async with world.agent() as agent:
        await agent.sync(world.desired(replica).model_copy(update={"hub": access(hub)}))
        serving_ = await ready(agent, replica)
        assert "downloaded" in [mark.stage for mark in serving_.timeline]
        argv = world.folder(replica).plan()
        assert argv is not None
        assert str(world.config.models) in " ".join(argv.argv)
        stored = (await agent.report()).models
        assert [(model.state, model.facts) for model in stored] == [(ModelState.READY, facts)]
        await agent.sync(world.desired())
        await gone(agent, replica)
        assert len((await agent.report()).models) == 1  # the files stay


async def test_a_stop_order_ends_a_download_at_once(world: World) -> None:
    with serving(Hub({"model.gguf": content(2_000_000, 5)}, rate=200_000)) as hub:
        replica = world.replica(facts=hub.facts())
        async with world.agent() as agent:
            await agent.sync(world.desired(replica).model_copy(update={"hub": access(hub)}))
            moving = await seen_replica(agent, replica.id, lambda one: bool(one.download and one.download.done))
            assert moving.state is ReplicaState.DOWNLOADING
            await agent.sync(world.desired())
            await gone(agent, replica)


async def test_a_replica_goes_on_after_the_agent_restarts(world: World) -> None:
    with serving(Hub({"model.gguf": content(2_000_000, 5)}, rate=500_000)) as hub:
        replica = world.replica(facts=hub.facts())
        desired = world.desired(replica).model_copy(update={"hub": access(hub)})
        async with world.agent() as agent:
            await agent.sync(desired)
            await seen_replica(agent, replica.id, lambda one: bool(one.download and one.download.done > 300_000))
        hub.rate = None
        async with world.agent() as agent:
            await agent.sync(desired)
            await ready(agent, replica)
        assert hub.sent["model.gguf"] <= 2_000_000 + PIECE


async def test_a_refused_download_is_the_replicas_reason(world: World, hub: Hub) -> None:
    hub.faults = [Fault("status", status=403)] * 9
    replica = world.replica(facts=hub.facts())
    async with world.agent() as agent:
        await agent.sync(world.desired(replica).model_copy(update={"hub": access(hub)}))
        failed = await failing(agent, replica, "download_refused")
        assert failed.state is ReplicaState.FAILED
