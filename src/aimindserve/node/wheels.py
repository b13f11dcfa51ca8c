"""The wheels of a recipe: taken from a folder that somebody brought, or fetched by pip; each verified by its checksum.

Everything blocks. What has arrived stays, so that a second try goes on where the first one stopped."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from packaging.version import parse

from aimindserve.domain.environments import LockedWheel, Recipe
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.node.recipes import this_python
from aimindserve.node.transfer import digest_of

# Small files are fetched together, large ones alone: what a broken connection costs is one such lot.
_LOT_BYTES, _LOT_FILES = 64 * 1024 * 1024, 40
_PROGRESS = re.compile(r"Progress (\d+) of \d+")
_SAYS_WHY = re.compile(r"^(ERROR|\w*Error)\b", re.MULTILINE)
_LAST_WORDS = 300
# Where Debian and Ubuntu keep what they take out of Python's own ensurepip.
_SYSTEM_WHEELS = Path("/usr/share/python-wheels")

OnLine = Callable[[str], None]


class MakingError(Exception):
    """An environment cannot be made; ``why`` is for people."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why.code)
        self.why = why


@dataclass(frozen=True, slots=True)
class Told:
    """Who hears of the work: of bytes that are there and verified, and of each line that a program says."""

    bytes: Callable[[int], None] = lambda _: None
    line: OnLine = lambda _: None


@dataclass(frozen=True, slots=True)
class Programs:
    """How programs are run. ``python``: the interpreter of the environment; ``held``: file descriptors that they
    inherit."""

    python: str
    held: tuple[int, ...] = ()

    def run(
        self, argv: Sequence[str], on_line: OnLine, environment: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Exit code and all that was said, line by line to ``on_line`` as it comes."""
        with subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=self.held,
            env={**os.environ, **(environment or {})},
        ) as process:
            said: list[str] = []
            for line in process.stdout or ():
                on_line(line.rstrip())
                if not _PROGRESS.match(line):
                    said.append(line)
        return process.returncode, "".join(said)

    def pip(self, python: str, words: Sequence[str], on_line: OnLine) -> tuple[int, str]:
        """Run a pip of ours for another interpreter.

        Raises:
            MakingError: there is none.
        """
        quiet = ("--disable-pip-version-check", "--no-input", "--no-cache-dir", "--no-color")
        bundled = _bundled_pip()
        environment = {"PYTHONPATH": str(bundled)} if bundled else {}
        return self.run([sys.executable, "-m", "pip", "--python", python, *quiet, *words], on_line, environment)


@cache
def _bundled_pip() -> Path | None:
    """The wheel that runs as pip where this Python has none installed; None where it has.

    Raises:
        MakingError: there is neither.
    """
    if find_spec("pip") is not None:
        return None
    places = (Path(sys.base_prefix) / "lib" / f"python{this_python()}" / "ensurepip" / "_bundled", _SYSTEM_WHEELS)
    found = [wheel for place in places for wheel in sorted(place.glob("pip-*.whl"))]
    if not found:
        raise MakingError(reason(ReasonCode.PIP_MISSING))
    return found[-1]


@cache
def _counts_bytes() -> bool:
    """Whether pip tells how many bytes have arrived."""
    bundled = _bundled_pip()
    return parse(bundled.name.split("-")[1] if bundled else version("pip")) >= parse("24.1")


def fetch_wheels(recipe: Recipe, folder: Path, brought: Path | None, programs: Programs, told: Told) -> None:
    """Have every wheel of ``recipe`` in ``folder``. ``brought``: take them from there, and ask no index.

    Raises:
        MakingError: one is missing or damaged in ``brought``, or pip cannot fetch it.
        OSError: the disk does not work.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    done = 0
    missing: list[LockedWheel] = []
    for wheel in recipe.wheels:
        if not is_whole(folder / wheel.name, wheel) and not _bring(wheel, brought, folder):
            missing.append(wheel)
            continue
        done += wheel.size
        told.bytes(done)
    for lot in _lots(missing):
        _fetch_lot(lot, recipe, folder, programs, _counted(done, told))
        done += sum(wheel.size for wheel in lot)
        told.bytes(done)


def is_whole(path: Path, wheel: LockedWheel) -> bool:
    """Whether the file is there and is the one that is meant."""
    try:
        same_size = path.is_file() and path.stat().st_size == wheel.size
    except OSError:
        return False
    return same_size and digest_of(path, f"sha256:{wheel.sha256}", wheel.size) == f"sha256:{wheel.sha256}"


def _bring(wheel: LockedWheel, brought: Path | None, folder: Path) -> bool:
    if brought is None:
        return False
    path = brought / wheel.name
    if not is_whole(path, wheel):
        code = ReasonCode.WHEEL_DAMAGED if path.exists() else ReasonCode.WHEEL_MISSING
        raise MakingError(reason(code, file=wheel.name, folder=str(brought)))
    partial = folder / f"{wheel.name}.partial"
    shutil.copyfile(path, partial)
    partial.replace(folder / wheel.name)
    return True


def _lots(wheels: Sequence[LockedWheel]) -> Iterator[list[LockedWheel]]:
    """Files that are fetched together; those of further indexes apart from the others."""
    lot: list[LockedWheel] = []
    for wheel in sorted(wheels, key=lambda wheel: ("+" in wheel.requirement, wheel.size)):
        size = sum(one.size for one in lot) + wheel.size
        apart = bool(lot) and ("+" in wheel.requirement) != ("+" in lot[0].requirement)
        if lot and (size > _LOT_BYTES or len(lot) >= _LOT_FILES or apart):
            yield lot
            lot = []
        lot.append(wheel)
    if lot:
        yield lot


def _counted(before: int, told: Told) -> OnLine:
    """Tells of bytes as pip counts them: each file by itself, from zero."""
    counts = {"ended": 0, "now": 0}

    def on_line(line: str) -> None:
        found = _PROGRESS.match(line)
        if found is None:
            told.line(line)
            return
        now = int(found[1])
        if now < counts["now"]:
            counts["ended"] += counts["now"]
        counts["now"] = now
        told.bytes(before + counts["ended"] + now)

    return on_line


def _fetch_lot(lot: Sequence[LockedWheel], recipe: Recipe, folder: Path, programs: Programs, on_line: OnLine) -> None:
    words = ["download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    words += ["--progress-bar", "raw" if _counts_bytes() else "off"]
    if "+" in lot[0].requirement:  # a local version, which no general index takes
        words += [word for index in recipe.indexes for word in ("--extra-index-url", index)]
    with requirements(lot) as path:
        code, said = programs.pip(programs.python, [*words, "--require-hashes", "-r", path], on_line)
    lacking = [wheel for wheel in lot if not is_whole(folder / wheel.name, wheel)]
    if code != 0 or lacking:
        detail = last_words(said) if code != 0 else lacking[0].name
        raise MakingError(reason(ReasonCode.WHEELS_NOT_FETCHED, engine=recipe.key, detail=detail))


@contextmanager
def requirements(wheels: Sequence[LockedWheel]) -> Generator[str]:
    """A file that names wheels with their checksums, for pip."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.writelines(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n" for wheel in wheels)
        file.flush()
        yield file.name


def last_words(said: str) -> str:
    """What a program complains of, or for want of that the end of what it said."""
    found = _SAYS_WHY.search(said)
    return " ".join(said[found.start() :].split())[:_LAST_WORDS] if found else " ".join(said.split())[-_LAST_WORDS:]
