"""The keeper of one engine process, on its own."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.node.world import alive

from aimindserve.domain.nodes import EngineInstall
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.node import launch as launching
from aimindserve.node.launch import spawn
from aimindserve.node.ledger import LaunchPlan, Ledger, living_engine, read_ledger
from aimindserve.node.locks import is_free, release, take
from aimindserve.node.processes import REPLICA_VARIABLE, ProcessId, boot_id, identify, kill, processes_of

PATIENCE = 30.0


class Bench:
    """A folder in which a shim can be started."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.replica_id = f"s-{uuid.uuid4().hex[:12]}"
        self.ledger_path, self.log, self.lock = root / "ledger.json", root / "engine.log", root / "lock"
        self.plan = LaunchPlan(
            replica_id=self.replica_id,
            deployment_id="d",
            generation=1,
            attempt=1,
            boot_id=boot_id(),
            engine="llama.cpp",
            argv=('a "quoted"', "näme"),
            install=EngineInstall(engine="llama.cpp", flavour="llama-server", version="1", path="/bin/sh"),
            alias="m",
            host="127.0.0.1",
            port=1,
            wants_key=True,
            devices=(),
        )
        (root / "plan.json").write_text(self.plan.model_dump_json())

    def spawn(self, *argv: str) -> ProcessId | Reason:
        """Start ``argv`` under a shim that holds the lock."""
        held = take(self.lock, exclusive=True)
        try:
            return spawn(
                ledger=self.ledger_path,
                plan=self.root / "plan.json",
                log=self.log,
                argv=argv,
                environment={"PATH": os.environ["PATH"], REPLICA_VARIABLE: self.replica_id},
                locks=[held],
            )
        finally:
            release([held])

    def shell(self, script: str) -> ProcessId:
        """Start a shell script under a shim."""
        started = self.spawn("/bin/sh", "-c", script)
        assert isinstance(started, ProcessId)
        return started

    def ended(self) -> Ledger:
        """The ledger once it says how the engine ended."""
        self.until(lambda: (found := read_ledger(self.ledger_path)) is not None and found.state == "ended")
        found = read_ledger(self.ledger_path)
        assert found is not None
        return found

    def until(self, ask: Any) -> None:
        """Wait for a condition."""
        end = time.monotonic() + PATIENCE
        while not ask():
            assert time.monotonic() < end
            time.sleep(0.01)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    for process in processes_of(made.replica_id):
        kill(process)


@pytest.mark.parametrize(
    ("script", "code", "number"),
    [("exit 0", 0, None), ("exit 3", 3, None), ("kill -SEGV $$", None, 11), ("kill -KILL $$", None, 9)],
)
def test_how_it_ended_is_written_down(bench: Bench, script: str, code: int | None, number: int | None) -> None:
    bench.shell(script)
    ledger = bench.ended()
    assert (ledger.exit_code, ledger.signal, ledger.pid) == (code, number, None)
    assert ledger.plan == bench.plan
    assert ledger.ended_at is not None
    assert ledger.ended_at >= ledger.started_at


def test_the_ledger_names_the_engine_before_it_runs(bench: Bench) -> None:
    """The engine itself reads its pid from the ledger, so the record was there when it began."""
    started = bench.shell(f"cat {bench.ledger_path}; exec sleep 1000")
    bench.until(lambda: bench.log.stat().st_size > 0)
    bench.until(lambda: bench.log.read_text().endswith("}\n"))
    seen = json.loads(bench.log.read_text())
    assert (seen["state"], seen["pid"], seen["start_time"]) == ("running", started.pid, started.start_time)
    assert bench.ledger_path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in bench.root.glob("ledger.json.*")] == []


def test_engine_and_shim_live_apart_from_their_starter(bench: Bench) -> None:
    started = bench.shell("exec sleep 1000")
    ledger = read_ledger(bench.ledger_path)
    assert ledger is not None
    assert os.getsid(started.pid) == os.getpgid(started.pid) == started.pid
    assert os.getsid(ledger.shim_pid) not in {os.getsid(0), started.pid}
    assert living_engine(ledger, boot_id()) == started


