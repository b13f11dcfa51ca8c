"""How a reason is worded: a message and a remedy, each in English and Chinese."""

from typing import NamedTuple


class Explanation(NamedTuple):
    """A reason in words: what happened, and what to do."""

    message: str
    remedy: str


class ReasonText(NamedTuple):
    """One reason in both languages; ``{name}`` stands for a parameter of the reason."""

    en: Explanation
    zh: Explanation


class Values(dict[str, str]):
    """Values for a sentence. A missing one shows as ``?``: a gap in the words must not hide the reason."""

    def __missing__(self, key: str) -> str:
        return "?"


def text(en: str, en_remedy: str, zh: str, zh_remedy: str) -> ReasonText:
    """The words of one reason."""
    return ReasonText(Explanation(en, en_remedy), Explanation(zh, zh_remedy))
