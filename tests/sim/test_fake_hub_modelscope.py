"""The emulated ModelScope against the real client libraries."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from modelscope.hub.snapshot_download import snapshot_download
from modelscope_hub import HubApi
from modelscope_hub.config import HubConfig
from modelscope_hub.errors import AuthenticationError, NotExistError, PermissionDeniedError

from aimindserve.sim.hub_data import GRANTED, NOT_LISTED, load
from aimindserve.sim.hub_files import Held, hub_file
from aimindserve.sim.hub_repositories import MODELSCOPE, Repository, Token
from aimindserve.sim.hub_server import FakeHub

GUIDE = "bartowski/Qwen2-VL-2B-Instruct-GGUF"
GATED = "maker/gated"
WEIGHTS = Held(bytes(range(256)) * 8192)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    catalogue = load()
    gated = Repository(GATED, MODELSCOPE, gated="manual")
    gated.commit([hub_file("configuration.json", Held(b"{}")), hub_file("sub/model.safetensors", WEIGHTS)])
    catalogue.add(gated)
    catalogue.tokens[GRANTED] = Token(accepted=frozenset({GATED}))
    for number in range(5):
        many = Repository(f"many/model-{number}", MODELSCOPE, about={"downloads": number})
        many.commit([hub_file("README.md", Held(b"#"))])
        catalogue.add(many)
    with FakeHub(catalogue) as running:
        yield running


def client(hub: FakeHub, tmp_path: Path, token: str | None = None) -> HubApi:
    own = {"cache_dir": tmp_path / "cache", "config_dir": tmp_path / "config"}
    return HubApi(HubConfig(endpoint=hub.modelscope_endpoint, token=token, **own))


def test_search_has_pages(hub: FakeHub, tmp_path: Path) -> None:
    api = client(hub, tmp_path)
    first = api.list_repos("model", search="model", owner="many", page_size=2)
    assert (first.total_count, [item.repo_id for item in first.items]) == (5, ["many/model-4", "many/model-3"])
    last = api.list_repos("model", owner="many", page_size=2, page_number=3)
    assert [item.repo_id for item in last.items] == ["many/model-0"]
    assert [item.repo_id for item in api.list_repos("model", search="qwen2-vl-2b gguf").items] == [GUIDE]


def test_files_and_revisions(hub: FakeHub, tmp_path: Path) -> None:
    api = client(hub, tmp_path)
    assert api.get_repo(GUIDE, "model").downloads
    files = {file.path: file for file in api.list_repo_files(GUIDE, "model")}
    file = files["Qwen2-VL-2B-Instruct-Q4_K_M.gguf"]
    stored = hub.catalogue.get(MODELSCOPE, GUIDE)
    assert stored is not None
    assert (file.size, file.sha256) == (stored.files[file.path].content.size, stored.files[file.path].content.sha256)
    assert [item["Revision"] for item in api.legacy.list_revisions(GUIDE, "model")] == ["master"]
    assert {file.path for file in api.list_repo_files(GATED, "model")} == {
        "configuration.json",
        "sub",
        "sub/model.safetensors",
    }


def test_downloads_leave_the_token_at_home(hub: FakeHub, tmp_path: Path) -> None:
    folder = client(hub, tmp_path, GRANTED).download_repo(GATED, "model", local_dir=tmp_path / "out")
    got = (Path(folder) / "sub" / "model.safetensors").read_bytes()
    assert hashlib.sha256(got).hexdigest() == WEIGHTS.sha256
    assert [asked.authorization for asked in hub.cdn_log] == [False]


def test_snapshots_by_the_older_library(hub: FakeHub, tmp_path: Path) -> None:
    folder = snapshot_download("many/model-1", cache_dir=str(tmp_path), endpoint=hub.modelscope_endpoint)
    assert (Path(folder) / "README.md").read_bytes() == b"#"


def test_access(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(AuthenticationError):
        client(hub, tmp_path).download_file(GATED, "model", "configuration.json")
    with pytest.raises(PermissionDeniedError):
        client(hub, tmp_path, NOT_LISTED).download_file(GATED, "model", "configuration.json")
    with pytest.raises(NotExistError):
        client(hub, tmp_path).list_repo_files("no/such", "model")
    with pytest.raises(AuthenticationError):
        client(hub, tmp_path, "invented").whoami()
    assert client(hub, tmp_path, GRANTED).whoami().username == "tester"


def test_small_files_come_whole_and_big_ones_by_ranges(hub: FakeHub) -> None:
    base = f"{hub.modelscope_endpoint}/api/v1/models/{GUIDE}/repo?Revision=master&FilePath="
    part = {"Range": "bytes=4-7"}
    assert httpx.get(base + "README.md", headers=part).status_code == 200
    big = httpx.get(base + "Qwen2-VL-2B-Instruct-Q4_K_M.gguf", headers=part, follow_redirects=True)
    assert (big.status_code, len(big.content)) == (206, 4)
