"""How commands talk: tables or JSON on standard output, troubles with their remedy on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel

    from aimindserve.domain.reasons import Language, Reason


class Format(StrEnum):
    """What ``-o`` takes."""

    TEXT = "text"
    JSON = "json"


class CommandError(Exception):
    """A command cannot do what it was asked; the person reads ``message`` and ``remedy``."""

    def __init__(self, message: str, remedy: str = "", *, code: str = "command_failed") -> None:
        super().__init__(message)
        self.message, self.remedy, self.code = message, remedy, code


Output = Annotated[
    Format, typer.Option("--output", "-o", help="text for people, json for programs.", show_choices=True)
]
DataDir = Annotated[
    str | None,
    typer.Option(
        "--data-dir",
        envvar="AIMINDSERVE_DATA_DIR",
        help="Data folder of the server on this machine.",
        show_default="/var/lib/aimindserve as root, else ~/.local/share/aimindserve",
    ),
]


def refusal(why: Reason) -> CommandError:
    """A reason as a command's failure, in the language of the locale."""
    from aimindserve.domain.reason_texts import explain

    words = explain(why, language())
    return CommandError(words.message, words.remedy, code=why.code)


def language() -> Language:
    """``zh`` where the locale is Chinese, else ``en``."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def print_json(value: Any) -> None:
    """Pretty JSON of plain data."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_model(value: BaseModel) -> None:
    """An API answer as the API gave it."""
    typer.echo(value.model_dump_json(indent=2))


def print_models(items: Iterable[BaseModel]) -> None:
    """A list answer in the API's own shape."""
    print_json({"items": [item.model_dump(mode="json") for item in items]})


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as their widest cell, two spaces apart; the last one runs free."""
    lines = [tuple(headings), *(tuple(row) for row in rows)]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        padded = [cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)]
        typer.echo("  ".join(padded).rstrip())


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """One ``name  value`` line for each fact that has a value."""
    shown = [(name, value) for name, value in facts if value]
    widest = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        typer.echo(f"{name:<{widest}}  {value}")


def _width(text: str) -> int:
    """Columns on a terminal: East Asian wide signs take two."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def print_trouble(message: str, remedy: str, code: str) -> None:
    """A failure on standard error: a sentence and what to do, or JSON when the person asked for JSON."""
    if _wants_json(sys.argv[1:]):
        text = json.dumps({"code": code, "message": message, "remedy": remedy}, ensure_ascii=False)
    else:
        text = f"Error: {message}" + (f"\n  {remedy}" if remedy else "")
    typer.echo(text, err=True)


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether ``-o json`` stands among the arguments (before ``--``, which ends ours)."""
    own = list(arguments[: arguments.index("--")]) if "--" in arguments else list(arguments)
    pairs = pairwise(own)
    joined = {"-ojson", "-o=json", "--output=json"}
    return bool(joined & set(own)) or any(first in {"-o", "--output"} and second == "json" for first, second in pairs)
