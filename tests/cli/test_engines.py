"""Ending the engines that a stopped aiMindServe left running."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aimindserve.cli.engines import living_engines
from aimindserve.domain.nodes import EngineInstall
from aimindserve.node.ledger import LaunchPlan, Ledger
from aimindserve.node.processes import ProcessId, boot_id, identify, is_running


def ledger_of(process: ProcessId, boot: str) -> Ledger:
    """A ledger that says that this process is an engine."""
    install = EngineInstall(engine="llama.cpp", flavour="llama-server", version="1", path=sys.executable)
    plan = LaunchPlan(
        replica_id="r1", deployment_id="d1", engine="llama.cpp", generation=1, attempt=1, boot_id=boot,
        argv=("sleep",), install=install, alias="eye", host="127.0.0.1", port=1, wants_key=True, devices=(),
    )  # fmt: skip
    return Ledger(
        plan=plan, state="running", shim_pid=1, shim_start_time=1, pid=process.pid, start_time=process.start_time
    )


@pytest.fixture
def engine() -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs until it is told to end, in a group of its own."""
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    yield process
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    process.wait()


def write_ledger(data: Path, ledger: Ledger) -> None:
    """Put the ledger where the node keeps it."""
    folder = data / "replicas" / "r1"
    folder.mkdir(parents=True)
    (folder / "ledger.json").write_text(ledger.model_dump_json())


def identity(process: subprocess.Popen[bytes]) -> ProcessId:
    """Pid and start time."""
    found = identify(process.pid)
    assert found is not None
    return found


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    argv = [sys.executable, "-m", "aimindserve.cli.main", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def test_a_living_engine_is_ended(tmp_path: Path, engine: subprocess.Popen[bytes]) -> None:
    write_ledger(tmp_path, ledger_of(identity(engine), boot_id()))
    done = run("stop-engines", "--data-dir", str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "Stopped 1 engine(s).\n"), done.stderr
    assert engine.wait(30) != 0


def test_a_process_that_only_has_the_pid_is_left_alone(tmp_path: Path, engine: subprocess.Popen[bytes]) -> None:
    real = identity(engine)
    write_ledger(tmp_path, ledger_of(ProcessId(real.pid, real.start_time - 1), boot_id()))
    assert living_engines(tmp_path) == []
    assert run("stop-engines", "--data-dir", str(tmp_path)).stdout == "No engine is running.\n"
    assert is_running(real)


def test_an_engine_of_another_boot_is_left_alone(tmp_path: Path, engine: subprocess.Popen[bytes]) -> None:
    write_ledger(tmp_path, ledger_of(identity(engine), "another-boot"))
    assert living_engines(tmp_path) == []


def test_with_a_running_server_it_is_refused(tmp_path: Path, engine: subprocess.Popen[bytes]) -> None:
    write_ledger(tmp_path, ledger_of(identity(engine), boot_id()))
    lock = os.open(tmp_path / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    done = run("stop-engines", "--data-dir", str(tmp_path))
    os.close(lock)
    assert done.returncode == 1
    assert "aimindserve stop NAME" in done.stderr
    assert is_running(identity(engine))
