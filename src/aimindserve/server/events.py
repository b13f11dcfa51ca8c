"""The bus that wakes listeners after a commit: live streams, reconcilers, the routing table's publisher.

It carries no data. A listener that wakes looks at the whole level again, so a wake-up that is merged with another, or
comes too early, does no harm."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class EventBus:
    """Wakes every listener. Lives on one event loop."""

    def __init__(self) -> None:
        self._flags: set[asyncio.Event] = set()

    def wake(self) -> None:
        """Wakes all listeners; those that are busy find their flag set when they wait next."""
        for flag in self._flags:
            flag.set()

    @contextmanager
    def listen(self, *others: "EventBus") -> Iterator["Listener"]:
        """A listener that misses no wake-up of this bus, or of the ``others``, from now on."""
        flag = asyncio.Event()
        buses = (self, *others)
        for bus in buses:
            bus.add(flag)
        try:
            yield Listener(flag)
        finally:
            for bus in buses:
                bus.discard(flag)

    def add(self, flag: asyncio.Event) -> None:
        """Set ``flag`` at every wake-up from now on."""
        self._flags.add(flag)

    def discard(self, flag: asyncio.Event) -> None:
        """Leave ``flag`` alone from now on."""
        self._flags.discard(flag)


class Listener:
    """One waiting party."""

    def __init__(self, flag: asyncio.Event) -> None:
        self._flag = flag

    async def wait(self, timeout: float) -> bool:  # noqa: ASYNC109  # a period, not a deadline of the caller
        """Waits for a wake-up, at most ``timeout`` seconds. True when there was one since the last call."""
        # Not wait_for: before Python 3.12 it drops a cancellation that comes together with the wake-up.
        try:
            async with asyncio.timeout(timeout):
                await self._flag.wait()
        except TimeoutError:
            return False
        self._flag.clear()
        return True
