"""Runs of the load client against targets, and what is read off: one ``Run`` for each."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.gateway.machines import Target
from bench.gateway.targets import KEY, KINDS

CONNECTIONS = 10_000  # open and idle in the case "crowd"


@dataclass(frozen=True)
class Case:
    """What one round asks of each target: arguments of the load client. ``unit``: what costs are told of."""

    arguments: tuple[str, ...]
    unit: str = "request"
    slow_too: bool = False
    """Whether it ends within seconds at 20 ms a request."""


def _streams(count: int, gap_us: int) -> tuple[str, ...]:
    # Of as many chunks as the engine sends by itself: sglang-router renames ``max_tokens``.
    return ("-c", str(count), "-n", str(max(count, 128)), "--stream", "--gap_us", str(gap_us))


CASES = {
    "rps64": Case(("-c", "64", "-d", "2"), slow_too=True),
    "lat1": Case(("-c", "1", "-d", "1"), slow_too=True),
    "stream64": Case(_streams(64, 10_000), "chunk"),
    "stream64slow": Case(_streams(64, 40_000), "chunk", slow_too=True),
    "stream256": Case(_streams(256, 25_000), "chunk"),
    "stream1000": Case(_streams(1000, 100_000), "chunk"),
    "img1": Case(("-c", "2", "-n", "40", "--image_mb", "1"), slow_too=True),
    "img16": Case(("-c", "2", "-n", "8", "--image_mb", "16"), slow_too=True),
    "img16x16": Case(("-c", "16", "-n", "16", "--image_mb", "16")),
    "crowd": Case(("-c", "1", "-d", "3")),
}
WARM_UP = (("-c", "8", "-d", "1"), ("-c", "8", "-n", "16", "--stream", "--gap_us", "1000"))


@dataclass(frozen=True)
class Run:
    """One run. ``us``: microseconds of processor time for each unit; ``peak``: the most bytes of memory meanwhile;
    ``p50``, ``p99``: of a request, µs; ``lost``: chunks that never came; ``load``: of the machine."""

    target: str
    case: str
    round: int
    us: float
    units: int
    errors: int
    lost: int
    p50: float
    p99: float
    peak: int
    started: float
    idle: int
    load: float


class Bench:
    """``folder`` has the compiled load client; it runs on ``core``."""

    def __init__(self, folder: Path, core: int) -> None:
        self._folder = folder
        self._core = core

    def load(self, target: Target, arguments: tuple[str, ...]) -> dict[str, object]:
        """One run of the load client: what it saw."""
        headers = [one for header in KINDS[target.name].headers for one in ("--header", header)]
        argv = ["taskset", "-c", str(self._core), str(self._folder / "load"), "--port", str(target.port), "--key", KEY]
        done = subprocess.run([*argv, *arguments, *headers], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def run(self, target: Target, name: str, number: int) -> Run:
        """One case of one round."""
        if name == "crowd":
            with _crowd(target):
                return self._run(target, name, number)
        return self._run(target, name, number)

    def _run(self, target: Target, name: str, number: int) -> Run:
        case = CASES[name]
        target.forget_peak()
        before = target.cpu_seconds()
        seen = self.load(target, case.arguments)
        spent = target.cpu_seconds() - before
        units = int(str(seen["toks" if case.unit == "chunk" else "ok"]))
        times = seen.get("lat_us") or {}
        assert isinstance(times, dict)
        return Run(
            target.name,
            name,
            number,
            spent / max(1, units) * 1e6,
            units,
            int(str(seen["err"])),
            int(str(seen["incomplete"])),
            float(times.get("p50", 0)),
            float(times.get("p99", 0)),
            target.resident("VmHWM"),
            target.started,
            target.idle,
            os.getloadavg()[0],
        )

    def rounds(self, running: list[Target], cases: list[str], rounds: int) -> Iterator[Run]:
        """All cases of all targets in turn. Who goes first changes, so that nobody always meets the warmer machine."""
        for target in running:
            for arguments in WARM_UP:
                self.load(target, arguments)
        for number in range(rounds):
            for case in cases:
                for target in running if number % 2 else reversed(running):
                    if CASES[case].slow_too or not KINDS[target.name].slow:
                        yield self.run(target, case, number)


@contextlib.contextmanager
def _crowd(target: Target) -> Iterator[None]:
    """So many connections that nobody uses."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, CONNECTIONS + 1000), hard))
    with contextlib.ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(socket.create_connection(("127.0.0.1", target.port), timeout=30))
        yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def ratios(runs: list[Run], case: str, target: str, to: str) -> list[float]:
    """``us`` of one target to that of another, round by round."""
    of = {(run.target, run.round): run.us for run in runs if run.case == case}
    numbers = sorted({number for name, number in of if name == target and (to, number) in of})
    return [of[target, number] / of[to, number] for number in numbers]


def median(values: list[float]) -> float:
    """0 for nothing."""
    return statistics.median(values) if values else 0.0


def fail_on_errors(run: Run) -> None:
    """A target that failed was not measured."""
    if run.errors or run.lost:
        sys.exit(f"{run.target} failed {run.errors} requests and lost {run.lost} streams in {run.case}")
