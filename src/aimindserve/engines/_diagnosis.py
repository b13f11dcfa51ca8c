"""Why an engine ended, out of its log: causes as a table, and the lines that show them."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.reasons import Reason, ReasonCode, reason

# Lines that are shown of a log, and characters of each.
_MOST_LINES, _MOST_CHARACTERS = 5, 300
_MOST_DETAIL = 200
_ERROR = re.compile(r"error|exception|failed|cannot|fatal|abort|killed|traceback|^\S+ E ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Case:
    """A log with what is known beside it. ``version``: of the engine's program."""

    lines: Sequence[str]
    facts: ModelFacts
    version: str


Builder = Callable[[re.Match[str], Case], Reason]
Cause = tuple[str, Builder]
"""A pattern of lines, and the reason that follows from the first of them."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a log tells about an end. ``reason``: None where it does not tell the cause; ``evidence``: the lines that
    show it, else the last ones that look like errors."""

    reason: Reason | None
    evidence: tuple[str, ...]


class Causes:
    """A table of causes. The first pattern with a matching line wins, so causes stand before their consequences."""

    def __init__(self, causes: Iterable[Cause]) -> None:
        self._causes = tuple((re.compile(pattern), builder) for pattern, builder in causes)

    def diagnose(self, case: Case) -> Diagnosis:
        """What the log of ``case`` tells."""
        for pattern, builder in self._causes:
            matching = [line for line in case.lines if pattern.search(line)]
            found = pattern.search(matching[0]) if matching else None
            if found is not None:
                return Diagnosis(builder(found, case), _shown(matching[:_MOST_LINES]))
        return Diagnosis(None, last_errors(case.lines))


def last_errors(lines: Sequence[str]) -> tuple[str, ...]:
    """The last lines that look like errors, else the last ones."""
    errors = [line for line in lines if _ERROR.search(line)]
    return _shown((errors or [line for line in lines if line.strip()])[-_MOST_LINES:])


def _shown(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.strip()[:_MOST_CHARACTERS] for line in lines))


def any_of(*wordings: str) -> str:
    """A pattern of lines from any of these wordings to their end."""
    return rf"(?:{'|'.join(wordings)})[^\n]*"


def short(text: str) -> str:
    """A piece of a log for a sentence."""
    return " ".join(text.split()).rstrip(".")[:_MOST_DETAIL]


def plain(code: ReasonCode) -> Builder:
    """The reason alone."""
    return lambda _found, _case: reason(code)


def detail(code: ReasonCode) -> Builder:
    """The reason with what the pattern's first group that matched holds, else all that matched, as its detail."""
    return lambda found, _case: reason(code, detail=short(next((group for group in found.groups() if group), found[0])))