def test_the_engine_is_free_of_the_shim_s_signal_settings(bench: Bench) -> None:
    bench.shell(f"grep -E 'Sig(Ign|Blk|Cgt)' /proc/self/status > {bench.root}/signals")
    bench.ended()
    masks = dict(line.split(":\t") for line in (bench.root / "signals").read_text().splitlines())
    for number in (signal.SIGPIPE, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        assert not int(masks["SigIgn"], 16) >> (number - 1) & 1


def test_the_engine_writes_private_files_and_no_core_dump(bench: Bench) -> None:
    bench.shell(f"ulimit -c > {bench.root}/made; exit 0")
    bench.ended()
    assert (bench.root / "made").read_text() == "0\n"
    assert (bench.root / "made").stat().st_mode & 0o777 == 0o600


def test_the_rest_of_the_group_ends_with_its_leader(bench: Bench) -> None:
    bench.shell("trap '' TERM; sleep 1000 & sleep 1000 & exit 1")
    bench.ended()
    bench.until(lambda: processes_of(bench.replica_id) == [])


def test_the_lock_is_held_until_the_last_process_is_gone(bench: Bench) -> None:
    started = bench.shell("exec sleep 1000")
    ledger = read_ledger(bench.ledger_path)
    assert ledger is not None
    assert not is_free(bench.lock)
    os.kill(ledger.shim_pid, signal.SIGKILL)
    bench.until(lambda: not alive(ledger.shim_pid))
    assert alive(started.pid), "the engine outlives its shim"
    assert not is_free(bench.lock)
    kill(started)
    bench.until(lambda: is_free(bench.lock))


def test_orders_for_everybody_do_not_end_the_shim(bench: Bench) -> None:
    bench.shell("trap '' TERM; sleep 0.3; exit 7")
    ledger = read_ledger(bench.ledger_path)
    assert ledger is not None
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(ledger.shim_pid, number)
    assert bench.ended().exit_code == 7


@pytest.mark.parametrize("program", ["/nonexistent/program", "/etc"])
def test_a_program_that_cannot_be_started(bench: Bench, program: str) -> None:
    refused = bench.spawn(program)
    assert isinstance(refused, Reason)
    assert (refused.code, refused.params) == (ReasonCode.ENGINE_PROGRAM_MISSING, {"path": program})
    assert bench.ended().error in {2, 13}
    bench.until(lambda: is_free(bench.lock))


def test_no_ledger_no_engine(bench: Bench) -> None:
    bench.ledger_path.mkdir()
    witness = bench.root / "witness"
    refused = bench.spawn("/bin/sh", "-c", f"touch {witness}")
    assert isinstance(refused, Reason)
    assert refused.code == ReasonCode.ENGINE_LOAD_FAILED
    bench.until(lambda: is_free(bench.lock))
    assert not witness.exists()


def test_a_shim_killed_at_any_moment_leaves_no_unrecorded_engine(bench: Bench) -> None:
    """Kill the shim after a random time: either no engine runs, or the ledger names the one that does."""
    chance = random.Random(7)
    outcomes = {True: 0, False: 0}
    for _ in range(25):
        read_end, write_end = os.pipe()
        arguments = [bench.ledger_path, bench.root / "plan.json", bench.log, write_end, "--", "sleep", "1000"]
        shim = Path(launching.__file__).with_name("shim.py")
        first = subprocess.Popen(
            [sys.executable, "-I", "-S", str(shim), *map(str, arguments)],
            pass_fds=[write_end],
            env={"PATH": os.environ["PATH"], REPLICA_VARIABLE: bench.replica_id},
            start_new_session=True,
        )
        os.close(write_end)
        first.wait()
        time.sleep(chance.uniform(0, 0.012))
        for process in _shims(bench.replica_id):
            kill(process)
        with os.fdopen(read_end, "rb") as answer:
            answer.read()
        bench.until(lambda: not _gated(bench.replica_id))
        engines = processes_of(bench.replica_id)
        ledger = read_ledger(bench.ledger_path)
        named = living_engine(ledger, boot_id()) if ledger else None
        assert engines == ([named] if named else [])
        outcomes[named is not None] += 1
        for process in engines:
            kill(process)
        bench.until(lambda: processes_of(bench.replica_id) == [])
        bench.ledger_path.unlink(missing_ok=True)
    print("with an engine, without:", outcomes)


def _shims(replica_id: str) -> list[ProcessId]:
    """The shim, and not the child that waits at its gate (which looks the same until it becomes the engine)."""
    shims = [p for p in processes_of(replica_id) if b"shim.py" in _command(p.pid)]
    parents = {_parent(p.pid) for p in shims}
    return [p for p in shims if p.pid in parents] or shims


def _gated(replica_id: str) -> bool:
    return any(b"shim.py" in _command(process.pid) for process in processes_of(replica_id))


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_it_is_small(bench: Bench) -> None:
    """Memory that a shim adds to the machine: what it does not share with others, 4 MB at most."""
    bench.shell("exec sleep 1000")
    ledger = read_ledger(bench.ledger_path)
    assert ledger is not None
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{ledger.shim_pid}/smaps_rollup").read_text().splitlines()[1:]
    )
    private = sum(int(fields[name].split()[0]) for name in ("Private_Clean", "Private_Dirty"))
    print(f"shim: {private} KiB private, {fields['Pss'].split()[0]} KiB proportional")
    assert private <= 4096
    assert identify(ledger.shim_pid) == ledger.shim
