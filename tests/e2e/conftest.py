"""What the browser tests share."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.browser import PATIENCE_MS, chromium
from tests.e2e.person import visit
from tests.e2e.product import Product

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for all tests of a file."""
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    """An English page of somebody who is logged in to the file's ``product``; the browser must have nothing to complain
    of."""
    yield from visit(browser, product, locale="en-US")


@pytest.fixture
def chinese_page(browser: Browser, product: Product) -> Iterator[Page]:
    """The same in Chinese, dark."""
    yield from visit(browser, product, locale="zh-CN", dark=True)
