"""Build a release into ``dist/``: wheel, sdist, installer, lock, SBOM, checksums. Two builds give the same bytes.

``--wheels`` also fetches every locked package (and pip) for this Python and machine into ``dist/wheels``: with that,
``install.sh --offline-bundle dist`` needs no network.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "runtime.txt"


def commit_time() -> str:
    """Seconds of the last commit, so that a build does not depend on when it is made; without git the year 2020."""
    asked = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "1577836800"


def build_packages(target: Path) -> None:
    """Wheel and sdist. The page must be built already (``bootstrap.py ui``)."""
    environment = {"SOURCE_DATE_EPOCH": commit_time(), **os.environ}
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", target], cwd=ROOT, env=environment, check=True)


def fetch_wheels(target: Path, pythons: Sequence[str] = ()) -> None:
    """Every locked package by its hash, and pip itself for machines that have none: for this Python, and for others of
    this kind of machine (``3.12``)."""
    subprocess.run([sys.executable, ROOT / "scripts" / "bootstrap.py", "wheels"], check=True)
    shutil.copytree(ROOT / ".cache" / "wheels", target)
    libraries = ("2014", "_2_17", "_2_28", "_2_34")
    platforms = [f"--platform=manylinux{library}_{platform.machine()}" for library in libraries]
    for python in pythons:
        abis = [f"--abi=cp{python.replace('.', '')}", "--abi=abi3", "--abi=none"]
        chosen = [f"--python-version={python}", "--implementation=cp", *abis, *platforms]
        download = [sys.executable, "-m", "pip", "download", "-q", "--only-binary", ":all:", "--no-deps", "-d", target]
        subprocess.run([*download, *chosen, "--require-hashes", "-r", LOCK], check=True)


def write_sums(folder: Path) -> None:
    """``SHA256SUMS`` over every file below the folder, as ``sha256sum --check`` reads it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(lines))


def build(target: Path, *, wheels: bool = False, pythons: Sequence[str] = ()) -> None:
    """The whole release into an empty ``target``."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    build_packages(target)
    shutil.copy(ROOT / "install.sh", target / "install.sh")
    shutil.copy(LOCK, target / "requirements.txt")
    sbom = subprocess.run([sys.executable, ROOT / "scripts" / "sbom.py"], check=True, capture_output=True).stdout
    (target / "aimindserve.cdx.json").write_bytes(sbom)
    if wheels:
        fetch_wheels(target / "wheels", pythons)
    write_sums(target)


def main() -> None:
    """Read the command line, build."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--wheels", action="store_true", help="fetch every dependency too")
    parser.add_argument("--target", type=Path, default=ROOT / "dist")
    parser.add_argument("--python", action="append", default=[], help="with --wheels: for this version too, like 3.12")
    chosen = parser.parse_args()
    build(chosen.target, wheels=chosen.wheels, pythons=chosen.python)
    for path in sorted(chosen.target.iterdir()):
        print(path)


if __name__ == "__main__":
    main()
