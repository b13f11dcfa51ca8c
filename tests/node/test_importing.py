"""Model files that are brought in a folder: copied, verified, and completed by the hub where that may be asked."""

from pathlib import Path

import pytest
from tests.node.downloading import SIZE, access, assert_whole, fetched, hub, job, manager, seen
from tests.support.hub_server import Hub

from aimindserve.domain.files import IMPORTED, ModelState, WantedModel, blob_name
from aimindserve.node.store import Store

__all__ = ["hub"]


def usb(hub: Hub, folder: Path, *, flat: bool = False) -> Path:
    for path, text in hub.files.items():
        place = folder / (path.rpartition("/")[2] if flat else path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text)
    return folder


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("digests", [False, True])
async def test_files_are_copied_without_a_hub(hub: Hub, tmp_path: Path, *, flat: bool, digests: bool) -> None:
    folder = usb(hub, tmp_path / "usb", flat=flat)
    facts = hub.facts(digests=digests)
    last = await fetched(job(hub, tmp_path / "models", facts, folder=str(folder), offline=True))
    assert last.finished, last
    assert last.done == sum(map(len, hub.files.values()))
    assert_whole(hub, tmp_path / "models")
    assert hub.requests == 0
    # Copies, not links: the disk may go.
    for file in facts.files:
        assert not Store(tmp_path / "models").blob(facts.origin, file).is_symlink()  # type: ignore[arg-type]


async def test_what_is_damaged_is_never_used(hub: Hub, tmp_path: Path) -> None:
    folder = usb(hub, tmp_path / "usb")
    (folder / "model.gguf").write_bytes(bytes(SIZE))
    last = await fetched(job(hub, tmp_path / "models", folder=str(folder)))
    assert last.reason is not None
    assert (last.reason.code, last.reason.params["path"]) == ("import_differs", str(folder / "model.gguf"))
    assert not Store(tmp_path / "models").is_ready(hub.facts())
    (folder / "model.gguf").write_bytes(bytes(SIZE - 1))
    last = await fetched(job(hub, tmp_path / "models", folder=str(folder)))
    assert last.reason is not None
    assert last.reason.code == "import_differs"
    usb(hub, folder)
    assert (await fetched(job(hub, tmp_path / "models", folder=str(folder)))).finished
    assert_whole(hub, tmp_path / "models")


async def test_what_is_missing_is_fetched_or_named(hub: Hub, tmp_path: Path) -> None:
    folder = usb(hub, tmp_path / "usb")
    (folder / "sub" / "mmproj.gguf").unlink()
    last = await fetched(job(hub, tmp_path / "models", folder=str(folder), offline=True))
    assert last.reason is not None
    assert (last.reason.code, last.reason.params["file"]) == ("import_missing", "sub/mmproj.gguf")
    assert (await fetched(job(hub, tmp_path / "models", folder=str(folder)))).finished
    assert set(hub.sent) == {"sub/mmproj.gguf"}


async def test_files_of_no_known_commit_are_not_asked_for(hub: Hub, tmp_path: Path) -> None:
    facts = hub.facts(digests=False)
    assert facts.origin is not None
    facts = facts.model_copy(update={"origin": facts.origin.model_copy(update={"revision": IMPORTED})})
    last = await fetched(job(hub, tmp_path / "models", facts, folder=str(tmp_path / "usb")))
    assert last.reason is not None
    assert last.reason.code == "import_missing"
    assert hub.requests == 0


async def test_another_store_is_a_folder_too(hub: Hub, tmp_path: Path) -> None:
    assert (await fetched(job(hub, tmp_path / "there"))).finished
    before = hub.requests
    last = await fetched(job(hub, tmp_path / "models", folder=str(tmp_path / "there"), offline=True))
    assert last.finished
    assert hub.requests == before
    assert_whole(hub, tmp_path / "models")


async def test_an_order_with_a_folder_works_offline_and_a_half_copy_is_made_anew(hub: Hub, tmp_path: Path) -> None:
    folder, facts = usb(hub, tmp_path / "usb"), hub.facts()
    wanted = WantedModel(source="hf://org/repo", facts=facts, folder=str(folder))
    async with manager(tmp_path, hub, offline=True) as downloads:
        downloads.store.prepare()
        assert facts.origin is not None
        (downloads.store.partials / blob_name(facts.origin, facts.files[0])).write_bytes(b"half")
        downloads.order((wanted,), (), access(hub, offline=True))
        done = await seen(downloads, ModelState.READY)
    assert done.progress.done == done.progress.total
    assert_whole(hub, downloads.store.root)
    assert hub.requests == 0
