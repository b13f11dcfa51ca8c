"""What the browser tests share."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.browser import PATIENCE_MS, chromium

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for all tests of a file."""
    with chromium() as running:
        yield running
