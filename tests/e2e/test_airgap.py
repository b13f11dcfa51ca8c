"""Without any route to the world everything answers, or says at once that it is offline."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.airgap import OF_HUBS

pytestmark = pytest.mark.heavy

# What a person takes for "at once", and what a loaded machine may make of it.
AT_ONCE = 30.0


def namespace() -> list[str]:
    """How to run something in a network namespace of its own, empty where that may not be done here."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return []
    for command in (["unshare", "-n"], ["unshare", "-rn"]):
        if (
            subprocess.run([*command, "ip", "link", "set", "lo", "up"], capture_output=True, check=False).returncode
            == 0
        ):
            return command
    return []


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    command = namespace()
    if not command:
        pytest.skip("network namespaces may not be made here")
    folder = tmp_path_factory.mktemp("airgap")
    done = subprocess.run(
        [*command, sys.executable, "-m", "tests.e2e.airgap", str(folder)],
        capture_output=True, text=True, check=False, timeout=400, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout
    return json.loads(done.stdout)


def test_every_page_answers_or_says_at_once_that_it_is_offline(answers: Any) -> None:
    assert len(answers["pages"]) > 15
    wrong = {
        path: told
        for path, told in answers["pages"].items()
        if told[2] > AT_ONCE
        or not (told[0] == 200 or (path.startswith(OF_HUBS) and told[1] in {"hub_unreachable", "hub_offline"}))
    }
    assert wrong == {}


def test_every_command_answers_or_says_at_once_that_it_is_offline(answers: Any) -> None:
    said = answers["commands"]
    assert {words: told for words, told in said.items() if told[2] > AT_ONCE} == {}
    failed = {words for words, told in said.items() if told[0] != 0}
    assert failed <= {"search qwen"}
    assert "HF_ENDPOINT" in said["search qwen"][1]


def test_the_demo_model_answers(answers: Any) -> None:
    assert answers["replica"] == "ready"
    assert len(answers["demo"]) > 5
