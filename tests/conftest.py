"""How the whole suite is spread over the test workers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says more about the machine's load than about the product.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

HEAVY_FOLDERS = {"e2e", "accuracy"}
HERE = Path(__file__).resolve().parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One file stays on one worker; everything heavy shares one worker, so that it never meets itself.

    Heavy is what lies in ``tests/e2e`` or ``tests/accuracy`` or is marked ``heavy`` or ``browser``.
    """
    for item in items:
        folder = item.path.relative_to(HERE).parts[0]
        marked = item.get_closest_marker("heavy") or item.get_closest_marker("browser")
        group = "heavy" if folder in HEAVY_FOLDERS or marked else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
