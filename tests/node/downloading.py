"""What tests of downloads share: a job against the small hub, the manager, waiting."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from tests.support.hub_server import TOKEN, Hub, content, serving

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.files import HubAccess, ModelState, StoredModel
from aimindserve.node.changes import Changes
from aimindserve.node.config import NodeConfig
from aimindserve.node.downloads import Downloads
from aimindserve.node.fetching import fetch
from aimindserve.node.store import Store
from aimindserve.node.transfer_job import TransferJob, TransferNews

SIZE = 300_000
PATIENCE = 30.0


@pytest.fixture
def hub() -> Iterator[Hub]:
    files = {"model.gguf": content(SIZE, 1), "sub/mmproj.gguf": content(SIZE // 2, 2), "config.json": b'{"a": 1}'}
    with serving(Hub(files)) as served:
        yield served


def job(hub: Hub, root: Path, facts: ModelFacts | None = None, **changes: object) -> TransferJob:
    fields: dict[str, object] = {
        "root": str(root),
        "source": "hf://org/repo",
        "facts": facts or hub.facts(),
        "endpoint": hub.endpoint,
        "token": TOKEN,
        "stall_timeout": 0.5,
        "backoff_first": 0.01,
    }
    return TransferJob.model_validate(fields | changes)


async def fetched(one: TransferJob) -> TransferNews:
    """The last news of a whole job."""
    Store(Path(one.root)).prepare()
    last = TransferNews()
    async with asyncio.timeout(PATIENCE), aclosing(fetch(one)) as told:
        async for news in told:
            last = news
    return last


def assert_whole(hub: Hub, root: Path) -> None:
    """Every file is there under its name, byte for byte."""
    store, facts = Store(root), hub.facts()
    assert store.is_ready(facts)
    for file in store.located(facts).files:
        name = file.path.partition("a" * 40 + "/")[2]
        assert Path(file.path).read_bytes() == hub.files[name]


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def until(ask: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not ask():  # noqa: ASYNC110 - processes and files tell nobody
            await asyncio.sleep(0.01)


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@asynccontextmanager
async def manager(tmp_path: Path, hub: Hub, **access: object) -> AsyncIterator[Downloads]:
    config = NodeConfig("node-1", tmp_path, backoff_first=0.02, stall_timeout=0.5)
    downloads = Downloads(config, Changes(), time.time)
    fields: dict[str, object] = {"endpoints": {"hf": hub.endpoint}, "tokens": {"hf": TOKEN}}
    downloads.order((), (), HubAccess.model_validate(fields | access))
    async with asyncio.TaskGroup() as group:
        running_ = group.create_task(downloads.run())
        try:
            yield downloads
        finally:
            running_.cancel()


def access(hub: Hub, **changes: object) -> HubAccess:
    return HubAccess.model_validate({"endpoints": {"hf": hub.endpoint}} | changes)


async def seen(downloads: Downloads, state: ModelState) -> StoredModel:
    async with asyncio.timeout(PATIENCE):
        while True:
            for model in downloads.observe():
                if model.state is state:
                    return model
            await asyncio.sleep(0.01)
