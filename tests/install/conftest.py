"""The release that these tests install, built once for each test worker."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.arch.project import ROOT
from tests.install.machine import Machine, can_be_had

needs_machines = pytest.mark.skipif(not can_be_had(), reason="needs root, namespaces and overlays")


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``make dist ARGS=--wheels`` makes: a folder for ``--offline-bundle``."""
    subprocess.run([sys.executable, ROOT / "scripts" / "bootstrap.py", "ui"], check=True)
    target = tmp_path_factory.mktemp("release") / "dist"
    subprocess.run([sys.executable, ROOT / "scripts" / "build_dist.py", "--wheels", "--target", target], check=True)
    return target


@pytest.fixture(scope="session")
def wheel(release: Path) -> Path:
    """Our own wheel."""
    return next(release.glob("aimindserve-*.whl"))


@pytest.fixture
def machine(tmp_path: Path, release: Path):
    """A machine with the system of this one, and the release in /media/release."""
    with Machine(Path("/"), tmp_path / "machine") as machine:
        machine.bring(release, "/media/release")
        yield machine
