"""What the documentation asks people to type: fenced blocks, and commands in the text."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.arch.project import ROOT

_FENCE = re.compile(r"^( *)```(\w*)([^\n]*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:sudo )?aimindserve [^`]+)`")


@dataclass(frozen=True)
class Snippet:
    """A fenced block. ``page``: relative to the project; ``titled``: it is a file of another program."""

    page: str
    language: str
    titled: bool
    text: str

    @property
    def commands(self) -> list[list[str]]:
        """The commands of a shell block as words, comments and variables in front taken off."""
        joined = re.sub(r"\$\([^)]*\)", "X", self.text.replace("\\\n", " "))
        lines = (shlex.split(line, comments=True) for line in _whole_lines(joined))
        found = (_without_front(words) for line in lines for words in _parts(line))
        return [words for words in found if words]


def _whole_lines(text: str) -> Iterator[str]:
    """Lines, those with an open quotation mark joined to the next."""
    kept = ""
    for line in text.splitlines():
        kept = f"{kept}\n{line}" if kept else line
        if kept.count("'") % 2 == 0:
            yield kept
            kept = ""


def _parts(words: list[str]) -> Iterator[list[str]]:
    """The commands of a line that are joined by ``&&``."""
    while "&&" in words:
        cut = words.index("&&")
        yield words[:cut]
        words = words[cut + 1 :]
    yield words


def _without_front(words: list[str]) -> list[str]:
    """Without ``sudo``, ``NAME=value`` and the five fields of a crontab."""
    if len(words) > 5 and all(re.fullmatch(r"[\d*,/-]+", word) for word in words[:5]):
        words = words[5:]
    while words and (words[0] == "sudo" or re.fullmatch(r"[A-Z_]+=\S*", words[0])):
        words = words[1:]
    return words


def pages(*folders: str) -> list[Path]:
    """The pages for people, by name."""
    return [page for folder in folders for page in sorted((ROOT / folder).glob("*.md"))]


def snippets(page: Path) -> list[Snippet]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Snippet(str(page.relative_to(ROOT)), match[2], "title=" in match[3], match[4])
        for match in _FENCE.finditer(text)
    ]


def named_commands(page: Path) -> list[str]:
    """Commands of ours that stand in the text."""
    return [match[1] for match in _INLINE.finditer(page.read_text(encoding="utf-8"))]


def program(command: list[str]) -> str:
    """The program that the words call, without its folder."""
    return command[0].rpartition("/")[2]


def is_ours(command: list[str]) -> bool:
    """Whether the words call ``aimindserve``."""
    return program(command) == "aimindserve"
