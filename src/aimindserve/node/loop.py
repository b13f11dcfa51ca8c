"""Tasks that must not end: the only place of the node that catches everything."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

_log = logging.getLogger("aimindserve.node")


async def keep_going(name: str, work: Callable[[], Awaitable[None]], pause: float = 1.0) -> None:
    """Run ``work`` until it returns; an error of ours is logged and the work begun again after ``pause`` seconds."""
    while True:
        try:
            await work()
            return
        except Exception:  # noqa: BLE001 - whatever it was, the other replicas must go on
            _log.exception("%s failed and is begun again", name)
            await asyncio.sleep(pause)


async def first_of(**work: Coroutine[Any, Any, Any]) -> set[str]:
    """Run all until the first ends, then cancel the others. Names of those that ended by themselves."""
    async with asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(one) for name, one in work.items()}
        await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        ended = {name for name, task in tasks.items() if task.done()}
        for task in tasks.values():
            task.cancel()
    return ended
