"""Writes the locks of engines' environments: every package with the checksums of its wheels, resolved by uv.

    python scripts/lock_engines.py [NAME…]

``engines/data/environments.json`` says which environments there are and what each asks for. ``until``: packages that
were published later are not taken, so that an old engine gets the libraries that it was made with. A lock goes to
``engines/data/locks``: wheels for Linux, and the Pythons and machines for which every package has one. Nothing is
compiled on a node. Where an environment names more ``indexes``, wheels of theirs may lie in a folder (PIP_FIND_LINKS).
"""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.utils import parse_wheel_filename

DATA = Path(__file__).resolve().parents[1] / "src" / "aimindserve" / "engines" / "data"
PYTHONS = ("3.11", "3.12", "3.13")
MACHINES = ("x86_64", "aarch64")
TARGETS = [(python, machine) for machine in MACHINES for python in PYTHONS]


def resolved(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """The packages of an environment as ``pylock.toml`` lists them."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, instead, lock = (Path(folder) / name for name in ("requirements.in", "overrides.txt", "pylock.toml"))
        wanted.write_text("\n".join(asked["requires"]) + "\n", encoding="utf-8")
        instead.write_text("\n".join(asked.get("overrides", [])) + "\n", encoding="utf-8")
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--format", "pylock.toml"]
        command += ["--python-version", PYTHONS[0], "--exclude-newer", asked["until"]]
        command += ["--override", str(instead), str(wanted), "-o", str(lock)]
        beside = {"UV_FIND_LINKS": os.environ.get("PIP_FIND_LINKS", "")} if asked.get("indexes") else {}
        subprocess.run(command, check=True, env=os.environ | beside)
        return tomllib.loads(lock.read_text(encoding="utf-8"))["packages"]


def is_needed(package: dict[str, Any], python: str, machine: str) -> bool:
    """Whether a package is part of the environment there."""
    there = {"python_version": python, "python_full_version": f"{python}.9", "platform_machine": machine}
    there |= {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    return "marker" not in package or Marker(package["marker"]).evaluate(there)


def fits(name: str, python: str, machine: str) -> bool:
    """Whether a wheel is for a Python on a Linux machine."""
    number = int(python.split(".")[1])
    for tag in parse_wheel_filename(name)[3]:
        linux = tag.platform.startswith(("manylinux", "linux_")) and tag.platform.endswith(machine)
        is_stable = tag.abi == "abi3" and tag.interpreter.startswith("cp3") and int(tag.interpreter[3:]) <= number
        same = tag.interpreter == f"cp3{number}" and tag.abi in {f"cp3{number}", "none"}
        if (linux or tag.platform == "any") and (is_stable or same or tag.interpreter.startswith("py3")):
            return True
    return False


def files_of(package: dict[str, Any]) -> list[list[Any]]:
    """Name, size in bytes and SHA-256 of each wheel that some target can use."""
    found = []
    for wheel in package.get("wheels", ()):
        name = wheel.get("name") or wheel["url"].rsplit("/", 1)[-1].replace("%2B", "+")
        if any(fits(name, *target) for target in TARGETS):
            size = wheel.get("size") or Path(wheel["url"].removeprefix("file://")).stat().st_size
            found.append([name, size, wheel["hashes"]["sha256"]])
    return sorted(found)


def locked(asked: dict[str, Any]) -> dict[str, Any]:
    """The lock; raises SystemExit where no target has every package."""
    packages = [package | {"files": files_of(package)} for package in resolved(asked)]
    targets = []
    for target in TARGETS:
        lacking = [
            package["name"]
            for package in packages
            if is_needed(package, *target) and not any(fits(file[0], *target) for file in package["files"])
        ]
        if lacking:
            print("  not for", *target, "without wheels of", *lacking)
        else:
            targets.append(target)
    if not targets:
        sys.exit("no target has a wheel of every package")
    needed = [package for package in packages if any(is_needed(package, *target) for target in targets)]
    return {"targets": targets, "packages": [entry_of(package, targets) for package in needed]}


def entry_of(package: dict[str, Any], targets: list[tuple[str, str]]) -> dict[str, Any]:
    """One package in the lock, with a marker only where some target does without it."""
    files = [file for file in package["files"] if any(fits(file[0], *target) for target in targets)]
    entry = {"name": package["name"], "version": package["version"], "files": files}
    everywhere = all(is_needed(package, *target) for target in targets)
    return entry if everywhere else entry | {"marker": package["marker"]}


def written(lock: dict[str, Any]) -> str:
    """One line for each package."""
    lines = ",\n".join(json.dumps(package) for package in lock["packages"])
    return f'{{"targets": {json.dumps(lock["targets"])},\n"packages": [\n{lines}\n]}}\n'


def main() -> None:
    """Lock what was named, else everything."""
    (DATA / "locks").mkdir(exist_ok=True)
    for name, asked in json.loads((DATA / "environments.json").read_text(encoding="utf-8")).items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        lock = locked(asked)
        (DATA / "locks" / f"{name}.json").write_text(written(lock), encoding="utf-8")
        print(f"{name}: {len(lock['packages'])} packages for {len(lock['targets'])} targets")


if __name__ == "__main__":
    main()
