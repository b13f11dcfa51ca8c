"""What can go wrong with a start ends in a reason, and goes on by itself where that helps."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.node.world import World, alive, engines_of, failing, gone, kill_pid, ready, seen, until, world

from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.replicas import Claim, ReplicaObservation, ReplicaState
from aimindserve.node.locks import LockBusyError, device_lock, release, take

__all__ = ["world"]


@pytest.mark.parametrize(
    ("fault", "code", "state"),
    [
        ("oom", ReasonCode.START_MEMORY_SHORT, ReplicaState.FAILED),
        ("corrupt", ReasonCode.GGUF_CORRUPT, ReplicaState.FAILED),
        ("architecture", ReasonCode.ARCHITECTURE_NOT_SUPPORTED, ReplicaState.FAILED),
        ("mismatch", ReasonCode.PROJECTOR_MISMATCH, ReplicaState.FAILED),
        ("illegal", ReasonCode.ENGINE_ILLEGAL_INSTRUCTION, ReplicaState.FAILED),
        ("argument", ReasonCode.ENGINE_REFUSED_PARAMETER, ReplicaState.FAILED),
    ],
)
async def test_what_the_log_says(world: World, fault: str, code: ReasonCode, state: ReplicaState) -> None:
    world.engine("--fake-fail-start", fault)
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        down = await failing(agent, replica, code)
        assert down.state is state
        log = await agent.read_log(replica.id, 0, 0)
        assert log is not None
        assert down.evidence
        assert all(line in log.text for line in down.evidence)
        await agent.sync(world.desired())
        await gone(agent, replica)


async def test_what_cannot_get_better_is_not_tried_again_even_by_a_new_agent(world: World) -> None:
    world.engine("--fake-fail-start", "corrupt")
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        await failing(agent, replica, ReasonCode.GGUF_CORRUPT)
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        still = await seen(agent, replica.id, lambda o: o.state is ReplicaState.FAILED)
        assert still.attempt == 1


async def test_a_taken_port_is_left_for_another(world: World) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            free = probe.getsockname()[1]
        ports = iter([taken, taken, free])
        world.patient(choose_port=lambda: next(ports))
        replica = world.replica()
        async with world.agent() as agent:
            await agent.sync(world.desired(replica))
            serving = await ready(agent, replica)
            assert serving.port == free
            assert (serving.attempt, serving.restarts) == (1, 0)


async def test_ports_that_are_always_taken_end_in_the_reason(world: World) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        world.patient(choose_port=lambda: taken, port_attempts=2)
        replica = world.replica()
        async with world.agent() as agent:
            await agent.sync(world.desired(replica))
            down = await failing(agent, replica, ReasonCode.PORT_TAKEN)
            assert down.reason is not None
            assert down.reason.params == {"port": taken}


async def test_a_vanished_model_file_and_its_return(world: World) -> None:
    replica = world.replica()
    path = world.facts.files[0].path
    shutil.move(path, f"{path}.away")
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        down = await failing(agent, replica, ReasonCode.SOURCE_NOT_FOUND)
        assert down.restarts == 0
        shutil.move(f"{path}.away", path)
        serving = await ready(agent, replica)
        assert serving.reason is None


async def test_a_changed_model_file(world: World) -> None:
    replica = world.replica()
    os.truncate(world.facts.files[1].path, 1)
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        await failing(agent, replica, ReasonCode.FILE_CHANGED)


async def test_a_missing_program(world: World) -> None:
    world.patient(llama_server="/nonexistent/llama-server")
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        await failing(agent, replica, ReasonCode.ENGINE_PROGRAM_MISSING)
        assert (await agent.report()).facts.engines == ()


async def test_a_refused_parameter_starts_nothing(world: World) -> None:
    replica = world.replica(parameters=("--prot=5", "--rpc=host:1"))
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        down = await failing(agent, replica, ReasonCode.PARAMETER_UNKNOWN)
        assert down.state is ReplicaState.FAILED
        assert engines_of(replica.id) == []


async def test_the_reason_stays_until_the_next_success(world: World) -> None:
    world.engine("--fake-fail-start", "load", "--fake-fail-times", "1", "--fake-state", str(world.root / "state"))
    world.patient(backoff_first=0.2)
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        await failing(agent, replica, ReasonCode.ENGINE_LOAD_FAILED)
        again = await seen(agent, replica.id, lambda o: o.state is ReplicaState.STARTING)
        assert again.reason is not None
        assert again.reason.code == ReasonCode.ENGINE_LOAD_FAILED
        assert (await ready(agent, replica)).reason is None


async def test_an_exclusive_device_has_one_owner_even_over_a_restart(world: World) -> None:
    claim = (Claim(device_id="GPU-1", bytes=1, exclusive=True),)
    first, second = world.replica(claims=claim), world.replica(claims=claim)
    async with world.agent() as agent:
        await agent.sync(world.desired(first))
        holder = await ready(agent, first)
    path = device_lock(world.config.locks, "GPU-1")
    with pytest.raises(LockBusyError):
        take(path, exclusive=True)
    async with world.agent() as agent:
        await agent.sync(world.desired(first, second))
        blocked = await failing(agent, second, ReasonCode.DEVICE_BUSY)
        assert blocked.reason is not None
        assert blocked.reason.params == {"device": "GPU-1"}
        assert engines_of(second.id) == []
        await agent.sync(world.desired(second))
        successor = await ready(agent, second)
        assert successor.pid != holder.pid
        assert engines_of(first.id) == []


async def test_children_of_an_engine_whose_shim_is_gone_do_not_block_the_next(world: World) -> None:
    world.engine("--fake-child", "ignores-term")
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        first = await ready(agent, replica)
        await until("the child is there", lambda: len(engines_of(replica.id)) >= 2)
        old = set(engines_of(replica.id))
        ledger = world.folder(replica).ledger()
        assert ledger is not None
        kill_pid(ledger.shim_pid)
        await until("the shim is gone", lambda: not alive(ledger.shim_pid))
        kill_pid(first.pid)
        again = await seen(agent, replica.id, lambda o: o.state is ReplicaState.READY and o.pid != first.pid)
        assert again.restarts == 1
        assert old.isdisjoint(engines_of(replica.id))


async def test_waiting_for_a_device_counts_no_attempts(world: World) -> None:
    held = take(device_lock(world.config.locks, "GPU-1"), exclusive=True)
    replica = world.replica(claims=(Claim(device_id="GPU-1", bytes=1, exclusive=True),))
    retries: set[float] = set()

    def note(now: ReplicaObservation) -> bool:
        retries.add(now.retry_at or 0.0)
        return len(retries) >= 5

    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        await seen(agent, replica.id, note)
        release([held])
        serving = await ready(agent, replica)
        assert (serving.attempt, serving.restarts) == (1, 0)


async def test_shared_claims_share_and_keep_exclusive_ones_out(world: World) -> None:
    def claim(exclusive: bool) -> tuple[Claim, ...]:
        return (Claim(device_id="GPU-1", bytes=1, exclusive=exclusive),)

    one, two, alone = (world.replica(claims=claim(exclusive)) for exclusive in (False, False, True))
    async with world.agent() as agent:
        await agent.sync(world.desired(one, two))
        await ready(agent, one)
        await ready(agent, two)
        await agent.sync(world.desired(one, two, alone))
        await failing(agent, alone, ReasonCode.DEVICE_BUSY)


@pytest.fixture
def small_disk(world: World) -> Iterator[Path]:
    """The replicas' folder on a file system of 256 KiB that is nearly full."""
    folder = world.config.replicas
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    world.clear()
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(folder: Path) -> Path:
    filler = folder / ".filler"
    fd = os.open(filler, os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError, match="No space"):
        _write_without_end(fd)
    os.close(fd)
    return filler


def _write_without_end(fd: int) -> None:
    while True:
        os.write(fd, b"x" * 4096)


async def test_a_full_disk_and_its_relief(world: World, small_disk: Path) -> None:
    filler = _fill(small_disk)
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        await failing(agent, replica, ReasonCode.DISK_FULL)
        assert engines_of(replica.id) == []
        filler.unlink()
        await ready(agent, replica)
        filler = _fill(small_disk)
        await agent.sync(world.desired())
        await gone(agent, replica)
    assert engines_of(replica.id) == []
