"""Hostile pictures and large ones at a gateway process: what they cost it and its decoders."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import psutil
import pytest
from tests.gateway.harness import post, until
from tests.gateway.hostile import HOSTILE
from tests.gateway.picture_host import asking, scene
from tests.gateway.pictures import real, uri

pytestmark = pytest.mark.soak

ROUNDS = 20
MIB = 1024**2


async def test_hostile_pictures_are_refused_fast_and_cost_little(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("m")
    async with scene(folder) as place:
        before = psutil.Process().memory_info().rss
        times: list[float] = []
        for _ in range(ROUNDS):
            for number, picture in enumerate(HOSTILE.values()):
                for body in (asking(uri(picture)), asking(place.put(f"/{number}", picture))):
                    began = time.perf_counter()
                    assert (await place.stage.ask(post(body))).status == 400
                    times.append(time.perf_counter() - began)
        grown = psutil.Process().memory_info().rss - before
        assert place.engine.connections == 0
    times.sort()
    slow = times[-len(times) // 100]
    print(f"{len(times)} refusals: median {times[len(times) // 2] * 1e3:.1f} ms, p99 {slow * 1e3:.1f} ms")
    print(f"memory grew by {grown / MIB:.0f} MiB")
    assert slow < 0.3
    assert grown < 64 * MIB


async def test_many_large_pictures_by_address(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Four requests at a time with 39 million pixels each: memory stays that of two decoders."""
    folder: Path = tmp_path_factory.mktemp("m")
    large = real("JPEG", (8000, 4900))
    async with scene(folder) as place:
        highest = 0

        async def watch() -> None:
            nonlocal highest
            while True:
                decoders = [psutil.Process(pid) for pid in place.stage.gateway.media.decoders.processes]
                highest = max(highest, *(one.memory_info().rss for one in decoders), 0)
                await asyncio.sleep(0.02)

        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(watch())
            for start in range(0, 16, 4):
                urls = [place.put(f"/{start + one}", large + bytes([start + one]), "image/jpeg") for one in range(4)]
                answers = await asyncio.gather(*(place.stage.ask(post(asking(url))) for url in urls))
                assert [answer.status for answer in answers] == [200] * 4
            watching.cancel()
        await until(lambda: place.stage.gateway.budget.held == 0)
        assert len(place.stage.gateway.media.decoders.processes) <= 2
        assert place.stage.gateway.media.cache.bytes <= 32 * MIB
    print(f"a decoder took {highest / MIB:.0f} MiB at most")
    assert highest < 512 * MIB
