"""Whose turn it is, at which model.

Each model takes so many requests at once, and so does each key and each person; what does not fit waits in a line of
its key, and each line has an end. A place that gets free at a model goes to the keys that wait there in turn, not to
requests by their age: between two starts of one key, every other key that waits there and may run more is started
once. So a key with any number of waiting requests delays another one by at most one start for each key that waits."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

Start = Callable[[], None]
Bounds = tuple[tuple[str, int], ...]
"""Names of who is counted, each with the most that may run at once."""


class Entry(Enum):
    """What became of a request that came."""

    STARTS = "starts"
    WAITS = "waits"
    FULL = "full"


@dataclass(eq=False, slots=True)
class Ticket:
    """A request that wants to run. ``line``: the key (or person) whose line it waits in. ``start`` is kept for whoever
    starts it."""

    line: str
    model: str
    bounds: Bounds
    start: Start
    running: bool = False


class Turns:
    """Counts, and lines by model and key. ``waiting``: the most that wait in one key's lines."""

    __slots__ = ("_lines", "_running", "_waiting", "_waits")

    def __init__(self, waiting: int) -> None:
        self._waiting = waiting
        self._running: dict[str, int] = {}
        self._lines: dict[str, dict[str, deque[Ticket]]] = {}
        self._waits: Counter[str] = Counter()

    def enter(self, ticket: Ticket) -> Entry:
        """``ticket`` starts now, waits until ``leave`` of another one gives it, or is refused."""
        if self._may_start(ticket):
            # Whoever waits for this model now waits for something else: nobody is overtaken.
            self._count(ticket)
            return Entry.STARTS
        if self._waits[ticket.line] >= self._waiting:
            return Entry.FULL
        self._lines.setdefault(ticket.model, {}).setdefault(ticket.line, deque()).append(ticket)
        self._waits[ticket.line] += 1
        return Entry.WAITS

    def leave(self, ticket: Ticket) -> list[Ticket]:
        """``ticket`` is over, whether it ran or still waits. The tickets that start now are counted as running."""
        if not ticket.running:
            self._remove(ticket)
            return []
        ticket.running = False
        for name, _ in ticket.bounds:
            left = self._running[name] - 1
            if left:
                self._running[name] = left
            else:
                del self._running[name]
        if not self._lines:
            return []
        # The place at this model first; then the key or person may have room for what it waits with elsewhere.
        models = [ticket.model, *(model for model in self._lines if model != ticket.model)]
        return [started for model in models for started in self._advance(model)]

    def waiting(self) -> int:
        """Requests that wait, over all keys."""
        return self._waits.total()

    def waiting_by_model(self) -> dict[str, int]:
        """Requests that wait, by model."""
        return {model: sum(map(len, lines.values())) for model, lines in self._lines.items()}

    def waits(self, line: str) -> int:
        """Requests of one key that wait."""
        return self._waits[line]

    def running(self, name: str) -> int:
        """Requests of a key, a person or at a model that run."""
        return self._running.get(name, 0)

    def _may_start(self, ticket: Ticket) -> bool:
        get = self._running.get
        # A generator would take twice the time, and this is done for each request.
        for name, most in ticket.bounds:  # noqa: SIM110
            if get(name, 0) >= most:
                return False
        return True

    def _count(self, ticket: Ticket) -> None:
        ticket.running = True
        running = self._running
        for name, _ in ticket.bounds:
            running[name] = running.get(name, 0) + 1

    def _advance(self, model: str) -> list[Ticket]:
        """Starts what may start at one model, a request of each key in turn."""
        started: list[Ticket] = []
        while (ticket := self._next(model)) is not None:
            self._count(ticket)
            started.append(ticket)
        return started

    def _next(self, model: str) -> Ticket | None:
        """The first key's first request that may start; its key goes to the end of the round."""
        lines = self._lines.get(model, {})
        for key, line in lines.items():
            ticket = line[0]
            if self._may_start(ticket):
                self._remove(ticket)
                if line:
                    lines[key] = lines.pop(key)
                return ticket
        return None

    def _remove(self, ticket: Ticket) -> None:
        lines = self._lines.get(ticket.model, {})
        line = lines.get(ticket.line)
        if line is None or ticket not in line:
            return
        line.remove(ticket)
        self._waits[ticket.line] -= 1
        if not self._waits[ticket.line]:
            del self._waits[ticket.line]
        if not line:
            del lines[ticket.line]
        if not lines:
            del self._lines[ticket.model]
