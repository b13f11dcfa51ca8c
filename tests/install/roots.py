"""Empty systems by debootstrap, kept in ``.cache/roots``."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.arch.project import ROOT


@dataclass(frozen=True)
class System:
    """A distribution. ``script``: debootstrap's, where it does not know the suite by itself; ``keyring``: its keys;
    ``name``: of the folder, where it is not the suite; ``pythons``: versions other than ours."""

    suite: str
    mirror: str
    keyring: str
    packages: tuple[str, ...]
    script: str = ""
    name: str = ""
    pythons: tuple[str, ...] = ()


# Without venv, pip and curl: what a server has that nobody prepared. libgomp1: llama.cpp's CPU build needs it.
BOOKWORM = System(
    "bookworm",
    "http://deb.debian.org/debian",
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    ("python3", "libgomp1", "ca-certificates"),
)
NOBLE = System(
    "noble",
    "http://archive.ubuntu.com/ubuntu",
    "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
    ("python3", "libgomp1", "ca-certificates"),
    "/usr/share/debootstrap/scripts/gutsy",
    pythons=("3.12",),
)

SYSTEMD = System(
    "bookworm",
    BOOKWORM.mirror,
    BOOKWORM.keyring,
    (*BOOKWORM.packages, "systemd", "systemd-sysv", "dbus"),
    name="bookworm-systemd",
)


def root_of(system: System) -> Path:
    """The system's root folder; made where it is not there yet (minutes, needs the mirror)."""
    folder = ROOT / ".cache" / "roots" / (system.name or system.suite)
    if folder.is_dir():
        return folder
    if shutil.which("debootstrap") is None or not Path(system.keyring).is_file():
        pytest.skip(f"needs debootstrap and {system.keyring}: apt-get install debootstrap ubuntu-keyring")
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.parent.mkdir(parents=True, exist_ok=True)
    chosen = ["--variant=minbase", f"--include={','.join(system.packages)}", f"--keyring={system.keyring}"]
    place = [system.suite, fresh, system.mirror, *([system.script] if system.script else [])]
    subprocess.run(["debootstrap", *chosen, *place], check=True, stdout=subprocess.DEVNULL)
    fresh.rename(folder)
    return folder
