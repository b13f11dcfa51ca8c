"""What the gateway costs, beside plain nginx doing less: ``make bench`` or ``python -m bench.gateway``.

Wall-clock figures of a shared machine say little, so CPU time is compared: the gateway (or nginx) runs alone on one
core, a fake engine and the load client, both in C, on another. The two take turns within each round; what is reported
is the ratio of their CPU time per request and per stream chunk, round by round, and its median.

    --rounds N        rounds (default 8)
    --cases A,B       of: rps64, lat1, stream64, stream256, stream1000, img4 (default rps64,stream64)
    --check           exit code 1 when a goal is missed: 3.0 per request, 2.0 per chunk, 60 MiB

Needs cc, taskset and nginx (``apt-get install nginx-light``). Without nginx only the gateway's own figures appear.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import hmac
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aimindserve.domain.routing import Endpoint, KeyGrant, Route, RouteState, RoutingTable
from aimindserve.gateway.table import save_table

HERE = Path(__file__).resolve().parent
KEY = "sk-bench"
MODEL = "bench-model"
GOALS = {"request": 3.0, "chunk": 2.0}
LARGEST = 60 * 1024**2
# What one round asks of each target: arguments of the load client.
CASES = {
    "rps64": ["-c", "64", "-d", "2"],
    "lat1": ["-c", "1", "-d", "2"],
    "stream64": ["-c", "64", "-n", "128", "--stream", "--gap_us", "10000"],
    "stream256": ["-c", "256", "-n", "256", "--stream", "--gap_us", "25000"],
    "stream1000": ["-c", "1000", "-n", "1000", "--stream", "--tokens", "64", "--gap_us", "200000"],
    "img4": ["-c", "2", "-n", "20", "--image_mb", "4"],
}
WARM_UP = (["-c", "8", "-d", "1"], ["-c", "8", "-n", "16", "--stream", "--gap_us", "1000"])
NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log warn;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 600s; tcp_nodelay on; client_max_body_size 0;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream e {{ server 127.0.0.1:{engine}; keepalive 2048; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ proxy_pass http://e; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
                  proxy_request_buffering off; proxy_read_timeout 600s; }}
  }}
}}
"""


@dataclass
class Target:
    """A running proxy."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    def pids(self) -> list[int]:
        """The process and its children (nginx: master and worker)."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    def cpu_seconds(self) -> float:
        """User and system time so far, in nanosecond resolution."""
        total = 0
        for pid in self.pids():
            for task in Path(f"/proc/{pid}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def resident(self, field: str = "VmRSS") -> int:
        """Bytes of memory."""
        total = 0
        for pid in self.pids():
            status = Path(f"/proc/{pid}/status").read_text()
            total += int(status.partition(f"{field}:")[2].split()[0]) * 1024
        return total


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"did not start: {process.args}")
        time.sleep(0.02)


@contextlib.contextmanager
def pinned(core: int, argv: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["taskset", "-c", str(core), *argv])
    try:
        wait_for_port(port, process)
        yield process
    finally:
        process.terminate()
        process.wait()


def build(folder: Path) -> None:
    for name in ("engine", "load"):
        subprocess.run(["cc", "-O2", "-o", str(folder / name), str(HERE / f"{name}.c"), "-lm"], check=True)


def gateway_settings(folder: Path, port: int, engine: int) -> Path:
    pepper = b"b" * 32
    (folder / "keys").mkdir()
    (folder / "keys" / "pepper").write_bytes(pepper)

    def grant(number: int, token: str) -> KeyGrant:
        digest = hmac.new(pepper, token.encode(), hashlib.sha256).hexdigest()
        return KeyGrant(f"k{number}", digest, f"u{number % 100}", ("inference",))

    # Ten thousand keys and four replicas, so that look-ups and the choice are not of nothing.
    keys = (*(grant(number, f"sk-{number:06d}") for number in range(10_000)), grant(10_000, KEY))
    replicas = tuple(Endpoint(f"r{number}", "127.0.0.1", engine, "engine-key") for number in range(4))
    save_table(folder / "routing-table.json", RoutingTable(1, (Route(MODEL, "d", RouteState.READY, replicas),), keys))
    file = folder / "settings.json"
    more = {"key_concurrency": 100_000, "body_budget_bytes": 1 << 30}
    file.write_text(
        json.dumps({"host": "127.0.0.1", "port": port, "data_dir": str(folder), "run_dir": str(folder), **more})
    )
    return file


