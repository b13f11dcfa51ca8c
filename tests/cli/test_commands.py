"""The command line against a small server: what it sends, what it prints, how it ends."""

from __future__ import annotations

import json
import re

import pytest
from tests.cli.conftest import Run
from tests.cli.management import KEY, Management

from aimindserve.domain.lifecycle import Phase
from aimindserve.domain.views import CorrectionView, MeasuredItemView, MemoryHistoryView, StartMemoryView


def test_deploy_sends_the_spec_with_parameters_after_the_dashes(cli: Run, management: Management) -> None:
    done = cli(
        "deploy", "/models/My Model.gguf", "--engine", "llama.cpp", "--replicas", "2", "-o", "json",
        "--", "--ctx-size", "4096", "--no-mmap", "--temp", "-1", "--seed=3",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    body = management.requests[-1][3]
    assert body == {
        "name": "My-Model",
        "source": "file:///models/My Model.gguf",
        "engine": "llama.cpp",
        "engine_version": None,
        "parameters": ["--ctx-size=4096", "--no-mmap", "--temp=-1", "--seed=3"],
        "replicas": 2,
    }
    assert json.loads(done.stdout)["name"] == "My-Model"


def test_deploy_waits_until_ready(cli: Run, management: Management) -> None:
    management.phases = [Phase.PENDING, Phase.STARTING, Phase.READY]
    done = cli("deploy", "demo://tiny-vlm", "--name", "other", "--wait")
    assert (done.returncode, done.stdout) == (0, "Deployed other: ready.\n")


def test_deploy_that_fails_says_why_and_what_to_do(cli: Run, management: Management) -> None:
    management.phases = [Phase.STARTING, Phase.FAILED]
    done = cli("deploy", "demo://tiny-vlm", "--name", "other", "--wait")
    reason = management.deployments["other"].reasons[0]
    assert done.returncode == 1
    assert reason.message in done.stderr
    assert reason.remedy in done.stderr


@pytest.mark.parametrize("source", ["http://example.com/x", "hf://only-one-part", "demo://NO CAPS"])
def test_a_source_that_is_none_never_reaches_the_server(cli: Run, management: Management, source: str) -> None:
    done = cli("deploy", source, "--name", "x")
    assert done.returncode == 1
    assert "source" in done.stderr
    assert management.requests == []


def test_ls_shows_a_table_or_the_api_answer(cli: Run) -> None:
    table = cli("ls").stdout.splitlines()
    assert table[0].split() == ["NAME", "PHASE", "READY", "ENGINE", "SOURCE", "REASON"]
    assert table[1].split()[:3] == ["eye", "pending", "0/1"]
    assert [item["name"] for item in json.loads(cli("ls", "-o", "json").stdout)["items"]] == ["eye"]


def test_show_tells_the_reason_and_its_remedy(cli: Run, management: Management) -> None:
    management.phases = [Phase.FAILED]
    shown = cli("show", "eye").stdout
    reason = management.deployments["eye"].reasons[0]
    assert reason.message in shown
    assert reason.remedy in shown
    assert "r1" in shown


def test_show_sets_the_estimate_against_what_was_measured(cli: Run, management: Management) -> None:
    assert "MEASURED" not in cli("show", "eye").stdout
    weights = MeasuredItemView(
        item="weights", device_id="cpu", device="CPU", measured=120 << 20, estimated=100 << 20, high=110 << 20
    )
    total = MeasuredItemView(item="total", device_id="cpu", device="CPU", measured=1 << 30)
    start = StartMemoryView(
        replica_id="r1", attempt=1, at=0.0, engine="llama.cpp", engine_version="b1", items=(weights, total)
    )
    known = CorrectionView(
        engine="llama.cpp",
        engine_version="b1",
        architecture="qwen2vl",
        on_gpu=False,
        item="weights",
        factor=1.2,
        starts=3,
        ratios=(1.2, 1.2, 1.2),
        at=0.0,
    )
    management.memory = MemoryHistoryView(starts=(start,), corrections=(known,))
    shown = cli("show", "eye").stdout
    assert re.search(r"weights +cpu +100.0 MiB +110.0 MiB +120.0 MiB", shown), shown
    assert re.search(r"total +cpu +1.0 GiB", shown), shown
    assert "weights: +20.0 % by 3 measured starts of llama.cpp b1" in shown


def test_logs_reads_to_the_end_in_pieces(cli: Run, management: Management) -> None:
    assert cli("logs", "eye").stdout == management.log
    assert cli("logs", "eye", "--follow").stdout == management.log


@pytest.mark.parametrize(
    ("words", "path", "told"),
    [
        (("stop", "eye"), "/api/v1/deployments/eye/stop", "eye: stopping"),
        (("start-model", "eye"), "/api/v1/deployments/eye/start", "eye: pending"),
        (("scale", "eye", "3"), "/api/v1/deployments/eye/scale", "eye: pending"),
    ],
)
def test_actions(cli: Run, management: Management, words: tuple[str, ...], path: str, told: str) -> None:
    done = cli(*words)
    assert (done.returncode, done.stdout.strip()) == (0, told)
    assert management.requests[-1][:2] == ("POST", path)


def test_rm_deletes_and_says_what_stays(cli: Run, management: Management) -> None:
    done = cli("rm", "eye", "--yes")
    assert done.returncode == 0
    assert "model files were left alone" in done.stdout
    assert management.deployments == {}


def test_keys_are_made_shown_once_and_deleted(cli: Run, management: Management) -> None:
    made = cli("key", "create", "laptop", "--scope", "inference", "--model", "eye", "--expires", "30d", "-o", "json")
    assert json.loads(made.stdout)["token"] == KEY
    assert management.requests[-1][3] == {
        "name": "laptop", "scopes": ["inference"], "models": ["eye"], "expires_in": 2_592_000,
    }  # fmt: skip
    listed = cli("key", "ls").stdout
    assert "laptop" in listed
    assert KEY not in listed
    assert cli("key", "rm", "key000000000").returncode == 0
    assert management.keys == {}


def test_a_refusal_is_told_in_the_language_of_the_locale(cli: Run) -> None:
    english, chinese = cli("show", "none"), cli("show", "none", LANG="zh_CN.UTF-8", PYTHONUTF8="1")
    assert english.returncode == chinese.returncode == 1
    assert english.stderr.startswith("Error: ")
    assert any("\u4e00" <= sign <= "\u9fff" for sign in chinese.stderr)


def test_a_refusal_as_json(cli: Run) -> None:
    done = cli("show", "none", "-o", "json")
    assert (done.returncode, done.stdout) == (1, "")
    assert json.loads(done.stderr)["code"] == "not_found"


def test_a_wrong_key_is_refused_with_a_remedy(cli: Run) -> None:
    done = cli("ls", AIMINDSERVE_API_KEY="sk-wrong", LANG="C")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2


def test_nobody_listens(cli: Run, unused_port: int) -> None:
    done = cli("ls", AIMINDSERVE_URL=f"http://127.0.0.1:{unused_port}")
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr
