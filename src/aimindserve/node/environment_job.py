"""The process that makes one environment of an engine: its wheels, a folder of its own, repairs, a check, its name.

It is made beside its place and gets its name by a rename, so that nobody ever sees half of one. A lock that every
program inherits keeps two from working at the same one, whoever was killed in between.

Usage: ``python -m aimindserve.node.environment_job`` (by the agent)."""

import re
import shutil
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from aimindserve.domain.environments import EnvironmentState, LineRepair, NameRepair, Recipe
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.units import format_bytes
from aimindserve.node.jobs import end_with_parent, tell
from aimindserve.node.launch import disk_reason
from aimindserve.node.locks import LockBusyError, release, take
from aimindserve.node.recipes import interpreter, partial_of, place_of
from aimindserve.node.wheels import MakingError, Programs, Told, fetch_wheels, last_words, requirements

MARKER = "environment.json"
WHEELS = ".wheels"
_POLL_SECONDS, _NEWS_SECONDS = 0.2, 0.5
# What wheels become when they are unpacked, and what is left for everything else.
_UNPACKED, _MARGIN = 3.5, 256 * 1024 * 1024
_TEXT_BYTES = 64 * 1024


class EnvironmentJob(BaseModel):
    """One environment to make. ``engines``: the folder of all; ``brought``: a folder with its wheels."""

    model_config = ConfigDict(frozen=True)

    engines: str
    recipe: Recipe
    brought: str | None = None


class EnvironmentNews(BaseModel):
    """``done``: bytes of wheels that are there; ``line``: for the log. At the end ``finished`` or the ``reason`` why
    not."""

    model_config = ConfigDict(frozen=True)

    state: EnvironmentState
    done: int = 0
    line: str | None = None
    finished: bool = False
    reason: Reason | None = None


Tell = Callable[[EnvironmentNews], None]


class Marker(BaseModel):
    """What is written into a finished environment. ``digest``: of its recipe; ``size`` in bytes."""

    model_config = ConfigDict(frozen=True)

    digest: str
    size: int
    made_at: float


def read_marker(place: Path) -> Marker | None:
    """None where no finished environment of ours is."""
    try:
        return Marker.model_validate_json((place / MARKER).read_bytes())
    except (OSError, ValueError):
        return None


def make_environment(job: EnvironmentJob, tell_news: Tell = lambda _: None) -> Path:
    """Make the environment, unless it is there. Its folder.

    Raises:
        MakingError: it cannot be made; wheels that have arrived stay.
    """
    engines, recipe = Path(job.engines), job.recipe
    place, partial = place_of(engines, recipe), partial_of(engines, recipe)
    try:
        with _locked(partial) as held:
            if read_marker(place) is None:
                _make(job, Making(recipe, engines, partial, Programs(_python(recipe), (held,)), tell_news))
                _publish(partial, place, recipe.digest)
                _drop_wheels(engines / WHEELS, recipe)
    except OSError as error:
        why = disk_reason(error, engines)
        detail = error.strerror or str(error)
        raise MakingError(
            why or reason(ReasonCode.FILE_FAILED, path=str(error.filename or engines), detail=detail)
        ) from error
    return place


def _python(recipe: Recipe) -> str:
    found = interpreter(recipe.python)
    if found is None:
        why = reason(
            ReasonCode.ENVIRONMENT_NEEDS_PYTHON, engine=recipe.key, pythons=recipe.python, python=recipe.python
        )
        raise MakingError(why)
    return found


class Making:
    """One environment on its way, in the folder ``partial``."""

    def __init__(self, recipe: Recipe, engines: Path, partial: Path, programs: Programs, tell_news: Tell) -> None:
        self.recipe = recipe
        self.engines = engines
        self.partial = partial
        self.programs = programs
        self._tell = tell_news
        self._done = 0
        self._told_at = 0.0
        self._state = EnvironmentState.FETCHING

    def enter(self, state: EnvironmentState) -> None:
        """The next stage."""
        self._state = state
        self._tell(EnvironmentNews(state=state, done=self._done))

    def line(self, text: str) -> None:
        """Something for the log."""
        self._tell(EnvironmentNews(state=self._state, done=self._done, line=text))

    def bytes(self, done: int) -> None:
        """How many bytes of wheels there are; told a few times a second."""
        self._done = done
        if time.monotonic() - self._told_at >= _NEWS_SECONDS:
            self._told_at = time.monotonic()
            self._tell(EnvironmentNews(state=self._state, done=done))

    @property
    def python(self) -> str:
        """The interpreter of the new environment."""
        return str(self.partial / "bin" / "python")

    def run(self, argv: list[str]) -> str:
        """A step that must succeed."""
        code, said = self.programs.run(argv, self.line)
        return self._checked(code, said)

    def pip(self, words: list[str]) -> None:
        """As ``run``, with pip for the new environment."""
        code, said = self.programs.pip(self.python, words, self.line)
        self._checked(code, said)

    def _checked(self, code: int, said: str) -> str:
        if code != 0:
            detail = last_words(said) or str(code)
            raise MakingError(reason(ReasonCode.ENVIRONMENT_BROKEN, engine=self.recipe.key, detail=detail))
        return said


