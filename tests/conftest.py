"""How the whole suite is spread over the test workers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says more about the machine's load than about the product.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

HEAVY_FOLDERS = {"e2e", "accuracy"}


def work_unit(nodeid: str) -> str:
    """What stays together on one test worker: a file, and everything heavy, so that it never meets itself."""
    path = nodeid.partition("::")[0]
    return "heavy" if HEAVY_FOLDERS & set(path.split("/")) else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out work by :func:`work_unit`. (xdist's own groups do nothing with pytest 9.2.)"""
    from xdist.scheduler import LoadScopeScheduling

    class ByWorkUnit(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return work_unit(nodeid)

    return ByWorkUnit(config, log)
