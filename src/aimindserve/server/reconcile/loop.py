"""The one loop helper: a step that is run again when woken, or after a period, and never twice at once.

Level-triggered: a wake-up carries nothing, and any number of them while a step runs make one more step. A step that
fails is logged and tried again with a growing pause; it never ends the server. This is the only file that catches
every exception."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from aimindserve.server.events import EventBus

log = structlog.get_logger()

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 10.0
_FORWARD_SECONDS = 3600.0


class Loop:
    """Runs ``step`` for ever. ``period``: seconds after which the level is looked at again without a wake-up;
    ``first_pause``: seconds after a first failure, doubled at each further one."""

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[object]],
        *,
        period: float,
        first_pause: float = _FIRST_PAUSE_SECONDS,
    ) -> None:
        self.name = name
        self.period = period
        self.first_pause = first_pause
        self.rounds = 0
        """Steps that ended well."""
        self.failures = 0
        """Steps that failed since the last good one."""
        self.tried = asyncio.Event()
        """Set once the first step has ended, well or not."""
        self._step = step
        self._flag = asyncio.Event()

    def wake(self) -> None:
        """Asks for a step as soon as the present one, if any, has ended."""
        self._flag.set()

    async def run(self) -> None:
        """Steps until it is cancelled."""
        while True:
            self._flag.clear()
            await self._try_step()
            self.tried.set()
            if self.failures:
                await asyncio.sleep(self._pause())
            else:
                await self._wait()

    async def _try_step(self) -> None:
        try:
            await self._step()
        except Exception:
            self.failures += 1
            log.exception("loop step failed", loop=self.name, failures=self.failures, retry_seconds=self._pause())
        else:
            self.failures = 0
            self.rounds += 1

    def _pause(self) -> float:
        return min(self.first_pause * 2 ** min(self.failures - 1, 16), _LONGEST_PAUSE_SECONDS)

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.period):
                await self._flag.wait()


async def contain(name: str, work: Awaitable[object]) -> None:
    """Waits for ``work``; a defect in it is logged and ends nothing else."""
    try:
        await work
    except Exception:
        log.exception("task failed", task=name)


async def wake_after_commits(bus: EventBus, loops: Callable[[], list[Loop]]) -> None:
    """Wakes all ``loops`` after every commit (whenever ``bus`` is woken), until it is cancelled."""
    with bus.listen() as listener:
        while True:
            if await listener.wait(_FORWARD_SECONDS):
                for loop in loops():
                    loop.wake()
