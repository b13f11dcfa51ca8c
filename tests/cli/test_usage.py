"""Every command explains itself; wrong usage ends with 2; nothing leaks a traceback or a secret."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from tests.cli.management import KEY, Management, serving
from typer.testing import CliRunner

from aimindserve import __version__
from aimindserve.cli.durations import parse_duration
from aimindserve.cli.main import app
from aimindserve.cli.specs import default_name, joined_parameters

COMMANDS = [
    ["start"], ["deploy"], ["ls"], ["show"], ["logs"], ["stop"], ["start-model"], ["scale"], ["rm"], ["doctor"],
    ["reset-admin-password"], ["stop-engines"], ["uninstall"], ["version"], ["search"], ["hub", "files"],
    ["fit"], ["catalog", "ls"], ["catalog", "show"],
    ["files", "ls"], ["files", "download"], ["files", "import"], ["files", "pause"], ["files", "resume"],
    ["files", "retry"], ["files", "rm"],
    ["backup"], ["restore"], ["migrate"],
    ["events", "ls"], ["events", "export"], ["reload"],
    ["bundle", "create"], ["bundle", "show"], ["bundle", "load"],
    ["hub", "check"], ["hub", "token", "set"], ["hub", "token", "rm"], ["key", "create"], ["key", "ls"], ["key", "rm"],
    ["key", "edit"], ["user", "ls"], ["user", "limit"], ["alias", "set"], ["alias", "ls"], ["alias", "rm"],
    ["engine", "ls"], ["engine", "install"], ["engine", "register"], ["engine", "cancel"], ["engine", "retry"],
    ["engine", "rm"], ["apply"], ["export"],
    ["node", "ls"], ["node", "label"], ["node", "drain"], ["node", "undrain"],
]  # fmt: skip


def run(*words: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command with nothing but a home folder in its environment."""
    return subprocess.run(
        [sys.executable, "-m", "aimindserve.cli.main", *words],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", **environment},
        capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(words: list[str]) -> None:
    answer = CliRunner().invoke(app, [*words, "--help"])
    assert answer.exit_code == 0
    assert f"Example: aimindserve {' '.join(words)}" in answer.output.replace("sudo ", "")


def test_the_list_of_commands_is_complete() -> None:
    group = typer.main.get_command(app)
    names = set(group.commands)  # type: ignore[attr-defined]
    assert names == {words[0] for words in COMMANDS}


@pytest.mark.parametrize("words", [["nonsense"], ["ls", "--nonsense"], ["scale", "x", "many"], ["scale", "x", "-1"]])
def test_wrong_usage_ends_with_2(words: list[str]) -> None:
    assert CliRunner().invoke(app, words).exit_code == 2


def test_version() -> None:
    assert CliRunner().invoke(app, ["version"]).output == f"aimindserve {__version__}\n"


def test_start_has_an_option_for_every_setting(tmp_path: Path) -> None:
    from aimindserve.server.settings import Settings

    text = run("start", "--help", home=tmp_path, COLUMNS="200").stdout
    assert [name for name in Settings.model_fields if f"--{name.replace('_', '-')} " not in text] == []
    assert "--config" in text


def test_a_bad_setting_is_wrong_usage_and_never_echoes_a_secret(tmp_path: Path) -> None:
    done = run("start", "--port", "eighty", "--huggingface-token", "hf_canary", home=tmp_path)
    assert done.returncode == 2
    assert "port" in done.stderr
    assert "hf_canary" not in done.stderr + done.stdout


def test_without_a_server_the_person_learns_what_to_do(tmp_path: Path) -> None:
    done = run("ls", "--data-dir", str(tmp_path / "none"), home=tmp_path)
    assert done.returncode == 1
    assert "No aiMindServe is running" in done.stderr
    assert "aimindserve start" in done.stderr


def test_the_server_of_this_machine_is_found_by_its_socket_and_key(tmp_path: Path) -> None:
    data = tmp_path / "d"
    (data / "keys").mkdir(parents=True)
    (data / "keys" / "local-cli").write_text(KEY + "\n")
    with serving(Management(), data / "run" / "server.sock"):
        done = run("ls", "--data-dir", str(data), home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Nothing is deployed yet" in done.stdout


def test_the_local_key_goes_to_this_machine_only(tmp_path: Path) -> None:
    from aimindserve.cli.connection import local_key_for

    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "local-cli").write_text(KEY + "\n")
    assert local_key_for("http://127.0.0.1:8080", tmp_path) == KEY
    assert local_key_for("http://localhost:8080", tmp_path) == KEY
    assert local_key_for("http://[::1]:8080", tmp_path) == KEY
    for foreign in (
        "http://example.com",
        "http://127.0.0.1.example.com",
        "http://user@10.0.0.1",
        "http://localhost@evil/",
    ):
        assert local_key_for(foreign, tmp_path) is None


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("demo://tiny-vlm", "tiny-vlm"),
        ("file:///models/Qwen2-VL-2B-Instruct-Q4_K_M.gguf", "Qwen2-VL-2B-Instruct-Q4_K_M"),
        ("/models/big-00001-of-00003.gguf", "big"),
        ("/models/folder/", "folder"),
        ("hf://Qwen/Qwen2-VL-7B-Instruct", "Qwen2-VL-7B-Instruct"),
        ("hf://a/b@main/file.gguf", "b"),
        ("/models/图片 model.gguf", "model"),
    ],
)
def test_names_come_from_sources(source: str, name: str) -> None:
    assert default_name(source) == name


def test_parameters_may_be_written_apart() -> None:
    assert joined_parameters(["--a", "1", "--b", "--c=2", "-d", "-3", "--e", "x"]) == (
        "--a=1", "--b", "--c=2", "-d=-3", "--e=x",
    )  # fmt: skip


def test_durations() -> None:
    assert [parse_duration(text) for text in ("90m", "12h", "30d", "4w")] == [5400, 43200, 2592000, 2419200]
    with pytest.raises(typer.BadParameter):
        parse_duration("soon")
