"""A real vLLM for the CPU, installed as a node installs it, once: it stays in ``.cache`` for the next run."""

import os
from pathlib import Path

import pytest

from aimindserve.domain.reasons import Reason
from aimindserve.node.environment_job import EnvironmentJob, make_environment
from aimindserve.node.recipes import find_recipe

ENGINES = Path(__file__).resolve().parents[2] / ".cache" / "engines"
VERSION = "0.32.0"


@pytest.fixture(scope="session")
def program() -> Path:
    """The program that ``AIMINDSERVE_VLLM`` names, else our own installation; skips where this machine cannot have
    it."""
    named = os.environ.get("AIMINDSERVE_VLLM")
    if named:
        return Path(named).resolve()
    recipe = find_recipe("vllm", VERSION, "cpu")
    if isinstance(recipe, Reason):
        pytest.skip(f"{recipe.code}: {recipe.params}")
    return make_environment(EnvironmentJob(engines=str(ENGINES), recipe=recipe)) / recipe.program
