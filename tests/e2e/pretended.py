"""Engines and models that are only pretended, for machines that are only declared: programs that see a GPU and answer
at once, and checkpoints with true headers and no weights (files with holes)."""

import json
import sys
from pathlib import Path
from typing import Any

from aimindserve.sim.hub_checkpoints import checkpoint
from aimindserve.sim.hub_files import LFS_OVER
from aimindserve.sim.hub_repositories import HUGGING_FACE, Catalogue

_HUBS = Path(__file__).parents[2] / "src" / "aimindserve" / "sim" / "hubs"
_PROGRAM = """#!{python}
import runpy
import sys

if "--list-devices" in sys.argv:
    print("Available devices:\\n  CUDA0: a GPU (81559 MiB, 81008 MiB free)")
else:
    sys.argv += ["--fake-request", "tokens=20"]
    runpy.run_module("aimindserve.sim.fake_engine", run_name="__main__")
"""


def _program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_PROGRAM.format(python=sys.executable))
    path.chmod(0o755)
    return path


def pretended_llama_server(folder: Path) -> Path:
    """A ``llama-server`` that sees a GPU."""
    return _program(folder / "llama-server")


def pretended_vllm(data: Path, version: str) -> Path:
    """A vLLM of its own environment in a data folder, built for CUDA as far as its files tell."""
    home = data / "engines" / "vllm" / version
    (home / "lib" / "python3.11" / "site-packages" / f"vllm-{version}.dist-info").mkdir(parents=True)
    return _program(home / "bin" / "vllm")


def stored_weights(data: Path, catalogue: Catalogue) -> None:
    """The large files of an emulated hub as a node's store has them once they were fetched: of their true sizes, and
    without a byte on the disk. Whoever deploys the models fetches only what is small."""
    blobs = data / "models" / "blobs"
    for folder in (data, blobs.parent, blobs):
        folder.mkdir(mode=0o700, exist_ok=True)
    for repository in catalogue.all(HUGGING_FACE):
        for file in repository.files.values():
            if file.content.size > LFS_OVER:
                with (blobs / f"sha256-{file.content.sha256}").open("wb") as blob:
                    blob.truncate(file.content.size)


def checkpoint_like(name: str, folder: Path, **config: Any) -> Path:
    """A folder with the checkpoint of the emulated hub's repository of this file ``name``, some of its ``config``
    changed. The weights take no room on the disk."""
    told = json.loads((_HUBS / f"{name}.json").read_bytes())
    changed = told["files"]["config.json"]["json"] | config
    folder.mkdir(parents=True)
    for path, what in told["files"].items():
        if "json" in what:
            (folder / path).write_text(json.dumps(changed if path == "config.json" else what["json"]))
    for path, content in checkpoint(told["checkpoint"], changed):
        with (folder / path).open("wb") as file:
            file.write(content.read(0, min(content.size, 1 << 20)))
            file.truncate(content.size)
    return folder
