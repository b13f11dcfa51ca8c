"""The supervisor: real processes, real signals."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from tests.cli.children import pids_in, settings_in

from aimindserve.cli.supervisor import (
    LONGEST_DELAY,
    SIGNALS,
    STEADY_AFTER,
    Child,
    Supervisor,
    children_of,
    hold_lock,
    open_log,
    restart_delay,
)

PATIENCE = 30.0

# argv: RUN_DIR PORT then pairs NAME=RECORD:MODE. Runs the real Supervisor over stand-ins.
RUNNER = """
import signal, sys
from pathlib import Path
from tests.cli.children import argv_of, settings_in
from aimindserve.cli.supervisor import SIGNALS, Child, Supervisor
signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
folder, port = Path(sys.argv[1]), int(sys.argv[2])
children = []
for word in sys.argv[3:]:
    name, _, rest = word.partition("=")
    record, _, mode = rest.rpartition(":")
    children.append(Child(name, argv_of(Path(record), mode)))
sys.exit(Supervisor(children, None).run(settings_in(folder, port)))
"""


def wait_until(ask: Callable[[], object], what: str) -> None:
    """Return once ``ask`` is true."""
    end = time.monotonic() + PATIENCE
    while not ask():
        assert time.monotonic() < end, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def supervise(tmp_path: Path, unused_port: int) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a supervisor over stand-ins: ``supervise(server="stay")``; all of them are gone afterwards."""
    started: list[subprocess.Popen[str]] = []

    def begin(**modes: str) -> subprocess.Popen[str]:
        words = [f"{name}={tmp_path / name}:{mode}" for name, mode in modes.items()]
        argv = [sys.executable, "-c", RUNNER, str(tmp_path), str(unused_port), *words]
        started.append(subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
    for record in (tmp_path / "server", tmp_path / "gateway"):
        for pid in pids_in(record):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    for process in started:
        process.wait(PATIENCE)


def test_delays_double_up_to_five_seconds() -> None:
    assert [restart_delay(n) for n in range(1, 5)] == [0.1, 0.2, 0.4, 0.8]
    assert restart_delay(30) == LONGEST_DELAY


def test_a_steady_life_forgets_earlier_failures() -> None:
    child = Child("server", [], started=100.0, failures=7)
    child.ended(100.0 + STEADY_AFTER)
    assert child.failures == 1
    child.started = 200.0
    child.ended(200.5)
    assert child.failures == 2
    assert child.due == 200.5 + restart_delay(2)


def test_settings_decide_the_children(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    one = children_of({"gateway_processes": 1, "host": "h", "port": 9}, file)
    three = children_of({"gateway_processes": 3, "host": "h", "port": 9}, file)
    assert [child.name for child in one] == ["server", "gateway"]
    assert [child.name for child in three] == ["server", "gateway-1", "gateway-2", "gateway-3"]
    assert one[0].argv == [sys.executable, "-m", "aimindserve.server", "--settings", str(file)]
    assert one[1].argv == [sys.executable, "-m", "aimindserve.gateway", "--settings", str(file)]
    assert [child.address for child in one] == [None, ("h", 9, False)]
    assert [child.address for child in three] == [None, *[("h", 9, True)] * 3]


def test_a_killed_child_comes_back_and_its_sibling_stays(
    supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    supervise(server="stay", gateway="stay")
    wait_until(lambda: pids_in(tmp_path / "server") and pids_in(tmp_path / "gateway"), "both started")
    os.kill(pids_in(tmp_path / "server")[0], signal.SIGKILL)
    wait_until(lambda: len(pids_in(tmp_path / "server")) == 2, "the server is back")
    assert alive(pids_in(tmp_path / "server")[1])
    assert len(pids_in(tmp_path / "gateway")) == 1
    assert alive(pids_in(tmp_path / "gateway")[0])


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_the_children_and_then_the_supervisor(
    supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path, asked: signal.Signals
) -> None:
    supervisor = supervise(server="stay", gateway="stay")
    wait_until(lambda: pids_in(tmp_path / "server") and pids_in(tmp_path / "gateway"), "both started")
    supervisor.send_signal(asked)
    assert supervisor.wait(PATIENCE) == 0
    assert not alive(pids_in(tmp_path / "server")[0])
    assert not alive(pids_in(tmp_path / "gateway")[0])


def test_new_settings_renew_the_server_alone(supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    supervisor = supervise(server="stay", gateway="stay")
    wait_until(lambda: pids_in(tmp_path / "server") and pids_in(tmp_path / "gateway"), "both started")
    supervisor.send_signal(signal.SIGUSR1)
    wait_until(lambda: len(pids_in(tmp_path / "server")) == 2, "the server was renewed")
    wait_until(lambda: not alive(pids_in(tmp_path / "server")[0]), "the old one has ended")
    assert len(pids_in(tmp_path / "gateway")) == 1
    assert alive(pids_in(tmp_path / "gateway")[0])
    assert supervisor.poll() is None


@pytest.mark.parametrize("moment", [0.0, 0.03, 0.06, 0.1, 0.2, 0.4])
def test_a_killed_supervisor_leaves_no_child_however_early(
    supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path, moment: float
) -> None:
    """From the first instant of a child's life, its interpreter's start included."""
    supervisor = supervise(server="stay", gateway="stay")
    wait_until(lambda: _children_named(tmp_path) or (tmp_path / "server").exists(), "a child was made")
    time.sleep(moment)
    supervisor.kill()
    supervisor.wait(PATIENCE)
    wait_until(lambda: not _children_named(tmp_path), "every child has ended")


def _children_named(folder: Path) -> list[int]:
    """Living processes that were told to write into ``folder``, but no supervisor."""
    found: list[int] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if str(folder / "server") in words or str(folder / "gateway") in words:
                found.append(process.pid)
    return found


def test_a_second_signal_kills_what_ignores_the_first(
    supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    supervisor = supervise(server="stubborn", gateway="stay")
    wait_until(lambda: pids_in(tmp_path / "server") and pids_in(tmp_path / "gateway"), "both started")
    supervisor.send_signal(signal.SIGTERM)
    wait_until(lambda: not alive(pids_in(tmp_path / "gateway")[0]), "the gateway obeyed")
    assert supervisor.poll() is None
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(PATIENCE) == 0
    assert not alive(pids_in(tmp_path / "server")[0])


def test_a_crashing_child_is_started_again_and_again_with_pauses(
    supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    supervisor = supervise(server="3", gateway="stay")
    wait_until(lambda: len(pids_in(tmp_path / "server")) >= 4, "three restarts")
    supervisor.terminate()
    told = supervisor.communicate(timeout=PATIENCE)[1]
    assert "server ended (exit code 3); starting it again in 0.1 s" in told
    assert "starting it again in 0.4 s" in told


def test_a_child_that_cannot_work_ends_the_start(
    supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    supervisor = supervise(server="78", gateway="stay")
    assert supervisor.wait(PATIENCE) == 1
    assert len(pids_in(tmp_path / "server")) == 1
    assert "server cannot run like this" in (supervisor.stderr.read() if supervisor.stderr else "")


def test_what_a_child_said_before_it_gave_up_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], unused_port: int
) -> None:
    """On a terminal children write to log files; the reason must still reach the person."""
    argv = [sys.executable, "-c", "import sys; print('the disk is on fire'); sys.exit(78)"]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        code = Supervisor([Child("server", argv)], tmp_path / "logs").run(settings_in(tmp_path, unused_port))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    assert code == 1
    assert "the disk is on fire" in capsys.readouterr().err


def test_a_reader_that_left_stops_nobody(supervise: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    supervisor = supervise(server="3", gateway="stay")
    assert supervisor.stderr is not None
    supervisor.stderr.close()
    wait_until(lambda: len(pids_in(tmp_path / "server")) >= 3, "it goes on restarting")
    assert supervisor.poll() is None


def test_only_one_supervisor_for_each_folder(tmp_path: Path) -> None:
    held = hold_lock(tmp_path)
    assert held is not None
    assert hold_lock(tmp_path) is None
    assert (tmp_path / "supervisor.lock").read_text().strip() == str(os.getpid())
    os.close(held)
    again = hold_lock(tmp_path)
    assert again is not None
    os.close(again)


def test_logs_are_private_and_an_oversized_one_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aimindserve.cli.logfiles.LOG_LIMIT", 8)
    path = tmp_path / "logs" / "server.log"
    for text in (b"a long first life\n", b"second\n"):
        descriptor = open_log(path)
        os.write(descriptor, text)
        os.close(descriptor)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == b"second\n"
    assert (tmp_path / "logs" / "server.log.1").read_bytes() == b"a long first life\n"
