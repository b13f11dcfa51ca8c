"""Fixtures of the command line's tests."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cli.management import KEY, Management, serving, view_of

from aimindserve.domain.specs import DeploymentSpec

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def management() -> Management:
    known = Management()
    known.deployments["eye"] = view_of(DeploymentSpec(name="eye", source="demo://tiny-vlm"))
    return known


@pytest.fixture
def cli(management: Management, tmp_path: Path) -> Iterator[Run]:
    """Run the command as a person would, with the server's address and key in the environment."""
    with serving(management) as url:

        def run(*words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
            own = {"AIMINDSERVE_URL": url, "AIMINDSERVE_API_KEY": KEY, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
            return subprocess.run(
                [sys.executable, "-m", "aimindserve.cli.main", *words],
                env=own | environment, capture_output=True, text=True, check=False, timeout=60,
                input=stdin,
            )  # fmt: skip

        yield run


@pytest.fixture
def unused_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
