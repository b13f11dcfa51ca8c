"""Small packages and recipes of them, for tests of environments."""

import hashlib
import sys
import zipfile
from pathlib import Path

from aimindserve.domain.environments import LineRepair, LockedWheel, NameRepair, Recipe, Variant
from aimindserve.node.recipes import this_python

PROGRAM = "import sys\ndef main():\n    print('vllm {version}' if '--version' in sys.argv else 'it runs')\n"


def make_wheel(folder: Path, name: str, version: str, code: str | None = None) -> LockedWheel:
    """A package with one module and one command of its name. ``code``: of the module; it has ``main``."""
    folder.mkdir(parents=True, exist_ok=True)
    info, path = f"{name}-{version}.dist-info", folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", code or PROGRAM.format(version=version))
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        kind = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{info}/WHEEL", kind)
        archive.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{name} = {name}:main\n")
        archive.writestr(f"{info}/RECORD", "")
    content = path.read_bytes()
    return LockedWheel(
        requirement=f"{name}=={version}", name=path.name, size=len(content), sha256=hashlib.sha256(content).hexdigest()
    )


def make_recipe(folder: Path, version: str = "9.9.9", *, code: str | None = None) -> Recipe:
    """A recipe for an engine called vllm with one more package, whose wheels are in ``folder``."""
    return Recipe(
        engine="vllm",
        version=version,
        variant=Variant.CPU,
        python=this_python(),
        program="bin/vllm",
        wheels=(make_wheel(folder, "vllm", version, code), make_wheel(folder, "needed", "1.0", "x = 1\nbad = 1 / 0\n")),
        line_repairs=(LineRepair(file="needed.py", pattern="bad = ", why="it cannot be imported"),),
        name_repairs=(NameRepair(name="vllm", version=f"{version}+cpu", why="its name is asked for"),),
    )


def library(place: Path) -> Path:
    """Where an environment keeps its packages."""
    return place / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
