"""Environments as a node makes them by order, tells of them, and removes them."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.node.test_vllm_programs import checkpoint
from tests.node.world import PATIENCE, World, gone, ready, world
from tests.support.fake_engine import fake_llama_server
from tests.support.wheels import make_recipe

from aimindserve.domain.environments import (
    Environment,
    EnvironmentOrigin,
    EnvironmentState,
    Recipe,
    Variant,
    WantedEnvironment,
    program_key,
)
from aimindserve.domain.files import HubAccess
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.replicas import DesiredState
from aimindserve.node.agent import NodeAgent

__all__ = ["world"]

KEY = "vllm-9.9.9-cpu"
WANTED = WantedEnvironment(engine="vllm", version="9.9.9", variant=Variant.CPU)
# The installed program is the emulated engine.
ENGINE = (
    "import os, sys\ndef main():\n    if '--version' in sys.argv:\n        print('9.9.9')\n    else:\n"
    f"        os.execv({sys.executable!r}, [{sys.executable!r}, '-m', 'aimindserve.sim.fake_engine', *sys.argv[1:]])\n"
)


@pytest.fixture
def recipe(world: World, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """What the node finds for version 9.9.9; pip takes its packages from a folder."""
    index = world.root / "index"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PATH", os.defpath)
    made = make_recipe(index, code=ENGINE)
    unknown = reason(ReasonCode.ENVIRONMENT_UNKNOWN, engine="x", known="y")
    world.patient(find_recipe=lambda engine, version, variant: made if version == "9.9.9" else unknown)
    return made


def orders(world: World, *wanted: WantedEnvironment, drop: tuple[str, ...] = (), offline: bool = False) -> DesiredState:
    """The next desired state, with nothing but environments."""
    desired = world.desired()
    return desired.model_copy(update={"environments": wanted, "drop": drop, "hub": HubAccess(offline=offline)})


async def shown(agent: NodeAgent, key: str, fits: Callable[[Environment | None], bool]) -> Environment | None:
    """The environment once it is as wanted."""
    seen, last = 0, None
    async with asyncio.timeout(PATIENCE * 2):
        while True:
            report = await agent.report()
            last = next((one for one in report.environments if one.key == key), None)
            if fits(last):
                return last
            seen = await agent.wait_change(seen)


def is_in(*states: EnvironmentState) -> Callable[[Environment | None], bool]:
    return lambda one: one is not None and one.state in states


async def test_installed_used_and_removed(world: World, recipe: Recipe, tmp_path: Path) -> None:
    async with world.agent() as agent:
        await agent.sync(orders(world, WANTED))
        there = await shown(agent, KEY, is_in(EnvironmentState.READY, EnvironmentState.FAILED))
        assert there is not None
        assert there.reason is None, there.log
        assert (there.version, there.variant, there.origin) == ("9.9.9", "cpu", EnvironmentOrigin.INSTALLED)
        assert there.size
        assert [one.version for one in (await agent.report()).facts.engines if one.engine == "vllm"] == ["9.9.9"]

        facts = checkpoint(tmp_path / "model")
        replica = world.replica(engine="vllm", facts=facts, engine_version="9.9.9")
        await agent.sync(world.desired(replica).model_copy(update={"environments": (WANTED,)}))
        await ready(agent, replica)
        used = await shown(agent, KEY, lambda one: one is not None and bool(one.used_by))
        assert used is not None
        assert used.used_by == (replica.id,)
        await agent.sync(world.desired(replica).model_copy(update={"drop": (KEY,)}))
        assert await shown(agent, KEY, is_in(EnvironmentState.READY)), "it stays while a replica runs from it"

        await agent.sync(orders(world, drop=(KEY,)))
        await gone(agent, replica)
        assert await shown(agent, KEY, lambda one: one is None) is None
        assert not (world.config.engines / "vllm" / "9.9.9-cpu").exists()


async def test_an_order_that_is_gone_ends_the_work(world: World, recipe: Recipe) -> None:
    """And what pip does ends with it: its lock is free for the next try."""
    code = "import time\ndef main():\n    time.sleep(600)\n"
    world.patient(find_recipe=lambda *_: make_recipe(world.root / "index", code=code))
    async with world.agent() as agent:
        await agent.sync(orders(world, WANTED))
        await shown(agent, KEY, is_in(EnvironmentState.CHECKING))
        await agent.sync(orders(world))
        assert await shown(agent, KEY, lambda one: one is None) is None
    world.patient(find_recipe=lambda *_: make_recipe(world.root / "index", code=ENGINE))
    async with world.agent() as agent:
        await agent.sync(orders(world, WANTED))
        assert await shown(agent, KEY, is_in(EnvironmentState.READY))


async def test_what_fails_is_tried_again_when_asked(world: World, recipe: Recipe) -> None:
    whole = (world.root / "index" / recipe.wheels[0].name).read_bytes()
    (world.root / "index" / recipe.wheels[0].name).unlink()
    async with world.agent() as agent:
        await agent.sync(orders(world, WANTED))
        failed = await shown(agent, KEY, is_in(EnvironmentState.FAILED))
        assert failed is not None
        assert failed.reason is not None
        assert failed.reason.code is ReasonCode.WHEELS_NOT_FETCHED
        assert failed.log
        (world.root / "index" / recipe.wheels[0].name).write_bytes(whole)
        await agent.sync(orders(world, WANTED))
        assert is_in(EnvironmentState.FAILED)((await agent.report()).environments[-1]), "not by itself"
        await agent.sync(orders(world, WANTED.model_copy(update={"attempt": 2})))
        assert await shown(agent, KEY, is_in(EnvironmentState.READY))


@pytest.mark.parametrize("case", ["unknown", "offline"])
async def test_what_cannot_be_begun(world: World, recipe: Recipe, case: str) -> None:
    wanted = WANTED.model_copy(update={"version": "1"}) if case == "unknown" else WANTED
    async with world.agent() as agent:
        await agent.sync(orders(world, wanted, offline=case == "offline"))
        failed = await shown(agent, wanted.key, is_in(EnvironmentState.FAILED))
        assert failed is not None
        assert failed.reason is not None
        code = ReasonCode.ENVIRONMENT_UNKNOWN if case == "unknown" else ReasonCode.DOWNLOAD_OFFLINE
        assert failed.reason.code is code


async def test_a_registered_program_is_checked_and_used(world: World, recipe: Recipe) -> None:
    own = world.root / "own"
    own.mkdir()
    program = fake_llama_server(own)
    wanted = WantedEnvironment(engine="llama.cpp", program=str(program))
    async with world.agent() as agent:
        await agent.sync(orders(world, wanted))
        there = await shown(agent, program_key(str(program)), is_in(EnvironmentState.READY))
        assert there is not None
        assert there.origin is EnvironmentOrigin.REGISTERED
        assert str(program) in [one.path for one in (await agent.report()).facts.engines]
        await agent.sync(orders(world))
        assert await shown(agent, program_key(str(program)), lambda one: one is None) is None
    assert program.exists()


async def test_a_program_that_is_no_engine(world: World, recipe: Recipe) -> None:
    wanted = WantedEnvironment(engine="vllm", program="/bin/true")
    async with world.agent() as agent:
        await agent.sync(orders(world, wanted))
        failed = await shown(agent, program_key("/bin/true"), is_in(EnvironmentState.FAILED))
        assert failed is not None
        assert failed.reason is not None
        assert failed.reason.code is ReasonCode.PROGRAM_NOT_ENGINE