def _make(job: EnvironmentJob, making: Making) -> None:
    recipe, partial = making.recipe, making.partial
    making.enter(EnvironmentState.FETCHING)
    _check_room(making)
    wheels = making.engines / WHEELS
    told = Told(making.bytes, making.line)
    fetch_wheels(recipe, wheels, Path(job.brought) if job.brought else None, making.programs, told)
    making.bytes(recipe.size)
    making.enter(EnvironmentState.INSTALLING)
    shutil.rmtree(partial, ignore_errors=True)
    making.run([making.programs.python, "-m", "venv", "--without-pip", str(partial)])
    words = [
        "install",
        "--isolated",
        "--no-index",
        "--find-links",
        str(wheels),
        "--no-deps",
        "--no-compile",
        "--progress-bar",
        "off",
    ]
    with requirements(recipe.wheels) as path:
        making.pip([*words, "--require-hashes", "-r", path])
    _repair(making)
    making.enter(EnvironmentState.CHECKING)
    said = making.run([str(partial / recipe.program), "--version"])
    if recipe.version not in said:
        detail = last_words(said)
        raise MakingError(reason(ReasonCode.ENVIRONMENT_BROKEN, engine=recipe.key, detail=detail))


def _check_room(making: Making) -> None:
    needed = int(making.recipe.size * _UNPACKED) + _MARGIN
    free = shutil.disk_usage(making.engines).free
    if free < needed:
        sizes = {"needed": format_bytes(needed), "free": format_bytes(free)}
        raise MakingError(reason(ReasonCode.DOWNLOAD_NO_SPACE, path=str(making.engines), **sizes))


def _repair(making: Making) -> None:
    """What the recipe says is wrong with packages as they are published."""
    (library,) = making.partial.glob("lib/python3*/site-packages")
    for repair in making.recipe.line_repairs:
        making.line(f"repair: {repair.why}")
        _drop_lines(library, repair)
    for repair in making.recipe.name_repairs:
        making.line(f"repair: {repair.why}")
        _add_name(library, repair)


def _drop_lines(library: Path, repair: LineRepair) -> None:
    path = library / repair.file
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not re.match(repair.pattern, line)), encoding="utf-8")


def _add_name(library: Path, repair: NameRepair) -> None:
    info = library / f"{repair.name}-{repair.version}.dist-info"
    info.mkdir()
    text = f"Metadata-Version: 2.1\nName: {repair.name}\nVersion: {repair.version}\n"
    (info / "METADATA").write_text(text, encoding="utf-8")
    (info / "INSTALLER").write_text("aimindserve\n", encoding="utf-8")
    (info / "RECORD").write_text("", encoding="utf-8")


def _publish(partial: Path, place: Path, digest: str) -> None:
    """Give the environment its place: its programs name the folder that they lie in."""
    for path in [*(partial / "bin").iterdir(), partial / "pyvenv.cfg"]:
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= _TEXT_BYTES:
            path.write_bytes(path.read_bytes().replace(str(partial).encode(), str(place).encode()))
    size = sum(path.lstat().st_size for path in partial.rglob("*"))
    marker = Marker(digest=digest, size=size, made_at=time.time())
    (partial / MARKER).write_text(marker.model_dump_json(), encoding="utf-8")
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial.rename(place)


def _drop_wheels(folder: Path, recipe: Recipe) -> None:
    for wheel in recipe.wheels:
        (folder / wheel.name).unlink(missing_ok=True)


@contextmanager
def _locked(partial: Path) -> Generator[int]:
    """Holds the lock of an environment; programs of an earlier try may still be at it."""
    path = partial.with_name(f"{partial.name}.lock")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        try:
            held = take(path, exclusive=True)
            break
        except LockBusyError:
            time.sleep(_POLL_SECONDS)
    try:
        yield held
    finally:
        release([held])


def main() -> int:
    """Read the job, do it."""
    end_with_parent()
    job = EnvironmentJob.model_validate_json(sys.stdin.buffer.readline())
    state = EnvironmentState.QUEUED

    def heard(news: EnvironmentNews) -> None:
        nonlocal state
        state = news.state
        tell(news)

    try:
        make_environment(job, heard)
    except MakingError as error:
        tell(EnvironmentNews(state=state, reason=error.why))
        return 1
    tell(EnvironmentNews(state=EnvironmentState.READY, done=job.recipe.size, finished=True))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
