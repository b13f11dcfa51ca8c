"""The emulated Hugging Face hub against the real client library."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import huggingface_hub
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from aimindserve.sim.hub_data import GRANTED, NO_SCOPE, NOT_LISTED, load
from aimindserve.sim.hub_files import Held, Virtual, hub_file
from aimindserve.sim.hub_repositories import Repository
from aimindserve.sim.hub_server import FakeHub

GUIDE = "bartowski/Qwen2-VL-2B-Instruct-GGUF"
GATED = "maker/gated"
WEIGHTS = Held(bytes(range(256)) * 8192)


def gated() -> Repository:
    made = Repository(GATED, gated="manual", about={"tags": ["safetensors"], "downloads": 10})
    made.commit([hub_file("config.json", Held(b"{}")), hub_file("sub/model.safetensors", WEIGHTS)])
    return made


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    catalogue = load()
    catalogue.add(gated())
    for number in range(7):
        many = Repository(f"many/model-{number}", about={"tags": ["many"], "likes": number})
        many.commit([hub_file(f"folder-{part}/file-{part}.txt", Held(b"x")) for part in range(5)])
        catalogue.add(many)
    granted = catalogue.tokens[GRANTED]
    catalogue.tokens[GRANTED] = type(granted)(accepted=granted.accepted | {GATED})
    with FakeHub(catalogue, page=3) as running:
        yield running


@pytest.fixture
def api(hub: FakeHub) -> HfApi:
    return HfApi(endpoint=hub.endpoint, token=False)


def test_search_filters_orders_and_pages(api: HfApi, hub: FakeHub) -> None:
    found = list(api.list_models(search="qwen2-vl-2b", filter="gguf", sort="downloads", limit=5))
    assert GUIDE in [item.id for item in found]
    ordered = list(api.list_models(filter="many", sort="likes"))
    assert [item.likes for item in ordered] == [6, 5, 4, 3, 2, 1, 0]
    assert len([asked for asked in hub.log.requests if "cursor" in asked.query]) == 2
    expanded = next(iter(api.list_models(search=GUIDE, expand=["gguf", "downloads", "gated"])))
    assert expanded.gguf is not None
    assert (expanded.gguf["total"], expanded.gated, expanded.likes) == (1_543_714_304, False, None)


def test_info_tells_files_with_digests(api: HfApi) -> None:
    info = api.model_info(GUIDE, files_metadata=True)
    assert info.siblings is not None
    by_name = {item.rfilename: item for item in info.siblings}
    lfs = by_name["Qwen2-VL-2B-Instruct-Q4_K_M.gguf"].lfs
    assert lfs is not None
    assert lfs.size == by_name["Qwen2-VL-2B-Instruct-Q4_K_M.gguf"].size
    assert by_name["README.md"].lfs is None
    assert info.sha
    assert api.model_info(GUIDE, revision=info.sha).sha == info.sha


def test_trees_have_pages_and_folders(api: HfApi) -> None:
    everything = list(api.list_repo_tree("many/model-1", recursive=True))
    assert len(everything) == 10
    assert [item.path for item in api.list_repo_tree("many/model-1")] == [f"folder-{part}" for part in range(5)]
    assert [item.path for item in api.list_repo_tree("many/model-1", "folder-2")] == ["folder-2/file-2.txt"]
    told = api.get_paths_info("many/model-1", ["folder-2", "folder-3/file-3.txt", "no"], expand=True)
    assert [item.path for item in told] == ["folder-2", "folder-3/file-3.txt"]


def test_downloads_follow_to_the_other_host_without_the_token(hub: FakeHub, tmp_path: Path) -> None:
    path = huggingface_hub.hf_hub_download(
        GATED, "sub/model.safetensors", endpoint=hub.endpoint, token=GRANTED, cache_dir=tmp_path
    )
    assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == WEIGHTS.sha256
    assert [asked.authorization for asked in hub.cdn_log] == [False]
    assert hub.sent[f"{GATED}/sub/model.safetensors"] == WEIGHTS.size
    assert any(asked.authorization for asked in hub.log.requests)


def test_snapshots(hub: FakeHub, tmp_path: Path) -> None:
    folder = huggingface_hub.snapshot_download("many/model-3", endpoint=hub.endpoint, cache_dir=tmp_path, token=False)
    assert len([path for path in Path(folder).rglob("*") if path.is_file()]) == 5


@pytest.mark.parametrize(
    ("token", "kind", "status"),
    [
        (False, GatedRepoError, 401),
        (NOT_LISTED, GatedRepoError, 403),
        (NO_SCOPE, HfHubHTTPError, 403),
        ("hf_invented", HfHubHTTPError, 401),
    ],
)
def test_gated_repositories(hub: FakeHub, token: str | bool, kind: type[HfHubHTTPError], status: int) -> None:
    api = HfApi(endpoint=hub.endpoint, token=token)
    with pytest.raises(HfHubHTTPError) as caught:
        huggingface_hub.get_hf_file_metadata(
            huggingface_hub.hf_hub_url(GATED, "config.json", endpoint=hub.endpoint), token=token
        )
    assert type(caught.value) is kind
    assert caught.value.response.status_code == status
    if token != "hf_invented":
        assert api.model_info(GATED).gated == "manual"


def test_what_is_not_there(hub: FakeHub, api: HfApi) -> None:
    with pytest.raises(RepositoryNotFoundError) as hidden:
        api.model_info("no/such")
    assert hidden.value.response.status_code == 401
    with pytest.raises(RepositoryNotFoundError) as missing:
        HfApi(endpoint=hub.endpoint, token=GRANTED).model_info("no/such")
    assert missing.value.response.status_code == 404
    with pytest.raises(RevisionNotFoundError):
        api.model_info(GUIDE, revision="no-such-branch")
    with pytest.raises(RemoteEntryNotFoundError):
        huggingface_hub.get_hf_file_metadata(huggingface_hub.hf_hub_url(GUIDE, "no.gguf", endpoint=hub.endpoint))


def test_whoami(hub: FakeHub) -> None:
    assert HfApi(endpoint=hub.endpoint).whoami(GRANTED)["name"]
    with pytest.raises(HfHubHTTPError):
        HfApi(endpoint=hub.endpoint).whoami("hf_invented")


def test_ranges(hub: FakeHub) -> None:
    size = 20 << 30
    virtual = Repository("big/virtual")
    virtual.commit([hub_file("model.gguf", Virtual(size, lambda: b"GGUF"))])
    hub.catalogue.add(virtual)
    with httpx.Client(base_url=f"{hub.endpoint}/big/virtual/resolve/main", follow_redirects=True) as client:
        head = client.head("/model.gguf", follow_redirects=False)
        assert head.headers["X-Linked-Size"] == str(size)
        assert not [name for name in head.headers if name.startswith("x-xet")]
        part = client.get("/model.gguf", headers={"Range": "bytes=2-9"})
        assert (part.status_code, part.content) == (206, b"UF" + bytes(6))
        assert part.headers["Content-Range"] == f"bytes 2-9/{size}"
        end = client.get("/model.gguf", headers={"Range": "bytes=-3"})
        assert (end.content, end.headers["Content-Range"]) == (bytes(3), f"bytes {size - 3}-{size - 1}/{size}")
        beyond = client.get("/model.gguf", headers={"Range": f"bytes={size}-"})
        assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    assert hub.sent["big/virtual/model.gguf"] == 11


def test_only_signed_addresses_work_at_the_content_network(hub: FakeHub) -> None:
    target = httpx.head(f"{hub.endpoint}/{GUIDE}/resolve/main/Qwen2-VL-2B-Instruct-Q4_K_M.gguf").headers["Location"]
    assert httpx.head(target).status_code == 200
    assert httpx.head(target.partition("?")[0]).status_code == 403
