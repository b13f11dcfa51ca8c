"""Repositories of emulated hubs written down as data (``hubs/*.json``), brought to life.

A repository's ``files`` say what each is: ``{"text": …}``, ``{"lines": […]}``, ``{"json": …}``, ``{"size": N}``
(zeros), ``{"gguf": "model" | "projector", "type": "Q4_K_M"}`` (a true header for the repository's ``model``, then
zeros; ``"part": [0, 3]``: split files; ``"demo": true``: the demo model's own files under that name, unless true sizes
are asked for). ``checkpoint`` adds safetensors files with true headers.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from aimindserve.sim import hub_gguf
from aimindserve.sim.hub_checkpoints import checkpoint, parameters
from aimindserve.sim.hub_files import Content, Held, Virtual, hub_file
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


def _gguf(told: dict[str, Any], model: dict[str, Any], *, true_size: bool) -> Content:
    kind, name = told["gguf"], told["type"]
    if told.get("demo") and not true_size:
        return Held(hub_gguf.with_file_type(_demo(kind), name))
    if kind == "projector":
        return hub_gguf.projector_file(model, name)
    number, count = told.get("part", (0, 1))
    return hub_gguf.model_file(model, name, (number, count))


def _content(told: dict[str, Any], model: dict[str, Any], *, true_size: bool) -> Content:
    if "text" in told:
        return Held(told["text"].encode())
    if "lines" in told:
        return Held("\n".join([*told["lines"], ""]).encode())
    if "json" in told:
        return Held(json.dumps(told["json"], indent=2, ensure_ascii=False).encode())
    return _gguf(told, model, true_size=true_size) if "gguf" in told else Virtual(told["size"])


def repository(told: dict[str, Any], hub: str, *, true_size: bool = False) -> Repository:
    """A repository from its data, for one hub."""
    about = dict(told.get("about", {}))
    files = [
        hub_file(path, _content(what, told.get("model", {}), true_size=true_size))
        for path, what in told["files"].items()
    ]
    weights = told.get("checkpoint")
    if weights:
        config = told["files"][weights["config"]]["json"]
        files += [hub_file(path, content) for path, content in checkpoint(weights, config)]
        about["safetensors"] = parameters(weights, config)
    made = Repository(told["id"], hub, told.get("gated", False), told.get("private", False), about)
    made.commit(files, told.get("sha"))
    return made


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
