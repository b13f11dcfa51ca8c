"""How users write vLLM's arguments, brought into the one form that every version takes: JSON for what has parts."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, cast

from aimindserve.engines._flags import FlagTable, Given, Kind, Malformed, Parsed

_DOTTED = re.compile(r"(--[A-Za-z][\w-]*)\.([\w.-]+)(?:[= ](.*))?", re.DOTALL)
_PAIRS = re.compile(r"[a-z_]+=\d+(?:,[a-z_]+=\d+)*")
_PAIRED = "--limit-mm-per-prompt"


def parse_words(table: FlagTable, arguments: Iterable[str]) -> list[Parsed]:
    """Arguments as ``FlagTable.parse`` reads them, and ``--flag.part=value`` and ``--limit-mm-per-prompt image=4``
    (what vLLM took before 0.10) as JSON. A flag given in parts is one flag with all of them."""
    parsed = [_with_pairs(part) for part in table.parse(_joined(table, list(arguments)))]
    return _merged(parsed)


def _joined(table: FlagTable, arguments: Sequence[str]) -> list[str]:
    """Dotted parts as JSON."""
    found: list[str] = []
    skip = False
    for position, argument in enumerate(arguments):
        if skip:
            skip = False
            continue
        match = _DOTTED.fullmatch(argument.strip())
        flag = table.find(match[1]) if match else None
        if match is None or flag is None or flag.kind not in (Kind.JSON, Kind.TEXT):
            found.append(argument)
            continue
        following = arguments[position + 1] if position + 1 < len(arguments) else None
        skip = match[3] is None and following is not None and not following.startswith("-")
        text = match[3] if match[3] is not None else following if skip else None
        found.append(f"{match[1]}={json.dumps(_nested(match[2].split('.'), text))}")
    return found


def _nested(path: Sequence[str], text: str | None) -> dict[str, Any]:
    if len(path) > 1:
        return {path[0]: _nested(path[1:], text)}
    return {path[0]: _value(text)}


def _value(text: str | None) -> Any:
    if text is None:
        return True
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _with_pairs(part: Parsed) -> Parsed:
    if not isinstance(part, Malformed) or part.flag.name != _PAIRED or not _PAIRS.fullmatch(part.value):
        return part
    pairs = (pair.split("=") for pair in part.value.split(","))
    return Given(part.flag, json.dumps({name: int(count) for name, count in pairs}), part.flag.name)


def _merged(parsed: Iterable[Parsed]) -> list[Parsed]:
    """Parts of one JSON flag in one; the later wins, as on vLLM's command line."""
    found: list[Parsed] = []
    at: dict[str, int] = {}
    for part in parsed:
        if isinstance(part, Given) and part.flag.kind is Kind.JSON:
            if part.flag.name in at:
                before = found[at[part.flag.name]]
                if isinstance(before, Given):
                    found[at[part.flag.name]] = Given(part.flag, _both(before.value, part.value), part.spelling)
                continue
            at[part.flag.name] = len(found)
        found.append(part)
    return found


def _both(first: str | None, second: str | None) -> str:
    a, b = json.loads(first or "{}"), json.loads(second or "{}")
    return json.dumps({**a, **b} if isinstance(a, dict) and isinstance(b, dict) else b)


def read_object(text: str | None) -> dict[str, Any]:
    """A JSON object; an empty one where there is none."""
    try:
        found: Any = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
