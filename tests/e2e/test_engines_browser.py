"""Settings → Engines against the real server: an installation that cannot go on, and a program of one's own."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.person import visit
from tests.e2e.product import Product
from tests.support.fake_engine import fake_llama_server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Its pip knows of no index."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        patch.delenv("PIP_FIND_LINKS", raising=False)
        running = Product(tmp_path_factory.mktemp("engines") / "data")
        running.start()
        yield running
        running.stop()


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    for visitor in visit(browser, product, locale="en-US"):
        visitor.get_by_role("link", name="Settings", exact=True).click()
        visitor.get_by_role("tab", name="Engines").click()
        yield visitor


def test_an_installation_says_why_it_fails_and_what_to_do(page: Page) -> None:
    expect(page).to_have_title("Settings · aiMindServe")
    page.get_by_role("button", name="Install a version").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("radio", name="vllm 0.32.0 (CPU)")).to_be_checked()
    expect(dialog).to_contain_text("the newest for Llama 3.2 Vision")
    expect(dialog).to_contain_text("CUDA 13.0, driver 580.65.06 or newer")
    dialog.get_by_role("button", name="Install", exact=True).click()
    expect(dialog).to_have_count(0)
    card = page.get_by_role("article", name="vllm 0.32.0")
    expect(card.locator("[data-state=failed]")).to_be_visible()
    expect(card).to_contain_text("could not be fetched")
    expect(card).to_contain_text("What to do: Check network, proxy and pip's index")
    card.get_by_role("button", name="Cancel").click()
    expect(card).to_have_count(0)


def test_a_program_of_ones_own(page: Page, tmp_path: Path) -> None:
    program = fake_llama_server(tmp_path)
    page.get_by_role("button", name="Register a program").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Engine").click()
    page.get_by_role("option", name="llama-box").click()
    dialog.get_by_role("textbox", name="Program").fill(str(program))
    dialog.get_by_role("button", name="Register", exact=True).click()
    card = page.get_by_role("article").filter(has_text=str(program))
    expect(card.locator("[data-state=ready]")).to_be_visible()
    expect(card).to_contain_text(re.compile(r"registered.*not in use"))
    card.get_by_role("button", name="Take off the list").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(card).to_have_count(0)
    assert program.exists()


def test_a_link_names_the_version(page: Page, product: Product) -> None:
    page.goto("/settings/engines?install=vllm%3D%3D0.10.2%2Bcuda")
    expect(page.get_by_role("dialog").get_by_role("radio", name="vllm 0.10.2 (CUDA)")).to_be_checked()
