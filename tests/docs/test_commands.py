"""Every command in the documentation exists, takes the options it is shown with, and is the same in both languages."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer
import yaml
from tests.arch.project import ROOT
from tests.docs.snippets import Snippet, is_ours, named_commands, pages, program, snippets

from aimindserve.cli.main import app
from aimindserve.server.settings import Settings

PAGES = [*pages("docs/en", "docs/zh"), ROOT / "README.md", ROOT / "README.zh-CN.md"]
# Programs of others that are shown. `curl` is run by test_live.py, `sh install.sh` by tests/install.
OTHERS = {"make", "sh", "curl", "cat", "docker", "python3", "pip"}
SETTING_FLAGS = {f"--{name.replace('_', '-')}" for name in Settings.model_fields}
COMMAND: Any = typer.main.get_command(app)


def blocks(language: str) -> list[Snippet]:
    return [one for page in PAGES for one in snippets(page) if one.language == language]


def find(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words name, and the words that follow."""
    command = COMMAND
    while hasattr(command, "commands") and words:
        assert words[0] in command.commands, f"there is no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    return command, words


def shell_lines() -> Iterator[tuple[str, list[str]]]:
    for block in blocks("sh"):
        for command in block.commands:
            yield block.page, command


@pytest.mark.parametrize(("page", "command"), [one for one in shell_lines() if is_ours(one[1])])
def test_a_command_takes_what_it_is_shown_with(page: str, command: list[str]) -> None:
    found, rest = find(command[1:])
    if found.name == "start":
        assert {word.partition("=")[0] for word in rest if word.startswith("-")} <= SETTING_FLAGS
    else:
        found.make_context(page, rest).close()


@pytest.mark.parametrize("command", sorted({one for page in PAGES for one in named_commands(page)}))
def test_a_command_in_the_text_exists_with_its_options(command: str) -> None:
    words = [word for word in re.split(r"[\s\[\]|\\…]+", command.removeprefix("sudo ")) if word]
    ours = words[1 : words.index("--")] if "--" in words else words[1:]
    found, rest = find([word for word in ours if not re.fullmatch(r"[A-Z_]+", word)])
    known = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
    known |= {"--help", "--config"} | SETTING_FLAGS if found.name == "start" else {"--help"}
    assert [word for word in rest if word.startswith("-") and word.partition("=")[0] not in known] == []


def test_other_programs_are_known() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    strange = [
        (page, command)
        for page, command in shell_lines()
        if not is_ours(command)
        and (program(command) not in OTHERS or (command[0] == "make" and command[1] not in targets))
    ]
    assert strange == []


def test_both_languages_show_the_same_commands() -> None:
    for english in pages("docs/en"):
        chinese = ROOT / "docs/zh" / english.name
        ours, theirs = (
            [
                command[:2] if command[0] == "curl" else command
                for one in snippets(page)
                if one.language == "sh"
                for command in one.commands
            ]
            for page in (english, chinese)
        )
        assert ours == theirs, english.name


def test_settings_in_files_are_settings() -> None:
    shown = [yaml.safe_load(block.text) for block in blocks("yaml") if not block.titled]
    assert shown
    for one in shown:
        assert set(one) <= set(Settings.model_fields), one
        Settings(**one)
