"""Flags of an engine's command line as data. Standard library only: the llama.cpp launcher reads the same table."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

_NAME = re.compile(r"[A-Za-z0-9_-]+")


class Kind(StrEnum):
    """What a flag takes. A SWITCH takes nothing; a SIZE is a whole number, also in thousands (``8k``, ``8K``: 8192)."""

    SWITCH = "switch"
    INTEGER = "integer"
    NUMBER = "number"
    SIZE = "size"
    CHOICE = "choice"
    JSON = "json"
    NAME = "name"
    """Of something that the engine knows: no path, no class."""
    TEXT = "text"


class Policy(StrEnum):
    """Who may set a flag: the user, only the product, or nobody (it opens files or ports, or runs code)."""

    ALLOWED = "allowed"
    MANAGED = "managed"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. ``others``: further spellings, short forms included. ``low``, ``high``: bounds, inclusive. ``words``:
    what it takes beside its kind (``auto``). ``several``: values that are divided by spaces.

    ``field``: where the embedded llama.cpp server keeps the value (dotted, ``name=value`` for a switch; empty when it
    cannot do this).
    """

    name: str
    others: tuple[str, ...] = ()
    kind: Kind = Kind.TEXT
    policy: Policy = Policy.ALLOWED
    field: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    words: tuple[str, ...] = ()
    several: bool = False
    help: str = ""

    @property
    def takes_value(self) -> bool:
        """Whether a value follows."""
        return self.kind is not Kind.SWITCH

    def expected(self, value: str | None) -> str | None:
        """None when ``value`` is fine, else what it should have been, for people."""
        if self.kind is Kind.SWITCH:
            return "no value" if value is not None else None
        if value is None or value == "":
            return "a value"
        if self.kind is Kind.CHOICE:
            return None if value in self.choices else ", ".join(self.choices)
        if self.kind is Kind.TEXT or value in self.words:
            return None
        if self.kind is Kind.NAME:
            return None if _NAME.fullmatch(value) else "a name"
        if self.kind is Kind.JSON:
            return None if _is_object(value) else 'JSON such as {"name": 1}'
        parts = value.split() if self.several else [value]
        return None if all(self._is_number(part) for part in parts) else self._range()

    def _is_number(self, value: str) -> bool:
        try:
            number = float(value) if self.kind is Kind.NUMBER else self._whole(value)
        except ValueError:
            return False
        in_range = (self.low is None or number >= self.low) and (self.high is None or number <= self.high)
        return in_range and number == number  # noqa: PLR0124 - not a number differs from itself

    def _whole(self, value: str) -> int:
        return read_size(value) if self.kind is Kind.SIZE else int(value)

    def _range(self) -> str:
        noun = "a number" if self.kind is Kind.NUMBER else "a whole number"
        low = "" if self.low is None else f" from {self.low:g}"
        high = "" if self.high is None else f" to {self.high:.0f}"
        words = f" or {', '.join(self.words)}" if self.words else ""
        return noun + low + high + words


@dataclass(frozen=True, slots=True)
class Given:
    """A flag as it was given, with its spelling then."""

    flag: Flag
    value: str | None
    spelling: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """An argument that names no flag, with the name that comes nearest."""

    spelling: str
    nearest: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """A known flag with a value that it does not take."""

    flag: Flag
    value: str
    expected: str


Parsed = Given | Unknown | Malformed


class FlagTable:
    """All flags of one dialect and how its command line is read."""

    def __init__(self, flags: Iterable[Flag]) -> None:
        self.flags = tuple(flags)
        self._by_name: Mapping[str, Flag] = {name: flag for flag in self.flags for name in (flag.name, *flag.others)}

    def find(self, spelling: str) -> Flag | None:
        """The flag of a spelling: exact, with underscores for dashes, or an unambiguous beginning of a long name."""
        name = spelling.replace("_", "-") if spelling.startswith("--") else spelling
        if name in self._by_name:
            return self._by_name[name]
        if not name.startswith("--") or len(name) < 5:
            return None
        begun = {flag.name: flag for known, flag in self._by_name.items() if known.startswith(name)}
        return next(iter(begun.values())) if len(begun) == 1 else None

    def nearest(self, spelling: str, among: Iterable[Flag] | None = None) -> str:
        """The name that looks most like ``spelling``, of what a user may set (or of ``among``)."""
        flags = self.flags if among is None else among
        names = [flag.name for flag in flags if flag.policy is Policy.ALLOWED]
        close = get_close_matches(spelling.replace("_", "-"), names, n=1, cutoff=0.0)
        return close[0] if close else ""

    def parse(self, arguments: Iterable[str]) -> list[Parsed]:
        """Read arguments: ``--flag=value``, ``--flag value`` (one item or two), ``-f value``, switches."""
        words = list(_split(arguments))
        found: list[Parsed] = []
        position = 0
        while position < len(words):
            spelling, given = words[position]
            position += 1
            flag = self.find(spelling)
            if flag is None:
                found.append(Unknown(spelling, self.nearest(spelling)))
                if spelling.startswith("-") and given is None and position < len(words):
                    position += _is_value(words[position])
                continue
            if flag.takes_value and given is None and position < len(words) and _is_value(words[position]):
                given = words[position][0]
                position += 1
            wrong = flag.expected(given)
            found.append(Malformed(flag, given or "", wrong) if wrong else Given(flag, given, spelling))
        return found


_TYPES = {"integer": "integer", "size": "integer", "number": "number", "switch": "boolean", "json": "object"}


def flag_schema(flag: Flag) -> dict[str, object]:
    """The JSON Schema of a flag's value."""
    schema: dict[str, object] = {"type": _TYPES.get(flag.kind, "string") if not flag.several else "string"}
    if flag.choices:
        schema["enum"] = list(flag.choices)
    if flag.kind is Kind.NAME:
        schema["pattern"] = f"^{_NAME.pattern}$"
    if flag.low is not None:
        schema["minimum"] = flag.low
    if flag.high is not None:
        schema["maximum"] = flag.high
    if flag.others:
        schema["x-other-names"] = list(flag.others)
    return schema


_SIZE = re.compile(r"(-?\d+(?:\.\d+)?)([kmgtKMGT]?)")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def read_size(text: str) -> int:
    """A whole number with an optional letter: ``k`` for 1,000, ``K`` for 1,024, likewise m, g, t.

    Raises:
        ValueError: it is none.
    """
    found = _SIZE.fullmatch(text)
    if found is None or (not found[2] and "." in found[1]):
        raise ValueError(f"{text} is not a whole number")
    if not found[2]:
        return int(found[1])
    base = 1024 if found[2].isupper() else 1000
    return int(float(found[1]) * base ** _POWERS[found[2].lower()])


def _is_object(value: str) -> bool:
    try:
        return isinstance(json.loads(value), dict)
    except (ValueError, RecursionError):
        return False


def _split(arguments: Iterable[str]) -> Iterable[tuple[str, str | None]]:
    """``(spelling, value)`` of each argument; a plain value comes as ``(value, None)``."""
    for argument in arguments:
        text = argument.strip()
        cut = min((at for at in (text.find("="), text.find(" ")) if at > 0), default=-1)
        if text.startswith("-") and cut > 0 and not _is_number(text):
            yield text[:cut], text[cut + 1 :].strip()
        else:
            yield text, None


def _is_value(word: tuple[str, str | None]) -> bool:
    return word[1] is None and (not word[0].startswith("-") or _is_number(word[0]))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
