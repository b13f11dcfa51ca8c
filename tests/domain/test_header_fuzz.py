"""Damaged headers of GGUF and safetensors files and damaged configurations: read or refused, quickly, in little memory.

20,000 in the normal run, 800,000 in the long one (``-m soak``)."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from aimindserve.domain.hf_json import MAX_CONFIG, ConfigError
from aimindserve.domain.hf_weights import parse_safetensors_header

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20


def fuzz(count: int, seed: int) -> None:
    command = [sys.executable, "-m", "tests.support.header_fuzz", str(count), str(seed)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src")))}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"seed {seed}: {done.stderr[-3000:]}"
    told = json.loads(done.stdout)
    assert told["read"] + told["refused"] == count
    # A damage that always or never spoils a header would test nothing.
    assert 0.05 * count < told["read"] < 0.95 * count
    assert told["slowest"] <= 1, f"seed {seed}: {told}"
    assert told["grown"] <= 64 * MIB, f"seed {seed}: {told}"


def test_twenty_thousand_damaged_headers() -> None:
    fuzz(20_000, 20261125)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(8))
def test_eight_hundred_thousand_damaged_headers(part: int) -> None:
    fuzz(100_000, random.SystemRandom().randrange(1 << 32) + part)


BOMB = """
import resource, sys
from aimindserve.domain.hf_json import ConfigError, json_object
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    json_object(eval(sys.argv[1])[:{limit}])
except ConfigError:
    pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.parametrize(
    "text",
    [
        "b'{\"a\":[' + b'{},' * 199_000 + b'{}]}'",
        "b'{\"a\":[' + b'1.5,' * 499_000 + b'1]}'",
        "b'{' + b','.join(b'\"k%d\":1' % n for n in range(400_000)) + b'}'",
        "b'{\"a\":\"' + b'\\xc3\\xa9' * 2_000_000 + b'\"}'",
        "b'[' * 190_000",
    ],
)
def test_a_configuration_takes_no_more_than_64_mib(text: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BOMB.format(limit=MAX_CONFIG), text], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) <= 64 * MIB


def test_safetensors_headers_of_nonsense_sizes() -> None:
    for shape in ([2**62, 2**62], [2**63], [-1], [True], [0] * 17):
        entry = {"a": {"dtype": "BF16", "shape": shape, "data_offsets": [0, 8]}}
        with pytest.raises(ConfigError):
            parse_safetensors_header(json.dumps(entry).encode(), 8)
