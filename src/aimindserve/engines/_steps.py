"""The stages of a start, from the lines of an engine's log."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

_PERCENT = re.compile(r"\b(\d{1,3})%")


@dataclass(frozen=True, slots=True)
class Step:
    """A stage and the pattern of the lines with which it begins."""

    stage: str
    begins: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Steps:
    """The stages of an engine in their order. ``first`` needs no line. A line that belongs to several begins the last
    of them. ``shares``: lines that tell how much of a stage is done, in percent."""

    first: str
    later: tuple[Step, ...]
    shares: re.Pattern[str] | None = None

    @property
    def order(self) -> tuple[str, ...]:
        """All stages in their order."""
        return (self.first, *(step.stage for step in self.later))


def steps(first: str, *later: tuple[str, str], shares: str | None = None) -> Steps:
    """Stages with the patterns of their beginnings."""
    found = tuple(Step(stage, re.compile(pattern)) for stage, pattern in later)
    return Steps(first, found, re.compile(shares) if shares else None)


class StepReader:
    """Reads a log from its beginning. ``ended``: stages that are known to be over. ``stage`` is under way, and
    ``share`` of it done, where the log tells."""

    def __init__(self, known: Steps, ended: Collection[str] = ()) -> None:
        self._steps = known
        self._order = known.order
        self._ended = set(ended)
        self.stage = known.first
        self.share: float | None = None

    def read(self, lines: Sequence[str]) -> list[str]:
        """The stages that are over by what further lines say."""
        return [ended for line in lines if (ended := self._read(line)) is not None]

    def _read(self, line: str) -> str | None:
        if self._steps.shares is not None and self._steps.shares.search(line):
            percents = _PERCENT.findall(line)
            self.share = min(int(percents[-1]), 100) / 100 if percents else self.share
        begun = next((step.stage for step in reversed(self._steps.later) if step.begins.search(line)), None)
        if begun is None or begun == self.stage or begun in self._ended:
            return None
        before, self.stage, self.share = self.stage, begun, None
        if self._order.index(begun) < self._order.index(before):
            # It came before what was thought to be under way, which begins later.
            return None
        was_known = before in self._ended
        self._ended.add(before)
        return None if was_known else before
