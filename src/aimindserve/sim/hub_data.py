"""Repositories of emulated hubs written down as data (``hubs/*.json``), brought to life.

A repository's ``files`` say what each is: ``{"text": …}``, ``{"lines": […]}``, ``{"json": …}``, ``{"size": N}``
(zeros), ``{"demo": "model" | "projector", "type": "Q4_K_M"}`` (the demo model's own files under that name).
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from aimindserve.sim.hub_files import Content, Held, HubFile, Virtual, hub_file
from aimindserve.sim.hub_gguf import with_file_type
from aimindserve.sim.hub_repositories import Catalogue, Repository, Token

_HERE = Path(__file__).parent
_DATA = _HERE / "hubs"
_DEMO = {
    "model": _HERE.parent / "demo_model" / "tiny-vlm-q8_0.gguf",
    "projector": _HERE.parent / "demo_model" / "mmproj-tiny-vlm-q8_0.gguf",
}
# Accepted conditions of everything / of nothing / not allowed to read gated repositories.
GRANTED, NOT_LISTED, NO_SCOPE = "hf_granted", "hf_notlisted", "hf_noscope"


@cache
def _demo(kind: str) -> bytes:
    return _DEMO[kind].read_bytes()


def _content(told: dict[str, Any], *, true_size: bool) -> Content:
    if "text" in told:
        return Held(told["text"].encode())
    if "lines" in told:
        return Held("\n".join([*told["lines"], ""]).encode())
    if "json" in told:
        return Held(json.dumps(told["json"], indent=2, ensure_ascii=False).encode())
    if "demo" in told and not true_size:
        return Held(with_file_type(_demo(told["demo"]), told["type"]))
    return Virtual(told["size"])


def repository(told: dict[str, Any], hub: str, *, true_size: bool = False) -> Repository:
    """A repository from its data, for one hub."""
    about = told.get("about", {})
    made = Repository(told["id"], hub, told.get("gated", False), told.get("private", False), about)
    made.commit(_files(told["files"], true_size=true_size), told.get("sha"))
    return made


def _files(told: dict[str, Any], *, true_size: bool) -> Iterator[HubFile]:
    for path, what in told.items():
        yield hub_file(path, _content(what, true_size=true_size))


def load(folder: Path = _DATA, *, true_size: bool = False) -> Catalogue:
    """All repositories of ``folder``, and three tokens: one may read everything, one was let into no gated repository,
    one lacks the scope for them. ``true_size``: files that else hold the demo model are as big as the originals."""
    repositories: list[Repository] = []
    for path in sorted(folder.glob("*.json")):
        told = json.loads(path.read_bytes())
        repositories += [repository(told, hub, true_size=true_size) for hub in told.get("hubs", ["huggingface"])]
    gated = frozenset(item.id for item in repositories if item.gated)
    private = frozenset(item.id for item in repositories if item.private)
    tokens = {
        GRANTED: Token("granted", accepted=gated, private=private),
        NOT_LISTED: Token("newcomer"),
        NO_SCOPE: Token("narrow", accepted=gated, scoped=False),
    }
    return Catalogue(repositories, tokens)
