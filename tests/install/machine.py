"""A machine to install on: a folder with a root file system, in namespaces of its own.

What is written goes to an overlay, the network has only a loopback, and when the machine is switched off every process
in it ends. Needs root.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import psutil
from tests.e2e.product import wait_for

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
PATIENCE = 600.0
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# $1: the machine's root, $2: the lower folder, $3: the upper one, $4: the overlay's work folder, then devices.
SWITCH_ON = """
set -e
root=$1 lower=$2 upper=$3 work=$4
shift 4
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$upper,workdir=$work" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev"
for device; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
mkdir "$root/dev/shm"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/run"
ip link set lo up
# As process 1 it reaps what others leave behind.
exec chroot "$root" sh -c 'while :; do sleep 86400 & wait; done' machine
"""


def can_be_had() -> bool:
    """Whether namespaces and overlays may be made here."""
    if os.geteuid() != 0 or not all(shutil.which(tool) for tool in ("unshare", "nsenter", "ip", "mount")):
        return False
    probe = ["unshare", "--mount", "--pid", "--net", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


class Machine:
    """Switched on as a context. ``root``: the file system it starts from, which stays as it is. ``network``: it shares
    the network of this machine."""

    def __init__(self, root: Path, folder: Path, *, network: bool = False) -> None:
        self.lower, self.network = root, network
        self.root = folder / "root"
        self.changes = folder / "changes"
        self.log = folder / "machine.log"
        for path in (self.root, self.changes, folder / "work"):
            path.mkdir(parents=True)
        self._holder: subprocess.Popen[bytes] | None = None
        self._init = 0

    def __enter__(self) -> Self:
        kinds = ["--mount", "--pid", "--ipc", "--uts", *([] if self.network else ["--net"])]
        folders = [self.root, self.lower, self.changes, self.root.parent / "work"]
        command = ["unshare", *kinds, "--fork", "--kill-child", "sh", "-c", SWITCH_ON, "sh", *folders, *DEVICES]
        with self.log.open("wb") as log:
            self._holder = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._init = wait_for("the machine is up", self._find_init)
        return self

    def _find_init(self) -> int | None:
        assert self._holder is not None
        assert self._holder.poll() is None, self.log.read_text()
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(self._holder.pid).children():
                words = child.cmdline()
                if words[:1] == ["sh"] and words[-1] == "machine":  # not chroot itself, whose root is still ours
                    return child.pid
        return None

    def __exit__(self, *_exc: object) -> None:
        assert self._holder is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._init, 9)
        self._holder.wait(30)

    def place(self, path: str) -> Path:
        """A path of the machine as seen from outside, while it is on."""
        return Path(f"/proc/{self._init}/root") / path.lstrip("/")

    def processes(self) -> list[psutil.Process]:
        """Every process of the machine."""
        assert self._holder is not None
        with contextlib.suppress(psutil.Error):
            return psutil.Process(self._init).children(recursive=True)
        return []

    def run(
        self, *argv: str, check: bool = True, text: str | None = None, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the machine as root with a bare environment; ``text`` is its standard input."""
        inside = ["nsenter", f"--target={self._init}", "--mount", "--pid", "--net", "--ipc", "--uts", "--root", "--wd"]
        bare = {"PATH": PATH, "HOME": "/root", "AIMINDSERVE_READY_SECONDS": "600", **(environment or {})}
        done = subprocess.run(
            [*inside, *argv], env=bare, input=text, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        if check:
            assert done.returncode == 0, f"{argv} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done

    def bring(self, source: Path, target: str) -> None:
        """Copy a file or folder into the machine."""
        place = self.place(target)
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place)
        else:
            shutil.copy(source, place)


if __name__ == "__main__":  # a machine by hand: machine.py ROOT FOLDER, then nsenter
    with Machine(Path(sys.argv[1]), Path(sys.argv[2])) as machine:
        print(machine._init, flush=True)
        sys.stdin.readline()
