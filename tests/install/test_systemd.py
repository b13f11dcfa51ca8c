"""The service under a systemd that runs: a Debian booted by systemd-nspawn. Minutes; ``make soak``."""

import contextlib
import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.e2e.product import wait_for
from tests.install.conftest import needs_machines
from tests.install.machine import PATH
from tests.install.roots import SYSTEMD, root_of

pytestmark = [
    needs_machines,
    pytest.mark.soak,
    pytest.mark.skipif(shutil.which("systemd-nspawn") is None, reason="needs systemd-nspawn"),
]
RIGHT_TO_LOW_PORTS = 1 << 10  # CAP_NET_BIND_SERVICE


class Booted:
    """A running system; what is written is forgotten when it ends."""

    def __init__(self, holder: subprocess.Popen[bytes], console: Path) -> None:
        self.holder, self.console = holder, console
        self.init = wait_for("systemd runs", self._find_init)
        wait_for("the system is up", lambda: self.run("systemctl", "is-system-running", check=False) == "running")

    def _find_init(self) -> int | None:
        assert self.holder.poll() is None, self.console.read_text()
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(self.holder.pid).children():
                if "systemd" in child.cmdline()[0]:
                    return child.pid
        return None

    def run(self, *argv: str, check: bool = True) -> str:
        """What a command of root prints."""
        done = subprocess.run(
            ["nsenter", f"--target={self.init}", "--all", *argv],
            env={"PATH": PATH, "HOME": "/root", "AIMINDSERVE_READY_SECONDS": "600"},
            capture_output=True, text=True, check=False, timeout=600, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0 or not check, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout.strip()


@pytest.fixture
def booted(release: Path, tmp_path: Path) -> Iterator[Booted]:
    options = ["--quiet", "--volatile=overlay", "--boot", "--register=no", "--keep-unit", "--private-network"]
    place = [f"--directory={root_of(SYSTEMD)}", f"--bind-ro={release}:/media/release"]
    with (tmp_path / "console").open("wb") as console:
        holder = subprocess.Popen(
            ["systemd-nspawn", *options, *place], stdin=subprocess.DEVNULL, stdout=console, stderr=console
        )
    try:
        yield Booted(holder, tmp_path / "console")
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait(60)


def engine_of(booted: Booted) -> int:
    """The process of the demo model's engine, once it is ready."""
    wait_for("the demo model is ready", lambda: "ready" in booted.run("aimindserve", "ls", check=False), patience=300)
    ledger = booted.run("sh", "-c", "cat /var/lib/aimindserve/replicas/*/ledger.json")
    return int(json.loads(ledger)["pid"])


def test_engines_outlive_the_service_and_the_service_has_few_rights(booted: Booted) -> None:
    install = ["sh", "/media/release/install.sh", "--offline-bundle", "/media/release"]
    assert "journalctl -u aimindserve" in booted.run(*install, "--demo")
    assert booted.run("systemd-analyze", "verify", "/etc/systemd/system/aimindserve.service") == ""
    engine = engine_of(booted)

    status = dict(line.split(":\t", 1) for line in booted.run("cat", f"/proc/{engine}/status").splitlines())
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapBnd"], 16) == RIGHT_TO_LOW_PORTS
    assert "0" not in status["Uid"].split()
    assert booted.run("cat", f"/proc/{engine}/cgroup").splitlines()[-1].endswith("/aimindserve.service")

    booted.run("systemctl", "restart", "aimindserve")
    assert engine_of(booted) == engine
    booted.run("systemctl", "stop", "aimindserve")
    booted.run("test", "-d", f"/proc/{engine}")
    booted.run("systemctl", "start", "aimindserve")
    assert engine_of(booted) == engine
    assert "key_queue: 70" in booted.run(*install, "--key-queue", "70") + booted.run(
        "cat", "/etc/aimindserve/config.yaml"
    )
    assert engine_of(booted) == engine

    booted.run("aimindserve", "uninstall", "--purge", "--yes")
    assert booted.run("sh", "-c", f"test -d /proc/{engine} || echo gone", check=False) == "gone"
    assert booted.run("systemctl", "is-system-running") == "running"
    assert booted.run("sh", "-c", "id aimindserve || echo nobody", check=False) == "nobody"
