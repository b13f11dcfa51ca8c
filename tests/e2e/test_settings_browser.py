"""The Settings page against the real server: tokens, addresses, offline work."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.e2e.person import visit
from tests.e2e.product import Product, free_port

pytestmark = pytest.mark.browser

TOKEN = "hf_abcdefghijklmnopqrstuv1x7Q"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    running = Product(tmp_path_factory.mktemp("settings") / "data")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    for visitor in visit(browser, product, locale="en-US"):
        visitor.get_by_role("link", name="Settings", exact=True).click()
        yield visitor


def section(page: Page, name: str) -> Locator:
    """A part of the page by its title."""
    return page.get_by_role("region", name=name)


def test_a_token_goes_in_and_never_comes_out(page: Page) -> None:
    expect(page).to_have_title("Settings · aiMindServe")
    row = section(page, "Access tokens").get_by_role("article", name="Hugging Face")
    expect(row).to_contain_text("No token.")
    row.get_by_role("button", name="Add token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Token").fill(TOKEN)
    dialog.get_by_role("button", name="Save token").click()
    expect(row).to_contain_text("ends in 1x7Q")
    page.reload()
    expect(row).to_contain_text("ends in 1x7Q")
    assert TOKEN not in page.content()
    row.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(row).to_contain_text("No token.")


def test_the_mirror_is_one_click_away_and_goes_back_when_emptied(page: Page) -> None:
    address = page.get_by_role("textbox", name="Address of Hugging Face")
    expect(address).to_have_value("https://huggingface.co")
    page.get_by_role("button", name="Use hf-mirror.com").click()
    expect(address).to_have_value("https://hf-mirror.com")
    expect(page.get_by_role("button", name="Use hf-mirror.com")).to_have_count(0)
    address.fill("hf-mirror.com")
    expect(section(page, "Connection")).to_contain_text("An address starts with http:// or https://.")
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()
    address.fill("")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(address).to_have_value("https://huggingface.co")


def test_the_check_says_what_is_wrong_and_what_to_do(page: Page) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    for hub in ("Hugging Face", "ModelScope"):
        page.get_by_role("textbox", name=f"Address of {hub}").fill(nobody)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    page.get_by_role("button", name="Check", exact=True).click()
    result = page.locator("[data-check=hf]")
    expect(result).to_have_attribute("data-reachable", "false")
    expect(result).to_contain_text("What to do:")
