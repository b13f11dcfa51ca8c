"""Keeps the server and the gateways running: the process that ``aimindserve start`` becomes.

Standard library only, one thread, one blocking wait: it stays near 10 MB for months. It decides nothing about
models; engines are detached from it and outlive it. Signals are blocked and taken one by one from
:func:`signal.sigtimedwait`, so no handler ever interrupts a half-made change.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TextIO

from aimindserve.cli.logfiles import open_log, rotate
from aimindserve.cli.readiness import ask_ready, banner
from aimindserve.domain.paths import supervisor_lock
from aimindserve.gateway.listening import PortUnusableError, listen

SIGNALS = frozenset({signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2})
FIRST_DELAY, LONGEST_DELAY = 0.1, 5.0  # seconds between a child's end and its restart
STEADY_AFTER = 10.0  # a child that lived this long starts again without delay history
GRACE = 15.0  # seconds from TERM to KILL: a gateway may be ending streams
READY_POLL = 0.05
LAST_WORDS = 2000  # bytes of a log that are shown when a child gives up
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None, use_errno=True)
EX_CONFIG = 78  # sysexits.h: the child said why it cannot work; a restart would not help


def restart_delay(failures: int) -> float:
    """Seconds to wait before the next start after ``failures`` quick ends in a row (0.1, 0.2, … 5)."""
    return min(LONGEST_DELAY, FIRST_DELAY * 2 ** max(0, failures - 1))


@dataclass
class Child:
    """One process to keep alive. ``due`` is the monotonic time of its next start while it is down. ``address``: host,
    port and whether others share it; the socket there is ours, so that no connection is lost while the child is down,
    or while another one takes its place."""

    name: str
    argv: list[str]
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started: float = 0.0
    due: float | None = field(default=0.0)
    address: tuple[str, int, bool] | None = None
    listener: socket.socket | None = None

    def ended(self, now: float) -> None:
        """Note its end and plan the next start; a steady life forgets earlier failures."""
        self.process = None
        self.failures = 1 if now - self.started >= STEADY_AFTER else self.failures + 1
        self.due = now + restart_delay(self.failures)


def children_of(settings: Mapping[str, Any], settings_file: Path) -> list[Child]:
    """The processes that these settings ask for: one server, ``gateway_processes`` gateways."""
    python = [sys.executable, "-m"]
    tail = ["--settings", str(settings_file)]
    gateways = int(settings.get("gateway_processes", 1))
    names = ["gateway"] if gateways == 1 else [f"gateway-{number}" for number in range(1, gateways + 1)]
    address = (str(settings["host"]), int(settings["port"]), gateways > 1)
    return [
        Child("server", [*python, "aimindserve.server", *tail]),
        *(Child(name, [*python, "aimindserve.gateway", *tail], address=address) for name in names),
    ]


class Supervisor:
    """Starts, watches, restarts and stops the children. ``log_dir`` None: they write to our own stderr.
    USR1 says that the settings were written anew; so does HUP, unless ``hangup_stops``: it is the end of a terminal.
    USR2 says that settings of the gateways were among them. ``leaving``: gateways that others have taken over from."""

    def __init__(self, children: list[Child], log_dir: Path | None, *, hangup_stops: bool = True) -> None:
        self.children = children
        self.log_dir = log_dir
        self.hangup_stops = hangup_stops
        self.gave_up = False
        self.leaving: list[subprocess.Popen[bytes]] = []

    def start_due(self, now: float) -> None:
        """Start every child whose time has come."""
        for child in self.children:
            if child.process is None and child.due is not None and child.due <= now:
                child.started, child.due = now, None
                try:
                    child.process = self._spawn(child)
                except PortUnusableError as error:
                    child.ended(now)
                    report(f"{error}\n  trying again in {(child.due or now) - now:.1f} s")

    def _spawn(self, child: Child) -> subprocess.Popen[bytes]:
        """Start one child in its own process group, so that a terminal's Ctrl-C reaches only us."""
        if child.address is not None and child.listener is None:
            host, port, shared = child.address
            child.listener = listen(host, port, shared=shared)
        listener = () if child.listener is None else (child.listener.fileno(),)
        output = open_log(self.log_dir / f"{child.name}.log") if self.log_dir else None
        try:
            return subprocess.Popen(
                [*child.argv, *(f"--listener={descriptor}" for descriptor in listener)],
                pass_fds=listener,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
                preexec_fn=partial(_prepare_child, os.getpid()),  # noqa: PLW1509 (this process has one thread)
            )
        finally:
            if output is not None:
                os.close(output)

    def reap(self, now: float) -> None:
        """Take note of every child that ended."""
        self.leaving = [process for process in self.leaving if process.poll() is None]
        for child in self.children:
            code = child.process.poll() if child.process else None
            if code is None:
                continue
            child.ended(now)
            self.gave_up = self.gave_up or code == EX_CONFIG
            if code == EX_CONFIG:
                report(f"{child.name} cannot run like this:\n{self._last_words(child)}")
            else:
                delay = (child.due or now) - now
                report(f"{child.name} ended ({_how(code)}); starting it again in {delay:.1f} s")

    def _last_words(self, child: Child) -> str:
        """The end of a child's log; where it writes to our own stderr, the person has read it already."""
        if self.log_dir is None:
            return "  see its message above"
        with (self.log_dir / f"{child.name}.log").open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - LAST_WORDS))
            return log.read().decode(errors="replace").strip()

    def renew_server(self) -> None:
        """End the management server, which is started again at once, with the settings as they are now. Gateways and
        engines go on."""
        for child in self.children:
            if child.process is not None and child.name == "server":
                child.failures, child.started = 0, time.monotonic() - STEADY_AFTER
                child.process.terminate()

    def renew_gateways(self) -> None:
        """Start gateways with the settings as they are now, on the same sockets. The old ones take no new connections
        and end when those that they have are over."""
        for child in self.children:
            if child.process is not None and child.listener is not None:
                child.process.send_signal(signal.SIGUSR1)
                self.leaving.append(child.process)
                child.process, child.failures, child.due = None, 0, 0.0

    def rotate_logs(self) -> None:
        """Put aside what has grown too long; a full disk is no reason to stop serving."""
        for child in self.children if self.log_dir else ():
            with contextlib.suppress(OSError):
                rotate((self.log_dir or Path()) / f"{child.name}.log")

    def next_start(self) -> float | None:
        """Monotonic time of the next planned start, or None."""
        return min((child.due for child in self.children if child.due is not None), default=None)

    def stop(self) -> None:
        """TERM to all, KILL to what is left after the grace; a second TERM or INT shortens the grace."""
        running = [*self.leaving, *(child.process for child in self.children if child.process)]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + GRACE
        while any(process.poll() is None for process in running):
            left = deadline - time.monotonic()
            got = signal.sigtimedwait(SIGNALS, max(0.0, left))
            if left <= 0 or (got is not None and got.si_signo in {signal.SIGTERM, signal.SIGINT}):
                break
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()

    def run(self, settings: Mapping[str, Any]) -> int:
        """Supervise until a signal asks to stop; the exit code of the program."""
        ready = False
        while not self.gave_up:
            now = time.monotonic()
            self.start_due(now)
            if not ready and ask_ready(settings):
                ready = True
                tell(sys.stdout, banner(settings))
            got = signal.sigtimedwait(SIGNALS, self._patience(now, ready))
            number = got.si_signo if got is not None else 0
            if number == signal.SIGUSR2:
                self.renew_gateways()
                self.renew_server()
            elif number == signal.SIGUSR1 or (number == signal.SIGHUP and not self.hangup_stops):
                self.renew_server()
            elif number in {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}:
                break
            self.reap(time.monotonic())
            self.rotate_logs()
        self.stop()
        return 1 if self.gave_up else 0

    def _patience(self, now: float, ready: bool) -> float:
        """How long to sleep: until the next start, the next look at readiness, or an hour."""
        due = self.next_start()
        until_start = 3600.0 if due is None else max(0.0, due - now)
        return until_start if ready else min(READY_POLL, until_start)


