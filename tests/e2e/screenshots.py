"""Pictures of every page in both languages, both colour schemes and two widths (``make screenshots``)."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect
from tests.e2e.browser import PATIENCE_MS, chromium, open_page
from tests.e2e.lively import MODEL, lively_product
from tests.e2e.person import log_in
from tests.e2e.product import Product

PAGES = {
    "dashboard": "/dashboard",
    "playground": "/playground",
    "catalog": "/catalog",
    "models": "/models",
    "model-overview": f"/models?open={MODEL}",
    "model-logs": f"/models?open={MODEL}&tab=logs",
    "model-metrics": f"/models?open={MODEL}&tab=metrics",
    "model-plan": f"/models?open={MODEL}&tab=plan",
    "model-api": f"/models?open={MODEL}&tab=api",
    "model-events": f"/models?open={MODEL}&tab=events",
    "deploy": "/models?deploy=hf&q=qwen",
    "edit": f"/models?edit={MODEL}",
    "nodes": "/nodes",
    "files": "/files",
    "usage": "/usage",
    "keys": "/keys",
    "users": "/users",
    "audit": "/audit",
    "settings": "/settings",
    "profile": "/profile",
    "password": "/password",
}
"""Every page by the name of its picture."""
WIDTHS = {"wide": 1360, "narrow": 390}
LOCALES = {"en": "en-US", "zh": "zh-CN"}


def settle(page: Page) -> None:
    """Wait until nothing is loaded any more."""
    expect(page.get_by_role("main")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".mantine-Skeleton-root:visible")).to_have_count(0, timeout=PATIENCE_MS)
    page.evaluate("document.fonts.ready")


def whole_page(page: Page, width: int) -> None:
    """Make the window as high as the content, up to some screens: only ``main`` scrolls."""
    page.set_viewport_size({"width": width, "height": 900})
    settle(page)
    height = page.evaluate("document.querySelector('main')?.scrollHeight ?? 0")
    page.set_viewport_size({"width": width, "height": min(3200, max(900, height + 120))})
    settle(page)


def take(browser: Browser, product: Product, folder: Path, only: str | None) -> int:
    """Write the pictures; how many."""
    count = 0
    for language, locale in LOCALES.items():
        for scheme in ("light", "dark"):
            page, complaints = open_page(browser, product.url, locale=locale, dark=scheme == "dark")
            page.goto("/dashboard")
            log_in(page, product)
            for name, path in PAGES.items():
                for size, width in WIDTHS.items():
                    if only and only not in f"{name}-{language}-{scheme}-{size}":
                        continue
                    page.goto(path)
                    whole_page(page, width)
                    page.screenshot(path=folder / f"{name}-{language}-{scheme}-{size}.png")
                    count += 1
            page.context.close()
            if complaints.found:
                print("\n".join(complaints.found), file=sys.stderr)
    return count


def main() -> int:
    """Take the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(".cache/screenshots"))
    parser.add_argument("--only", help="a part of the pictures' names, such as dashboard-zh")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="ams-shots-"))
    try:
        with lively_product(work) as product, chromium() as browser:
            count = take(browser, product, arguments.folder, arguments.only)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{count} pictures in {arguments.folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
