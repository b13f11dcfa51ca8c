"""Whose turn it is: so many requests of one caller run at once, so many more wait, in order; the rest is refused."""

from collections import Counter, deque
from collections.abc import Callable

Start = Callable[[], None]


class Turns:
    """Counts by caller. ``running`` and ``waiting`` are the most of each for one caller; ``soon`` calls what it is
    given a little later, so that a line of requests that fail at once does not pile up calls."""

    __slots__ = ("_in_line", "_now", "_running", "_soon", "_waiting")

    def __init__(self, running: int, waiting: int, soon: Callable[[Start], object]) -> None:
        self._soon = soon
        self._running = running
        self._waiting = waiting
        self._now: Counter[str] = Counter()
        self._in_line: dict[str, deque[Start]] = {}

    def enter(self, caller: str, start: Start) -> bool:
        """Calls ``start`` now or when a turn is free; False when too many wait already."""
        if self._now[caller] < self._running:
            self._now[caller] += 1
            start()
            return True
        line = self._in_line.setdefault(caller, deque())
        if len(line) >= self._waiting:
            return False
        line.append(start)
        return True

    def leave(self, caller: str, start: Start) -> None:
        """The request that entered with ``start`` is over, whether it ran or still waits; the next one starts."""
        line = self._in_line.get(caller)
        if line:
            if start in line:
                line.remove(start)
                return
            self._soon(line.popleft())
            return
        self._in_line.pop(caller, None)
        self._now[caller] -= 1
        if not self._now[caller]:
            del self._now[caller]

    def waiting(self) -> int:
        """Requests that wait, over all callers."""
        return sum(len(line) for line in self._in_line.values())
