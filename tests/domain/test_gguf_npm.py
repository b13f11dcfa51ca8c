"""The GGUF header reader against ``@huggingface/gguf``, the reader of the hub's own page, which reads remotely too."""

import json
import math
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import gguf
import pytest
from tests.support.gguf_files import write_model, write_projector

from aimindserve.domain.gguf import GgufArray, GgufHeader, read_header
from aimindserve.sim.hub_data import load
from aimindserve.sim.hub_repositories import HUGGING_FACE
from aimindserve.sim.hub_server import FakeHub

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "src" / "aimindserve" / "demo_model"
GUIDE = "bartowski/Qwen2-VL-2B-Instruct-GGUF"
# Whole numbers of 64 bits come as text, arrays as their length.
SCRIPT = """
import { gguf } from "@huggingface/gguf";
const told = await gguf(process.argv[1], { allowLocalFile: !process.argv[1].startsWith("http") });
const short = ([key, value]) => [key, Array.isArray(value) ? { count: value.length } : value];
const metadata = Object.fromEntries(Object.entries(told.metadata).map(short));
const text = (key, value) => (typeof value === "bigint" ? value.toString() : value);
console.log(JSON.stringify({ metadata, tensors: told.tensorInfos }, text));
"""


def read_by_npm(where: str) -> dict[str, Any]:
    search = os.pathsep.join((str(ROOT / ".venv" / "bin"), os.environ.get("PATH", os.defpath)))
    node = shutil.which("node", path=search)
    assert node, "no node: make test brings one"
    done = subprocess.run(
        [node, "--input-type=module", "-e", SCRIPT, where],
        cwd=ROOT / "ui",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_same(header: GgufHeader, told: dict[str, Any]) -> None:
    metadata = {key: value for key, value in told["metadata"].items() if "." in key}
    assert int(told["metadata"]["tensor_count"]) == len(header.tensors)
    assert header.metadata.keys() == metadata.keys()
    for key, value in header.metadata.items():
        theirs = metadata[key]
        if isinstance(value, GgufArray):
            assert value.count == theirs["count"], key
        elif isinstance(value, float):
            assert math.isclose(value, theirs, rel_tol=1e-6), key
        elif isinstance(value, bool | str):
            assert value == theirs, key
        else:
            assert value == int(theirs), key
    types = {kind.value: kind.name for kind in gguf.GGMLQuantizationType}
    ours = [(one.name, one.shape, one.type.name, one.offset) for one in header.tensors]
    assert ours == [
        (one["name"], tuple(map(int, one["shape"])), types[one["dtype"]], int(one["offset"])) for one in told["tensors"]
    ]


@pytest.mark.parametrize("name", sorted(path.name for path in DEMO.glob("*.gguf")))
def test_the_demo_model(name: str) -> None:
    assert_same(read_header((DEMO / name).read_bytes()), read_by_npm(str(DEMO / name)))


def test_files_of_the_gguf_package(tmp_path: Path) -> None:
    split = write_model(tmp_path / "a-00001-of-00002.gguf", split=(0, 2), kv_heads=[1, 2])
    for path in (split, write_projector(tmp_path / "mmproj.gguf")):
        assert_same(read_header(path.read_bytes()), read_by_npm(str(path)))


def test_the_guides_files_read_over_http() -> None:
    catalogue = load(true_size=True)
    repository = catalogue.get(HUGGING_FACE, GUIDE)
    assert repository is not None
    with FakeHub(catalogue) as hub:
        for path in ("Qwen2-VL-2B-Instruct-Q4_K_M.gguf", "mmproj-Qwen2-VL-2B-Instruct-f16.gguf"):
            file = repository.files[path]
            told = read_by_npm(f"{hub.endpoint}/{GUIDE}/resolve/main/{path}")
            assert_same(read_header(file.content.read, file.content.size), told)
