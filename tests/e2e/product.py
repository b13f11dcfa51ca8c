"""The whole product as a process of its own, driven from outside as a person would."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

T = TypeVar("T")

COMMAND = [sys.executable, "-m", "aimindserve.cli.main"]
PASSWORD = "quiet-harbour-lantern-42"
PATIENCE = 60.0


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, ask: Callable[[], T | None], patience: float = PATIENCE) -> T:
    """The first true answer of ``ask``; fails with ``what`` after ``patience`` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {patience:.0f} s: {what}")


class Product:
    """``aimindserve start`` in its own data folder on its own port."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.port = free_port()
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None
        self.log = data.parent / f"{data.name}.log"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until it can serve."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start without waiting."""
        arguments = ["start", "--host", "127.0.0.1", "--port", str(self.port), "--data-dir", str(self.data)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*COMMAND, *arguments, *self.options], stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def wait_ready(self) -> None:
        """Wait for ``/readyz``."""
        wait_for("/readyz answers 200", self._ready)

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        return False

    def stop(self) -> None:
        """TERM the supervisor and wait; engines stay."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)

    def clear(self) -> None:
        """Delete every deployment and wait for the engines' ends."""
        for deployment in self.cli("ls")["items"]:
            self.run_cli("rm", deployment["name"], "--yes")
        wait_for("no engine is left", lambda: self.engine_pids() == [])

    def process_of(self, role: str) -> psutil.Process | None:
        """The ``server``, ``gateway`` or ``supervisor`` process, None while there is none."""
        assert self.process is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            supervisor = psutil.Process(self.process.pid)
            if role == "supervisor":
                return supervisor
            for child in supervisor.children(recursive=True):
                if f"aimindserve.{role}" in child.cmdline():
                    return child
        return None

    def engine_pids(self) -> list[int]:
        """Living engine processes of this data folder, by the ledgers of their replicas."""
        pids: list[int] = []
        for ledger in (self.data / "replicas").glob("*/ledger.json"):
            with contextlib.suppress(OSError, ValueError):
                pid = json.loads(ledger.read_text()).get("pid")
                if pid and psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                    pids.append(pid)
        return sorted(pids)

    def relatives(self) -> list[psutil.Process]:
        """Every process whose command line or working folder names this data folder, engines and shims included."""
        found: list[psutil.Process] = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.pid != os.getpid() and any(str(self.data) in part for part in process.cmdline()):
                    found.append(process)
        return found

    def cli(self, *arguments: str, check: bool = True) -> Any:
        """The answer of a command as JSON (None when it prints nothing)."""
        before, after = arguments, ()
        if "--" in arguments:
            cut = arguments.index("--")
            before, after = arguments[:cut], arguments[cut:]
        done = self.run_cli(*before, "-o", "json", *after)
        if check:
            assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout) if done.stdout.strip() else None

    def run_cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command against this product."""
        environment = os.environ | {"AIMINDSERVE_DATA_DIR": str(self.data), "AIMINDSERVE_URL": self.url}
        return subprocess.run(
            [*COMMAND, *arguments], check=False, capture_output=True, text=True, env=environment, timeout=PATIENCE
        )

    def inference_key(self) -> str:
        """A new API key for inference."""
        return str(self.cli("key", "create", "tests")["token"])

    def login(self) -> httpx.Client:
        """A browser-like client with a session whose password was changed."""
        client = httpx.Client(base_url=self.url, headers={"x-aimindserve-csrf": "1", "origin": self.url}, timeout=30)
        initial = self.data / "initial_admin_password"
        password = initial.read_text().strip() if initial.exists() else PASSWORD
        client.post("/api/v1/session", json={"username": "admin", "password": password}).raise_for_status()
        if password != PASSWORD:
            body = {"current": password, "new": PASSWORD}
            client.post("/api/v1/session/password", json=body).raise_for_status()
        return client

    def wait_phase(self, name: str, phase: str, patience: float = PATIENCE) -> dict[str, Any]:
        """The deployment once it is in ``phase``."""

        def ask() -> dict[str, Any] | None:
            view = self.cli("show", name)
            return view if view["phase"] == phase else None

        return wait_for(f"{name} is {phase}", ask, patience)
