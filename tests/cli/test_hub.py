"""The commands about hubs against a small server."""

from __future__ import annotations

import json

import pytest
from tests.cli.conftest import Run
from tests.cli.management import Management, worded

from aimindserve.cli.specs import default_name
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.views_hub import ChoiceView, HubCheckView, HubFilesView, HubModelView, HubSearchView

SOURCE = "hf://bartowski/Qwen2-VL-2B-Instruct-GGUF"
TOKEN = "hf_canaryCanary01"


def test_search_asks_as_told_and_shows_a_table(cli: Run, management: Management) -> None:
    found = HubModelView(
        hub="hf", repository=SOURCE[5:], source=SOURCE, downloads=7, likes=3, license="apache-2.0", gated=True,
        gguf=True, capabilities=("vision",), engines=("llama.cpp",), size=2**30,
    )  # fmt: skip
    management.hub.search = HubSearchView(items=(found,), next="2")
    done = cli("search", "qwen2 vl", "--gguf", "--source", "ms", "--sort", "likes")
    assert done.returncode == 0, done.stderr
    assert management.requests[-1][1] == "/api/v1/hub/search?q=qwen2+vl&source=ms&format=gguf&sort=likes"
    assert done.stdout.splitlines()[1].split() == [
        SOURCE, "7", "3", "apache-2.0", "(gated)", "vision", "llama.cpp", "1.0", "GiB",
    ]  # fmt: skip
    assert json.loads(cli("search", "x", "-o", "json").stdout)["next"] == "2"


def test_search_takes_sizes_as_people_write_them(cli: Run, management: Management) -> None:
    assert cli("search", "x", "--min-parameters", "500M", "--max-parameters", "7.5B").returncode == 0
    assert management.requests[-1][1].endswith("&min_parameters=500000000&max_parameters=7500000000")
    refused = cli("search", "x", "--max-parameters", "many")
    assert refused.returncode == 2
    assert "7B, 500M" in refused.stderr


def test_search_that_cannot_be_asked_fails_with_the_reason(cli: Run, management: Management) -> None:
    why = worded(reason(ReasonCode.DOWNLOAD_OFFLINE), "en")
    management.hub.search = HubSearchView(offline=why)
    done = cli("search", "x", "-o", "json")
    assert json.loads(done.stdout)["offline"]["code"] == why.code
    failed = cli("search", "x")
    assert failed.returncode == 1
    assert why.message in failed.stderr


def test_wrong_words_of_search_never_reach_the_server(cli: Run, management: Management) -> None:
    assert cli("search", "x", "--sort", "size").returncode == 2
    assert management.requests == []


def test_files_show_choices_and_what_stands_in_the_way(cli: Run, management: Management) -> None:
    choice = ChoiceView(
        quantization="Q4_K_M", source=f"{SOURCE}@{'c' * 40}:Q4_K_M", engine="llama.cpp", files=("a.gguf",),
        size=2**30, projector="mmproj.gguf", default=True, fit="fits",
    )  # fmt: skip
    note = worded(reason(ReasonCode.PROJECTOR_MISSING, path="x"), "en")
    management.hub.files = HubFilesView(
        hub="hf", repository=SOURCE[5:], revision="c" * 40, choices=(choice,), notes=(note,)
    )
    done = cli("hub", "files", f"{SOURCE}@dev")
    assert management.requests[-1][1] == f"/api/v1/hub/models/{SOURCE[5:]}/files?source=hf&revision=dev"
    assert "Q4_K_M (default)  1.0 GiB  fits" in done.stdout
    assert choice.source in done.stdout
    assert note.message in done.stdout
    assert cli("hub", "files", "no-owner").returncode == 2


def test_token_comes_from_standard_input_or_the_environment_and_is_not_printed(
    cli: Run, management: Management
) -> None:
    for words, more in (
        (("hub", "token", "set", "hf"), {"stdin": f"{TOKEN}\n"}),
        (("hub", "token", "set", "hf", "--from-env"), {"HF_TOKEN": TOKEN}),
    ):
        done = cli(*words, **more)
        assert done.returncode == 0, done.stderr
        assert TOKEN not in done.stdout + done.stderr
        assert management.requests[-1][:2] == ("PUT", "/api/v1/settings/hub/tokens/hf")
        assert management.requests[-1][3] == {"token": TOKEN}


@pytest.mark.parametrize("text", ["", "two words", "x" * 600])
def test_what_is_no_token_is_refused_without_repeating_it(cli: Run, management: Management, text: str) -> None:
    done = cli("hub", "token", "set", "ms", stdin=text)
    assert done.returncode == 1
    assert management.requests == []
    assert not text or text not in done.stderr


def test_a_token_is_no_argument(cli: Run, management: Management) -> None:
    assert cli("hub", "token", "set", "hf", TOKEN).returncode == 2
    assert management.requests == []


def test_token_rm(cli: Run, management: Management) -> None:
    done = cli("hub", "token", "rm", "ms", "-o", "json")
    assert json.loads(done.stdout) == {"removed": "ms"}
    assert management.requests[-1][:2] == ("DELETE", "/api/v1/settings/hub/tokens/ms")


def test_check_fails_when_a_hub_does(cli: Run, management: Management) -> None:
    management.hub.checks = (HubCheckView(hub="hf", reachable=True, account="me", milliseconds=12.3),)
    fine = cli("hub", "check")
    assert (fine.returncode, fine.stdout.splitlines()[1].split()) == (0, ["hf", "yes", "me", "12", "ms"])
    why = worded(reason(ReasonCode.DOWNLOAD_OFFLINE), "en")
    management.hub.checks = (HubCheckView(hub="ms", reachable=False, problem=why),)
    failed = cli("hub", "check")
    assert failed.returncode == 1
    assert why.message in failed.stdout


def test_code_is_allowed_only_when_asked_for(cli: Run, management: Management) -> None:
    told = {"hub": "hf", "repository": "some/model", "revision": "d" * 40}
    management.hub.unconfirmed = reason(ReasonCode.REMOTE_CODE_UNCONFIRMED, files="modeling.py", **told)
    refused = cli("deploy", "hf://some/model")
    assert refused.returncode == 1
    assert "modeling.py" in refused.stderr
    assert "--confirm-code" in refused.stderr
    assert management.hub.approved == []
    done = cli("deploy", "hf://some/model", "--confirm-code", "--projector", "mmproj.gguf")
    assert done.returncode == 0, done.stderr
    assert management.hub.approved == [told]
    assert management.requests[-1][3]["projector"] == "mmproj.gguf"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (f"{SOURCE}:Q4_K_M", "Qwen2-VL-2B-Instruct"),
        (f"{SOURCE}@{'c' * 40}:Q4_K_M", "Qwen2-VL-2B-Instruct"),
        (f"{SOURCE}/deep/x-00001-of-00002.gguf", "Qwen2-VL-2B-Instruct"),
        ("ms://Qwen/Qwen2-VL-2B-Instruct@v1", "Qwen2-VL-2B-Instruct"),
        ("hf://ggml-org/gguf", "gguf"),
    ],
)
def test_names_of_hub_models(source: str, name: str) -> None:
    assert default_name(source) == name
