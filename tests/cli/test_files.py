"""The commands about model files against a small server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.cli.management import Management, worded

from aimindserve.cli.progress import progress_text
from aimindserve.domain.files import ModelState, TransferProgress
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.views_files import ModelFilesView, StoredFileView

SOURCE = "hf://bartowski/Qwen2-VL-2B-Instruct-GGUF:Q4_K_M"
FOLDER = "/media/usb/x"


@pytest.fixture
def stored(management: Management) -> ModelFilesView:
    one = ModelFilesView(
        node_id="node-1", node="box", key="0123456789abcdef", kind="store", source=SOURCE, revision="c" * 40,
        name="Qwen2-VL", architecture="qwen2vl", quantization="Q4_K_M", size=2**30, state=ModelState.READY,
        files=(StoredFileView(path="m.gguf", role="weights", size=2**30),), path="/data/models/x", freed=2**30,
        progress=TransferProgress(done=2**30, total=2**30),
    )  # fmt: skip
    management.files.items = [one]
    return one


def test_ls_shows_what_lies_where(cli: Run, management: Management, stored: ModelFilesView) -> None:
    moving = stored.model_copy(
        update={
            "key": "f" * 16,
            "state": ModelState.DOWNLOADING,
            "brought_from": FOLDER,
            "progress": TransferProgress(done=2**28, total=2**30),
        }
    )
    why = worded(reason(ReasonCode.IMPORT_DIFFERS, path="/media/usb/m.gguf"), "en")
    failed = stored.model_copy(update={"key": "e" * 16, "state": ModelState.FAILED, "reasons": (why,), "node": "other"})
    management.files.items += [moving, failed]
    done = cli("files", "ls")
    assert done.returncode == 0, done.stderr
    assert "Qwen2-VL Q4_K_M  1.0 GiB  ready" in done.stdout
    assert "importing 25 %" in done.stdout
    assert why.message in done.stdout
    assert why.remedy in done.stdout
    assert "box: 1.0 GiB in /data/models, 8.0 GiB free" in done.stdout
    here = json.loads(cli("files", "ls", "--node", "box", "-o", "json").stdout)
    assert [item["key"] for item in here["items"]] == [stored.key, "f" * 16]


def test_an_empty_list_teaches_the_next_step(cli: Run, management: Management) -> None:
    management.files.items = []
    assert "aimindserve files download" in cli("files", "ls").stdout


def test_download_asks_and_waits(cli: Run, management: Management, stored: ModelFilesView) -> None:
    management.files.states = [ModelState.QUEUED, ModelState.DOWNLOADING, ModelState.READY]
    done = cli("files", "download", SOURCE, "--node", "box", "--projector", "none", "--wait")
    assert done.returncode == 0, done.stderr
    posted = next(request for request in management.requests if request[0] == "POST")
    assert posted[1] == "/api/v1/files"
    assert posted[3] == {"source": SOURCE, "projector": "none", "nodes": ["box"]}
    assert done.stdout == "Qwen2-VL is there: /data/models/x\n"
    assert done.stderr == ""  # no bars in a pipe


@pytest.mark.usefixtures("stored")
def test_a_failed_download_is_a_failed_command(cli: Run, management: Management) -> None:
    why = worded(reason(ReasonCode.DOWNLOAD_REFUSED, file="m.gguf", status=403), "en")
    management.files.items = [management.files.items[0].model_copy(update={"reasons": (why,)})]
    management.files.states = [ModelState.QUEUED, ModelState.FAILED]
    done = cli("files", "download", SOURCE, "--wait")
    assert done.returncode == 1
    assert why.message in done.stderr
    assert why.remedy in done.stderr


@pytest.mark.usefixtures("stored")
def test_import_sends_an_absolute_path(cli: Run, management: Management) -> None:
    done = cli("files", "import", "usb/model", "--source", SOURCE)
    assert done.returncode == 0, done.stderr
    posted = next(request for request in management.requests if request[0] == "POST")
    assert posted[1] == "/api/v1/files/import"
    assert posted[3] == {"path": str(Path.cwd() / "usb/model"), "source": SOURCE}
    assert cli("files", "import", "/x", "--source", "nonsense").returncode == 1


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("which", ["0123456789abcdef", "0123", "Qwen2-VL", SOURCE])
def test_orders_reach_the_model_that_is_meant(cli: Run, management: Management, which: str) -> None:
    for action in ("pause", "resume", "retry"):
        assert cli("files", action, which).returncode == 0
        assert management.requests[-1][:2] == ("POST", f"/api/v1/files/node-1/0123456789abcdef/{action}")
    done = cli("files", "rm", which, "-o", "json")
    assert management.requests[-1][:2] == ("DELETE", "/api/v1/files/node-1/0123456789abcdef")
    assert json.loads(done.stdout)["action"] == "delete"


def test_what_is_unknown_or_ambiguous_is_refused(cli: Run, management: Management, stored: ModelFilesView) -> None:
    done = cli("files", "rm", "nothing")
    assert (done.returncode, "There are no model files nothing." in done.stderr) == (1, True)
    management.files.items.append(stored.model_copy(update={"node_id": "node-2", "node": "other"}))
    done = cli("files", "rm", "Qwen2-VL")
    assert done.returncode == 1
    assert "0123456789abcdef on other" in done.stderr
    assert cli("files", "rm", "Qwen2-VL", "--node", "other").returncode == 0
    assert management.requests[-1][1] == "/api/v1/files/node-2/0123456789abcdef"


def test_progress_in_words() -> None:
    told = progress_text(TransferProgress(done=3 * 2**28, total=2**30, rate=2.0**20, eta=103.2))
    assert told == "[##################------] 768.0 MiB of 1.0 GiB  1.0 MiB/s  1:43 left"
    assert progress_text(TransferProgress(done=0, total=0)).startswith("[####")


def test_download_finds_files_that_are_listed_under_a_commit(
    cli: Run, management: Management, stored: ModelFilesView
) -> None:
    management.files.items = [stored.model_copy(update={"source": f"{SOURCE}@0123abcd", "state": ModelState.READY})]
    assert cli("files", "download", SOURCE, "--wait").returncode == 0
