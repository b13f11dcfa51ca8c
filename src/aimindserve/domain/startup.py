"""Start-ups: their stages, how long each takes, and when one is likely to be over."""

import hashlib
import itertools
from collections.abc import Iterable, Sequence
from statistics import median

from pydantic import BaseModel, ConfigDict

# Starts of a model that are remembered, the newest ones.
KEPT_STARTS = 5
# Stages that say nothing about the next start: downloads happen once and tell their own progress.
_NOT_COUNTED = frozenset({"accepted", "downloaded"})
# A share of a stage below which it does not foretell the rest.
_TELLING_SHARE = 0.1


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Mark(_Frozen):
    """A stage of the start-up that was over at ``at`` (Unix seconds)."""

    stage: str
    at: float


class Doing(_Frozen):
    """The stage that is under way since ``since`` (Unix seconds). ``share``: how much of it is done, 0 to 1, where the
    engine tells."""

    stage: str
    since: float
    share: float | None = None


class StageTime(_Frozen):
    """How long a stage took."""

    stage: str
    seconds: float


class StartTimes(_Frozen):
    """The stages of one start that came to its end, in their order."""

    replica_id: str
    attempt: int
    stages: tuple[StageTime, ...]


def start_key(source: str, engine: str) -> str:
    """Whose starts are compared: the same model in the same engine."""
    return hashlib.sha256(f"{engine}\n{source}".encode()).hexdigest()


def stage_times(marks: Sequence[Mark]) -> tuple[StageTime, ...]:
    """The counted stages, each from the mark before it."""
    pairs = itertools.pairwise(marks)
    times = (StageTime(stage=mark.stage, seconds=round(max(mark.at - before.at, 0.0), 3)) for before, mark in pairs)
    return tuple(time for time in times if time.stage not in _NOT_COUNTED)


def load_seconds(marks: Sequence[Mark]) -> float:
    """What a start took once its files were there."""
    return sum(time.seconds for time in stage_times(marks))


def load_began(marks: Sequence[Mark]) -> float | None:
    """When the files of a start were there (Unix seconds); None before it began."""
    return max((mark.at for mark in marks if mark.stage in _NOT_COUNTED), default=None)


def with_start(known: Sequence[StartTimes], new: StartTimes) -> tuple[StartTimes, ...]:
    """The remembered starts with a new one, newest first; each attempt once."""
    others = (one for one in known if (one.replica_id, one.attempt) != (new.replica_id, new.attempt))
    return (new, *others)[:KEPT_STARTS]


def usual_seconds(starts: Iterable[StartTimes], stage: str) -> float | None:
    """How long a stage takes usually (median); None when no start had it."""
    found = [time.seconds for start in starts for time in start.stages if time.stage == stage]
    return median(found) if found else None


def seconds_left(starts: Sequence[StartTimes], doing: Doing, now: float) -> float | None:
    """Seconds until a start is likely to be over: the rest of the stage under way and those that follow it. None
    where no earlier start had that stage, and while files are downloaded."""
    usual = usual_seconds(starts, doing.stage)
    if usual is None or doing.stage in _NOT_COUNTED:
        return None
    newest = next(start for start in starts if any(time.stage == doing.stage for time in start.stages))
    order = [time.stage for time in newest.stages]
    later = order[order.index(doing.stage) + 1 :]
    rest = sum(usual_seconds(starts, stage) or 0.0 for stage in later)
    return _left_of(doing, usual, now) + rest


def _left_of(doing: Doing, usual: float, now: float) -> float:
    elapsed = max(now - doing.since, 0.0)
    if doing.share is not None and doing.share >= _TELLING_SHARE:
        return elapsed * (1 - doing.share) / doing.share
    return max(usual - elapsed, 0.0)