@contextlib.contextmanager
def targets(folder: Path, engine: int, core: int) -> Iterator[list[Target]]:
    """The gateway, and nginx where there is one."""
    with contextlib.ExitStack() as stack:
        port = free_port()
        argv = [sys.executable, "-m", "aimindserve.gateway", "--settings", str(gateway_settings(folder, port, engine))]
        found = [Target("gateway", port, stack.enter_context(pinned(core, argv, port)))]
        nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if nginx:
            port = free_port()
            configuration = folder / "nginx.conf"
            configuration.write_text(NGINX.format(folder=folder, engine=engine, port=port))
            argv = [nginx, "-c", str(configuration), "-p", str(folder)]
            found.append(Target("nginx", port, stack.enter_context(pinned(core, argv, port))))
        yield found


def load(folder: Path, core: int, target: Target, arguments: list[str]) -> dict[str, float]:
    """One run: CPU microseconds for each request or chunk, and what the client saw."""
    before = target.cpu_seconds()
    argv = ["taskset", "-c", str(core), str(folder / "load"), "--port", str(target.port), "--key", KEY, *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    spent = target.cpu_seconds() - before
    seen = json.loads(done.stdout)
    units = seen["toks"] if "--stream" in arguments else seen["ok"]
    return {"us": spent / max(1, units) * 1e6, "errors": seen["err"], "units": units}


def measure(
    folder: Path, running: list[Target], core: int, cases: list[str], rounds: int
) -> dict[str, dict[str, list[float]]]:
    figures: dict[str, dict[str, list[float]]] = {case: defaultdict(list) for case in cases}
    for target in running:
        for arguments in WARM_UP:
            load(folder, core, target, list(arguments))
    for number in range(rounds):
        for case in cases:
            line = [f"round {number + 1} {case:10s}"]
            # Who goes first changes, so that neither always meets the warmer machine.
            for target in running if number % 2 else reversed(running):
                run = load(folder, core, target, CASES[case])
                if run["errors"]:
                    sys.exit(f"{target.name} failed {run['errors']} requests in {case}")
                figures[case][target.name].append(run["us"])
                line.append(f"{target.name} {run['us']:8.1f} us")
            print("  ".join(line), f" load {os.getloadavg()[0]:.1f}", flush=True)
    return figures


def report(figures: dict[str, dict[str, list[float]]], running: list[Target]) -> bool:
    """Print the result; whether all goals are met."""
    met = True
    for case, of in figures.items():
        unit = "chunk" if case.startswith("stream") else "request"
        ours = of["gateway"]
        text = f"{case}: gateway {statistics.median(ours):.1f} us CPU per {unit} (median of {len(ours)})"
        if "nginx" in of:
            ratios = [mine / plain for mine, plain in zip(ours, of["nginx"], strict=True)]
            middle = statistics.median(ratios)
            text += f"; nginx {statistics.median(of['nginx']):.1f} us; ratio {middle:.2f}"
            text += f" ({min(ratios):.2f} to {max(ratios):.2f}), goal {GOALS[unit]:.1f}"
            met = met and (case not in ("rps64", "stream64") or middle <= GOALS[unit])
        print(text)
    resident = next(target.resident() for target in running if target.name == "gateway")
    print(f"gateway memory: {resident / 2**20:.1f} MiB resident after the load, goal {LARGEST / 2**20:.0f}")
    if len(running) == 1:
        print("nginx is not installed, so there is nothing to compare with: apt-get install nginx-light")
    return met and resident <= LARGEST


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bench.gateway", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--cases", default="rps64,stream64")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    missing = [tool for tool in ("cc", "taskset") if not shutil.which(tool)]
    if missing:
        sys.exit(f"the bench needs {' and '.join(missing)} on the PATH")
    cores = sorted(os.sched_getaffinity(0))
    ours, theirs = cores[0], cores[-1]
    if ours == theirs:
        print("only one core: the figures include the load client's interference")
    with tempfile.TemporaryDirectory(prefix="gw-bench-") as name:
        folder = Path(name)
        build(folder)
        engine = free_port()
        with (
            pinned(theirs, [str(folder / "engine"), str(engine)], engine),
            targets(folder, engine, ours) as running,
        ):
            idle = next(target.resident() for target in running if target.name == "gateway")
            print(f"gateway memory: {idle / 2**20:.1f} MiB resident when idle")
            met = report(measure(folder, running, theirs, arguments.cases.split(","), arguments.rounds), running)
    return 0 if met or not arguments.check else 1


if __name__ == "__main__":
    sys.exit(main())
