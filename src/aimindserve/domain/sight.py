"""What a start's pictures proved: that the model sees, or what it said instead."""

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from aimindserve.domain.sight_pictures import SightKind, Trial

# Characters of an answer that are kept.
_MOST_TOLD = 120


class SightOutcome(StrEnum):
    """``content_wrong``: it answers, but not what the pictures show; ``failed``: it does not answer about pictures."""

    PASSED = "passed"
    CONTENT_WRONG = "content_wrong"
    FAILED = "failed"


class SightCheck(BaseModel):
    """One picture: what it shows, and what the model said (shortened)."""

    model_config = ConfigDict(frozen=True)

    kind: SightKind
    shown: str
    answer: str
    right: bool


class Sight(BaseModel):
    """What the pictures of one start proved. Those that were not asked for lack of time are absent."""

    model_config = ConfigDict(frozen=True)

    outcome: SightOutcome
    checks: tuple[SightCheck, ...]


def judge(trial: Trial, answer: str) -> SightCheck:
    """What an answer proves."""
    printable = "".join(character if character.isprintable() else " " for character in answer)
    told = " ".join(printable.split())[:_MOST_TOLD]
    return SightCheck(kind=trial.kind, shown=trial.shown, answer=told, right=trial.is_right(told))


def sight_of(checks: Sequence[SightCheck]) -> Sight:
    """What all that was asked proves together; nothing answered is a failure."""
    if not checks:
        return Sight(outcome=SightOutcome.FAILED, checks=())
    passed = all(check.right for check in checks)
    return Sight(outcome=SightOutcome.PASSED if passed else SightOutcome.CONTENT_WRONG, checks=tuple(checks))
