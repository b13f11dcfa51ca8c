"""What the gateway costs, beside what else stands in such places: ``make bench`` or ``python -m bench.gateway``.

Wall-clock figures of a shared machine say little, so CPU time is compared: each target runs alone on one core, a fake
engine and the load client, both in C, on another. The targets take turns within each round; what is reported is the
ratio of their CPU time per request, per chunk of a stream and per MB to that of plain nginx, round by round, and its
median.

    --rounds N        rounds (default 8)
    --targets A,B     of: gateway (every feature on), gateway-plain, nginx, nginx-lua, sglang-router, vllm-router,
                      litellm (default gateway,nginx). What is not installed here is left out
    --cases A,B       of: rps64, lat1, stream64, stream64slow, stream256, stream1000, img1, img16, img16x16, crowd
                      (default rps64,stream64)
    --check           exit code 1 when a goal is missed: 3.0 per request, 2.0 per chunk, 60 MiB
    --install         make the environments of the peers from PyPI, and end
    --keep FILE       add the runs to FILE, one JSON object a line
    --pages FILE      write docs/*/benchmarks.md out of the runs in FILE, and end

Needs cc, taskset and nginx (``apt-get install nginx-light libnginx-mod-http-lua``).
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.gateway import pages
from bench.gateway.machines import Target, free_port, pinned
from bench.gateway.measure import CASES, Bench, Run, fail_on_errors, median, ratios
from bench.gateway.targets import KINDS, available, install

HERE = Path(__file__).resolve().parent
GOALS = {"rps64": 3.0, "stream64": 2.0}
LARGEST = 60 * 1024**2


def build(folder: Path) -> None:
    """Compile the engine and the load client."""
    for name in ("engine", "load"):
        subprocess.run(["cc", "-O2", "-o", str(folder / name), str(HERE / f"{name}.c"), "-lm"], check=True)


@contextlib.contextmanager
def started(folder: Path, names: list[str], engine: int, core: int) -> Iterator[list[Target]]:
    """All targets at once, each in a folder of its own."""
    with contextlib.ExitStack() as stack:
        running: list[Target] = []
        for name in names:
            (folder / name).mkdir()
            running.append(stack.enter_context(KINDS[name].start(folder / name, core, engine)))
        yield running


def report(runs: list[Run], names: list[str]) -> bool:
    """Print the result; whether all goals are met."""
    met = True
    for case in dict.fromkeys(run.case for run in runs):
        for name in names:
            costs = [run.us for run in runs if (run.case, run.target) == (case, name)]
            if not costs:
                continue
            text = f"{case:12s} {name:14s} {median(costs):9.1f} us CPU per {CASES[case].unit} (median of {len(costs)})"
            if name != "nginx" and (beside := ratios(runs, case, name, "nginx")):
                text += f", {median(beside):.2f} x nginx ({min(beside):.2f} to {max(beside):.2f})"
                if name == "gateway" and case in GOALS:
                    text += f", goal {GOALS[case]:.1f}"
                    met = met and median(beside) <= GOALS[case]
            print(text)
    return met


def measured(arguments: argparse.Namespace, names: list[str], cases: list[str]) -> bool:
    """Run all of it; whether the goals are met."""
    cores = sorted(os.sched_getaffinity(0))
    ours, theirs = cores[0], cores[-1]
    if ours == theirs:
        print("only one core: the figures include the load client's interference")
    with tempfile.TemporaryDirectory(prefix="gw-bench-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        build(folder)
        engine = free_port()
        stack.enter_context(
            pinned("engine", theirs, [str(folder / "engine"), str(engine)], engine, folder / "engine.log")
        )
        running = stack.enter_context(started(folder, names, engine, ours))
        runs: list[Run] = []
        for run in Bench(folder, theirs).rounds(running, cases, arguments.rounds):
            fail_on_errors(run)
            runs.append(run)
            print(f"{run.round + 1} {run.case:12s} {run.target:14s} {run.us:10.1f} us  load {run.load:.1f}", flush=True)
            if arguments.keep:
                with arguments.keep.open("a") as file:
                    file.write(json.dumps(dataclasses.asdict(run)) + "\n")
        met = report(runs, names)
        resident = next((target.resident() for target in running if target.name == "gateway"), 0)
        print(f"gateway memory: {resident / 2**20:.1f} MiB resident after the load, goal {LARGEST / 2**20:.0f}")
        return met and resident <= LARGEST


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench.gateway", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--targets", default="gateway,nginx")
    parser.add_argument("--cases", default="rps64,stream64")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--pages", type=Path)
    return parser.parse_args()


def main() -> int:
    arguments = options()
    if arguments.install:
        install()
        return 0
    if arguments.pages:
        pages.write([Run(**json.loads(line)) for line in arguments.pages.read_text().splitlines()])
        return 0
    missing = [tool for tool in ("cc", "taskset") if not shutil.which(tool)]
    if missing:
        sys.exit(f"the bench needs {' and '.join(missing)} on the PATH")
    wanted = arguments.targets.split(",")
    names = available(wanted)
    for name in [name for name in wanted if name not in names]:
        print(f"{name} is not installed, so it is left out: --help says where it comes from")
    met = measured(arguments, names, arguments.cases.split(","))
    return 0 if met or not arguments.check else 1


if __name__ == "__main__":
    sys.exit(main())
