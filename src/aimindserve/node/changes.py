"""Counting what changes on a node, for those who wait for it."""

import asyncio


class Changes:
    """Counts changes and lets others wait for the next."""

    def __init__(self) -> None:
        self._count = 1
        self._event = asyncio.Event()

    def note(self) -> None:
        """Something changed."""
        self._count += 1
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, seen: int) -> int:
        """The present number once it is not ``seen`` any more."""
        while self._count == seen:
            await self._event.wait()
        return self._count
