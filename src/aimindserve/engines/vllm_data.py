"""What versions of vLLM take on their command lines and which models they know, as ``scripts/extract_vllm_flags.py``
read it out of them: one file of ``engines/data/`` for each version."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from aimindserve.domain.memory_constants import Version, parse_version
from aimindserve.engines._flags import Flag, Kind

# Versions that were read, oldest first.
READ = ("0.10.2", "0.12.0", "0.18.1", "0.25.1", "0.32.0", "0.33.0")


@dataclass(frozen=True, slots=True)
class VersionData:
    """One version. ``negatives``: the spellings that turn a switch off, by its name. ``gone``: architectures that an
    earlier version ran, with the last one that did."""

    version: str
    flags: tuple[Flag, ...]
    negatives: dict[str, tuple[str, ...]]
    architectures: frozenset[str]
    gone: dict[str, str]


@cache
def read_version(version: str) -> VersionData:
    """The data of one of ``READ``."""
    text = files("aimindserve.engines").joinpath("data", f"vllm-{version}.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return VersionData(
        version=version,
        flags=tuple(_flag(item) for item in data["flags"]),
        negatives={item["name"]: tuple(item["negative"]) for item in data["flags"] if item.get("negative")},
        architectures=frozenset(data["architectures"]),
        gone=dict(data["gone"]),
    )


def _flag(item: dict[str, Any]) -> Flag:
    return Flag(
        name=item["name"],
        others=tuple(item.get("others", ())),
        kind=Kind(item["kind"]),
        choices=tuple(item.get("choices", ())),
        words=tuple(item.get("words", ())),
        several=item.get("several", False),
    )


def data_of(version: str) -> tuple[VersionData, ...]:
    """The data that tells about ``version``: its own, or that of the versions on both sides of it."""
    number = parse_version(version)
    known = [(parse_version(name), name) for name in READ]
    same = [name for at, name in known if _same_release(at, number)]
    if same:
        return (read_version(same[-1]),)
    below = [name for at, name in known if at < number][-1:]
    above = [name for at, name in known if at > number][:1]
    return tuple(read_version(name) for name in (*below, *above))


def _same_release(a: Version, b: Version) -> bool:
    return a[:3] == b[:3]


NEWEST = READ[-1]
