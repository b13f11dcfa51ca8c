"""Chromium for the browser tests, and what a person would notice going wrong in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The browser writes this for every refused request, also for those that the page expects and answers.
_EXPECTED = "Failed to load resource"
PATIENCE_MS = 30_000


def find_chromium() -> str:
    """The browser's program: ``AIMINDSERVE_TEST_BROWSER``, else the first one on the path."""
    found = os.environ.get("AIMINDSERVE_TEST_BROWSER") or next(filter(None, map(shutil.which, _NAMES)), None)
    assert found, "no Chromium: make test installs it, or run apt-get install chromium"
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(_FLAGS))
        yield browser
        browser.close()


class Complaints:
    """What the browser reports of a page: script errors, refused styles and scripts, requests to strangers."""

    def __init__(self, page: Page, origin: str) -> None:
        self.found: list[str] = []
        self._origin = origin
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.found.append(f"script error: {error}"))
        page.on("request", lambda request: self._request(request.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and _EXPECTED not in message.text:
            self.found.append(f"console: {message.text}")

    def _request(self, url: str) -> None:
        if not url.startswith((self._origin, "data:", "blob:")):
            self.found.append(f"request to a stranger: {url}")


def open_page(browser: Browser, origin: str, *, locale: str = "en-US", dark: bool = False) -> tuple[Page, Complaints]:
    """A new page of a new visitor at ``origin``, with what the browser complains of."""
    context: BrowserContext = browser.new_context(
        base_url=origin, locale=locale, color_scheme="dark" if dark else "light"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    return page, Complaints(page, origin)
