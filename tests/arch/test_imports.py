"""What may import what, read from the syntax tree: also imports inside functions count."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.arch.project import SOURCE, imported_modules, python_files, short

# fmt: off
IMPURE = {
    "asyncio", "fastapi", "glob", "httpx", "io", "logging", "os", "random", "secrets", "shutil", "signal",
    "socket", "sqlalchemy", "structlog", "subprocess", "tempfile", "threading", "time", "urllib.request",
    "uuid",
}
# fmt: on
PURE_FOLDERS = ("src/aimindserve/domain", "src/aimindserve/engines")


@pytest.mark.parametrize("folder", PURE_FOLDERS)
def test_pure_folders_import_nothing_that_acts(folder: str) -> None:
    offenders = [
        f"{short(path)}:{line} imports {module}"
        for path in python_files(folder)
        for line, module in imported_modules(path)
        if module in IMPURE or module.split(".")[0] in IMPURE or module == "pathlib.Path"
    ]
    assert offenders == []


def test_nothing_is_mocked() -> None:
    offenders = [
        f"{short(path)}:{line}"
        for path in python_files("src", "tests", "scripts", "bench")
        for line, module in imported_modules(path)
        if module in {"unittest.mock", "mock", "pytest_mock"} or module.startswith("unittest.mock.")
    ]
    assert offenders == [], "fakes, not mocks"


def test_the_package_root_holds_only_the_version() -> None:
    text = (SOURCE / "__init__.py").read_text(encoding="utf-8")
    assert imported_modules(SOURCE / "__init__.py") == []
    assert "__version__" in text


LIGHT_PROCESSES = {
    "aimindserve.gateway": ("pydantic", "fastapi", "starlette", "sqlalchemy", "httpx", "typer", "yaml"),
    "aimindserve.cli.supervisor": ("pydantic", "fastapi", "starlette", "sqlalchemy", "httpx", "uvicorn"),
    "aimindserve.cli.main": ("fastapi", "sqlalchemy", "httpx", "uvicorn", "pydantic"),
}


@pytest.mark.parametrize("module", LIGHT_PROCESSES)
def test_long_lived_small_processes_load_nothing_heavy(module: str) -> None:
    """A fresh interpreter imports every module below the name and then lists what it loaded."""
    script = (
        "import importlib, pkgutil, sys\n"
        f"root = importlib.import_module({module!r})\n"
        "for found in pkgutil.walk_packages(getattr(root, '__path__', []), root.__name__ + '.'):\n"
        "    if not found.name.endswith('__main__'): importlib.import_module(found.name)\n"
        f"print(','.join(name for name in {LIGHT_PROCESSES[module]!r} if name in sys.modules))\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == ""
