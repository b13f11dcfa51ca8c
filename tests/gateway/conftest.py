"""Fixtures of the gateway's tests."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
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
