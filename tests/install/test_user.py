"""The whole story for an ordinary user: install, use, install again, a broken version, remove."""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import psutil
import pytest
from tests.e2e.product import Product, wait_for
from tests.install.test_script import as_a_user
from tests.install.wheels import altered, breaks_at_start

CANARY = "hf_canaryCANARYcanary"
PATIENCE = 600
LARGEST_CORE_MB = 115  # files of the packages without bytecode and without llama.cpp; 108 when it was last measured


class Home:
    """An account's home folder on which the script is run; ``port`` is the service's."""

    def __init__(self, folder: Path, release: Path) -> None:
        self.folder, self.release = folder, release
        self.data = folder / ".local" / "share" / "aimindserve"
        self.product = Product(self.data)
        self.port = self.product.port
        self.prefix = folder / ".local" / "lib" / "aimindserve"
        self.seen = folder.parent / "seen"
        self.tools = folder.parent / "tools"
        for path in (folder, self.tools):
            path.mkdir()
        self._spy_on("mktemp")
        self._spy_on("sha256sum")

    def _spy_on(self, tool: str) -> None:
        """A tool in front of the real one that notes every command line of the machine when the script calls it."""
        spy = self.tools / tool
        real = shutil.which(tool)
        spy.write_text(
            f"#!/bin/sh\ncat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >>{self.seen}\nexec {real} \"$@\"\n"
        )
        spy.chmod(0o755)

    def run(self, *arguments: str, script: bytes | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run install.sh with these arguments; ``script``: as `sh -s -`, the way of the guide."""
        path = f"{self.tools}:{Path(sys.executable).parent}:/usr/bin:/bin"
        words = ["sh", "-s", "-"] if script else ["sh", str(self.release / "install.sh")]
        done = subprocess.run(
            [*as_a_user(), *words, "--no-systemd", *arguments],
            env={"PATH": path, "HOME": str(self.folder), "AIMINDSERVE_READY_SECONDS": "600", **environment},
            input=script or b"", capture_output=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The installed ``aimindserve``."""
        return subprocess.run(
            [*as_a_user(), self.folder / ".local/bin/aimindserve", *arguments],
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder)},
            capture_output=True, text=True, check=False, timeout=PATIENCE, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def processes(self) -> list[psutil.Process]:
        """Every process that was started from this home."""
        return [p for p in psutil.process_iter(["cmdline"]) if str(self.prefix) in " ".join(p.info["cmdline"] or [])]

    def readyz(self) -> int:
        return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=30).status_code


@pytest.fixture
def home(tmp_path: Path, release: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home", release)
    yield home
    for process in home.processes():
        process.kill()
    wait_for("nothing of it runs", lambda: not home.processes())


def test_install_use_upgrade_roll_back_remove(home: Home, wheel: Path, tmp_path: Path) -> None:
    bundle = ("--offline-bundle", str(home.release))
    # The guide's own command: the script by standard input, the token as an argument.
    script = (home.release / "install.sh").read_bytes()
    options = ("--host", "127.0.0.1", f"--port={home.port}", "--huggingface-token", CANARY)
    done = home.run(*bundle, *options, "--with=none", script=script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Page      http://127.0.0.1:{home.port}" in done.stdout
    password_file = home.data / "initial_admin_password"
    assert f"cat {password_file}" in done.stdout
    assert home.readyz() == 200
    assert_private(home, done)
    assert core_megabytes(home) <= LARGEST_CORE_MB
    with closing(home.product.login()) as person:
        assert person.get("/api/v1/deployments").json()["items"] == []
    assert not password_file.exists()

    again = home.run(*bundle)
    assert again.returncode == 0, again.stderr
    before = {process.pid for process in home.processes()}
    assert len(list((home.prefix / "versions").iterdir())) == 1

    broken = altered(wheel, tmp_path, "0.1.99", breaks_at_start)
    failed = home.run("--offline-bundle", str(home.release), f"--wheel={broken}")
    assert failed.returncode == 2, "a bundle and a wheel at once"
    (tmp_path / "next").mkdir()
    shutil.copytree(home.release / "wheels", tmp_path / "next" / "wheels", copy_function=os.link)
    shutil.copy(broken, tmp_path / "next")
    failed = home.run("--offline-bundle", str(tmp_path / "next"), AIMINDSERVE_READY_SECONDS="5")
    assert failed.returncode == 1
    assert "0.1.99 did not answer" in failed.stderr
    assert "broken on purpose" in failed.stderr
    assert home.readyz() == 200
    assert json.loads(home.command("version", "-o", "json").stdout)["version"] == wheel.name.split("-")[1]
    assert {process.pid for process in home.processes()}.isdisjoint(before)
    home.product.login().close()  # with the changed password: the database is the old one

    removed = home.command("uninstall", "--yes")
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert str(home.prefix) in removed.stdout
    assert not home.prefix.exists()
    assert (home.data / "database.sqlite").exists()
    assert home.processes() == []
    assert CANARY not in "".join(one.stdout + one.stderr for one in (done, again, failed, removed))


def core_megabytes(home: Home) -> float:
    """Room on the disk that the packages take."""
    files = (path for path in (home.prefix / "versions").rglob("site-packages/**/*") if path.is_file())
    counted = (path for path in files if not {"__pycache__", "xllamacpp"} & set(path.parts))
    return sum(os.lstat(path).st_blocks for path in counted) * 512 / 1e6


def assert_private(home: Home, done: subprocess.CompletedProcess[str]) -> None:
    """The token is in its file (0600) and nowhere else: no process, no environment, no file, no output."""
    token = home.data / "keys" / "huggingface-token"
    assert token.read_text() == CANARY
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.data.stat().st_mode) == 0o700
    assert CANARY not in done.stdout + done.stderr
    assert "aimindserve-" in home.seen.read_text(), "the spies were called"
    assert CANARY not in home.seen.read_text()
    for process in home.processes():
        assert CANARY not in " ".join([*process.cmdline(), *process.environ().values()])
    for path in home.folder.rglob("*"):
        if path.is_file() and path != token and "site-packages" not in path.parts:
            assert CANARY.encode() not in path.read_bytes(), path
