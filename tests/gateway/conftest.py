"""Fixtures of the gateway's tests."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from tests.gateway.harness import Rig, rig


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for Unix sockets."""
    with tempfile.TemporaryDirectory(prefix="gw-") as name:
        yield Path(name)


@pytest_asyncio.fixture
async def stage(folder: Path) -> AsyncIterator[Rig]:
    """A gateway with the default limits."""
    async with rig(folder) as running:
        yield running


ON_BOTH_LOOPS = {"test_faults.py", "test_splice.py", "test_limits.py"}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The gateway runs on uvloop where that is installed, and its transports differ in what they do when: tests of
    pace and of sudden ends run on both loops."""
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    if item.path.name in ON_BOTH_LOOPS:
        try:
            import uvloop
        except ImportError:
            return loops
        loops["uvloop"] = uvloop.new_event_loop
    return loops
