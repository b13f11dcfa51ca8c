"""Run every check of this project, two at a time, and end with one clear verdict.

``--tests`` adds the page's unit tests and the Python test suite; pytest runs last, so its
summary line closes the output. Exit code 0 only when every part passed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"


@dataclass(frozen=True)
class Check:
    """One command; its output is shown only when it fails."""

    name: str
    argv: tuple[str, ...]
    folder: str = "."


@dataclass(frozen=True)
class Outcome:
    """What became of a check."""

    check: Check
    exit_code: int
    output: str
    seconds: float


CHECKS = (
    Check("pyright", ("pyright", "--warnings")),
    Check("page: types", ("npm", "run", "--silent", "typecheck"), "ui"),
    Check("page: eslint", ("npm", "run", "--silent", "lint"), "ui"),
    Check("ruff", ("ruff", "check", ".")),
    Check("ruff format", ("ruff", "format", "--check", ".")),
    Check("import contract", ("lint-imports",)),
    Check("size budgets", (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/arch")),
)
PAGE_TESTS = Check("page: unit tests", ("npm", "run", "--silent", "test"), "ui")
# One run on two workers: tests/conftest.py keeps a file, and everything heavy, together on one of them. In the order
# of collection the heavy ones come first, so that they do not end up running alone.
PYTEST = (sys.executable, "-m", "pytest", "-q", "-n", "2", "--no-loadscope-reorder", "tests")


def environment() -> dict[str, str]:
    """Child environment: the venv's programs first (its Node too), no colours from npm."""
    found = dict(os.environ)
    found["PATH"] = f"{BIN}{os.pathsep}{found.get('PATH', '')}"
    found["PYRIGHT_PYTHON_IGNORE_WARNINGS"] = "1"
    return found


def run(check: Check) -> Outcome:
    """Run one check to its end and say in one line how it went."""
    started = time.monotonic()
    program = shutil.which(check.argv[0], path=environment()["PATH"])
    if program is None:
        completed_code, output = 127, f"{check.argv[0]} was not found; run `make setup`"
    else:
        completed = subprocess.run(
            [program, *check.argv[1:]],
            cwd=ROOT / check.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        completed_code, output = completed.returncode, completed.stdout
    seconds = time.monotonic() - started
    print(f"{'ok  ' if completed_code == 0 else 'FAIL'} {check.name} ({seconds:.0f} s)", flush=True)
    return Outcome(check, completed_code, output, seconds)


def main() -> int:
    """Run the checks, then (with ``--tests``) the tests; 0 only when all passed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tests", action="store_true", help="run the test suites too")
    with_tests: bool = parser.parse_args().tests
    wanted = (*CHECKS, PAGE_TESTS) if with_tests else CHECKS
    with ThreadPoolExecutor(max_workers=2) as pool:
        failed = [outcome for outcome in pool.map(run, wanted) if outcome.exit_code != 0]
    for outcome in failed:
        print(f"\n===== {outcome.check.name} =====\n{outcome.output}", flush=True)
    tests_passed = not with_tests or run_pytest(failed) == 0
    return 0 if tests_passed and not failed else 1


def run_pytest(failed_checks: list[Outcome]) -> int:
    """Run the Python suite with its output shown; repeat failed checks' names after it."""
    if failed_checks:
        names = ", ".join(outcome.check.name for outcome in failed_checks)
        print(f"\nFAILED before the tests: {names}\n", flush=True)
    return subprocess.run(PYTEST, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
