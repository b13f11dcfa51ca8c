"""Downloads: whole, verified, resumed, and never a damaged file under a model's name."""

import asyncio
import gc
import random
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from tests.node.downloading import (
    PATIENCE,
    SIZE,
    assert_whole,
    children_of,
    fetched,
    hub,
    job,
    running,
    until,
)
from tests.support.hub_server import PIECE, Fault, Hub, content, serving

from aimindserve.domain.files import model_key
from aimindserve.node.fetching import fetch
from aimindserve.node.store import Store
from aimindserve.node.transfer_job import TransferJob

__all__ = ["hub"]


async def test_a_model_arrives_whole_and_the_token_stays_at_home(hub: Hub, tmp_path: Path) -> None:
    last = await fetched(job(hub, tmp_path / "models"))
    assert last.finished
    assert last.done == sum(map(len, hub.files.values()))
    assert_whole(hub, tmp_path / "models")
    assert hub.leaked == 0
    assert not list((tmp_path / "models" / "partial").iterdir())


FAULTS = [
    *(Fault("status", status=status) for status in (500, 502, 503, 504, 408, 425)),
    Fault("status", status=429, retry_after="0"),
    Fault("status", status=503, retry_after="nonsense"),
    Fault("status", status=416),
    *(Fault("cut", at=at) for at in (0, 1, 63, 4096, 65536, SIZE // 3, SIZE // 2 - 1, SIZE - 1)),
    *(Fault("stall", at=at) for at in (0, 70_000)),
    Fault("wrong bytes"),
    Fault("too long"),
    Fault("too short"),
    Fault("page"),
    Fault("loop"),
    Fault("no range"),
    Fault("wrong range"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind}-{fault.status or fault.at}")
async def test_one_fault_is_survived(hub: Hub, tmp_path: Path, fault: Fault) -> None:
    hub.files = {"model.gguf": hub.files["model.gguf"]}
    hub.faults = [fault]
    last = await fetched(job(hub, tmp_path / "models"))
    assert last.finished, last
    assert_whole(hub, tmp_path / "models")
    if fault.kind in ("cut", "stall", "status"):
        assert hub.sent["model.gguf"] <= SIZE  # nothing was sent twice


def some_faults(random_: random.Random) -> list[Fault]:
    kinds = ["cut", "cut", "cut", "status", "wrong range", "no range", "page", "wrong bytes", "loop"]
    faults = []
    for kind in random_.choices(kinds, k=random_.randint(1, 5)):
        status = random_.choice([429, 500, 503])
        faults.append(Fault(kind, at=random_.randint(0, SIZE), status=status, retry_after=random_.choice([None, "0"])))
    return faults


async def try_a_mixture(tmp_path: Path, seed: int) -> None:
    random_ = random.Random(seed)
    with serving(Hub({"model.gguf": content(SIZE, seed), "config.json": b"{}"})) as hub:
        hub.faults = some_faults(random_)
        damaging = sum(fault.kind == "wrong bytes" for fault in hub.faults)
        last = await fetched(job(hub, tmp_path / str(seed)))
        if last.finished:
            assert_whole(hub, tmp_path / str(seed))
        else:
            assert last.reason is not None
            assert not Store(tmp_path / str(seed)).is_ready(hub.facts())
            assert damaging >= 2, last


@pytest.mark.parametrize("seed", range(30))
async def test_mixtures_of_faults(tmp_path: Path, seed: int) -> None:
    await try_a_mixture(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1000, 1500))
async def test_many_mixtures_of_faults(tmp_path: Path, seed: int) -> None:
    await try_a_mixture(tmp_path, seed)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_is_said_at_once(hub: Hub, tmp_path: Path, status: int) -> None:
    hub.faults = [Fault("status", status=status)] * 3
    last = await fetched(job(hub, tmp_path / "models"))
    assert last.reason is not None
    assert last.reason.code == "download_refused"
    assert not Store(tmp_path / "models").is_ready(hub.facts())


async def test_damage_that_comes_back_is_given_up_and_nothing_is_kept(hub: Hub, tmp_path: Path) -> None:
    hub.files = {"model.gguf": hub.files["model.gguf"]}
    hub.faults = [Fault("wrong bytes")] * 5
    last = await fetched(job(hub, tmp_path / "models"))
    assert last.reason is not None
    assert last.reason.code == "download_damaged"
    assert not list((tmp_path / "models" / "blobs").iterdir())
    assert not list((tmp_path / "models" / "partial").iterdir())


async def test_a_file_that_is_gone(hub: Hub, tmp_path: Path) -> None:
    facts = hub.facts()
    hub.files = {}
    last = await fetched(job(hub, tmp_path / "models", facts))
    assert last.reason is not None
    assert last.reason.code == "download_not_found"


async def test_a_wait_that_is_too_long_is_told_with_its_seconds(hub: Hub, tmp_path: Path) -> None:
    hub.faults = [Fault("status", status=429, retry_after="300")] * 3
    last = await fetched(job(hub, tmp_path / "models"))
    assert last.reason is not None
    assert last.retry_after == 300


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
async def test_a_killed_download_goes_on_where_it_was(tmp_path: Path, share: float) -> None:
    with serving(Hub({"model.gguf": content(2_000_000, 5)}, rate=4_000_000)) as hub:
        one, root = job(hub, tmp_path / "models"), tmp_path / "models"
        Store(root).prepare()
        async with asyncio.timeout(PATIENCE), aclosing(fetch(one)) as told:
            async for news in told:
                if news.done > share * 2_000_000 or news.finished:
                    break
        kept = sum(path.stat().st_size for path in (root / "partial").iterdir())
        sent = hub.sent["model.gguf"]
        hub.rate = None
        assert (await fetched(one)).finished
        assert_whole(hub, root)
        # The second run asked only for what was not on the disk. (One piece was on its way when the first was killed.)
        assert hub.sent["model.gguf"] - sent <= 2_000_000 - kept + PIECE


def test_one_that_is_cancelled_again_and_again_leaves_nothing_open(tmp_path: Path) -> None:
    async def cancelled_often(one: TransferJob, hub: Hub) -> None:
        task = asyncio.ensure_future(fetched(one))
        await until(lambda: bool(hub.sending))
        for _ in range(20):
            task.cancel()
            await asyncio.sleep(0)
        await asyncio.wait([task], timeout=PATIENCE)
        assert task.cancelled()

    with serving(Hub({"model.gguf": content(3_000_000, 5)}, rate=200_000)) as hub:
        one = job(hub, tmp_path / "models")
        Store(tmp_path / "models").prepare()
        with warnings.catch_warnings(record=True) as complaints:
            warnings.simplefilter("always", ResourceWarning)
            asyncio.run(cancelled_often(one, hub))
            gc.collect()
    assert [str(complaint.message) for complaint in complaints] == []


async def test_the_process_ends_with_its_parent(tmp_path: Path) -> None:
    with serving(Hub({"model.gguf": content(3_000_000, 5)}, rate=200_000)) as hub:
        Store(tmp_path / "models").prepare()
        script = (
            "import asyncio, sys\n"
            "from aimindserve.node.fetching import fetch\n"
            "from aimindserve.node.transfer_job import TransferJob\n"
            "async def main():\n"
            "    async for news in fetch(TransferJob.model_validate_json(sys.stdin.readline())):\n"
            "        print(news.done, flush=True)\n"
            "asyncio.run(main())\n"
        )
        parent = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", script), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(job(hub, tmp_path / "models").model_dump_json().encode() + b"\n")
        await parent.stdin.drain()
        await parent.stdout.readline()
        children = children_of(parent.pid)
        assert children
        parent.send_signal(signal.SIGKILL)
        await parent.wait()
        await until(lambda: not any(running(pid) for pid in children))


async def test_a_cached_file_is_used_where_it_lies(hub: Hub, tmp_path: Path) -> None:
    facts, cache = hub.facts(), tmp_path / "hub"
    blobs = cache / "models--org--repo" / "blobs"
    blobs.mkdir(parents=True)
    for file in facts.files:
        (blobs / (file.digest or "").partition(":")[2]).write_bytes(hub.files[file.path])
    damaged = facts.files[1]
    (blobs / (damaged.digest or "").partition(":")[2]).write_bytes(bytes(damaged.size))
    assert (await fetched(job(hub, tmp_path / "models", caches=(str(cache),)))).finished
    assert_whole(hub, tmp_path / "models")
    assert set(hub.sent) == {damaged.path}  # what did not verify was fetched
    store = Store(tmp_path / "models")
    store.forget(model_key(facts))
    assert len(list(blobs.iterdir())) == 3
    assert not list(store.blobs.iterdir())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], check=False, capture_output=True
    )
    if done.returncode != 0:
        pytest.skip("only root may mount")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


async def test_a_disk_that_fills_up_meanwhile_is_told_and_what_arrived_is_kept(hub: Hub, small_disk: Path) -> None:
    hub.files = {"model.gguf": hub.files["model.gguf"]}
    last = await fetched(job(hub, small_disk / "models"))
    assert last.reason is not None
    assert last.reason.code == "disk_full"
    assert 0 < last.done < SIZE
    kept = Store(small_disk / "models").there(hub.facts())
    await asyncio.to_thread(subprocess.run, ["mount", "-o", "remount,size=1m", str(small_disk)], check=True)
    await until(lambda: not hub.sending)
    before = hub.sent["model.gguf"]
    assert (await fetched(job(hub, small_disk / "models"))).finished
    assert_whole(hub, small_disk / "models")
    assert hub.sent["model.gguf"] - before <= SIZE - kept