def _prepare_child(supervisor: int) -> None:
    """In the child, before exec: take back the blocked signals, and have the kernel end it when ``supervisor`` dies,
    however it dies. Done here, and not by the child itself, so that there is no moment without it."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != supervisor:
        os._exit(1)


def _how(code: int) -> str:
    """An exit code in words."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def tell(stream: TextIO, text: str) -> None:
    """Print; a reader that has gone (a closed pipe or terminal) is no reason to stop serving."""
    with contextlib.suppress(OSError):
        print(text, file=stream, flush=True)


def report(text: str) -> None:
    """One line for the person or the journal."""
    tell(sys.stderr, f"aimindserve: {text}")


def has_terminal() -> bool:
    """Whether this process belongs to a terminal, whose end it then shares."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def hold_lock(run_dir: Path) -> int | None:
    """Take this folder's supervisor lock for as long as the process lives; None when another one holds it."""
    descriptor = os.open(
        supervisor_lock(PurePosixPath(run_dir)), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
    )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def main(argv: list[str]) -> int:
    """``python -m aimindserve.cli.supervisor <run>/settings.json``."""
    settings_file = Path(argv[0])
    settings = json.loads(settings_file.read_text())
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # started under nohup: a closed terminal is no reason
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    if hold_lock(settings_file.parent) is None:
        report("another start was faster: aiMindServe is already running for this data folder")
        return 1
    log_dir = Path(settings["data_dir"]) / "logs" if sys.stderr.isatty() else None
    children = children_of(settings, settings_file)
    return Supervisor(children, log_dir, hangup_stops=has_terminal()).run(settings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
