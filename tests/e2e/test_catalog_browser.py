"""The catalog in a browser against the whole product: what fits, one click to the form, a running model, in both
languages. The catalog itself asks no hub; the form does, here an emulated one."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.product import Product

from aimindserve.sim import hub_data
from aimindserve.sim.hub_server import FakeHub

pytestmark = pytest.mark.browser

NAME = "Qwen2-VL-2B-Instruct"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with FakeHub(hub_data.load()) as hub:
        endpoints = ("--huggingface-endpoint", hub.endpoint, "--modelscope-endpoint", hub.modelscope_endpoint)
        running = Product(tmp_path_factory.mktemp("catalog") / "data", *endpoints, "--llama-threads", "1")
        running.start()
        yield running
        running.clear()
        running.stop()


def test_from_the_catalog_to_a_running_model(page: Page, product: Product) -> None:
    page.get_by_role("link", name="Models", exact=True).click()
    page.get_by_role("button", name="Deploy Model").click()
    page.get_by_role("menuitem", name="Catalog").click()
    page.get_by_role("radiogroup", name="Capability").get_by_text("vision", exact=True).click()
    page.get_by_role("switch", name="Fits my machines").check()
    expect(page).to_have_url(f"{product.url}/catalog?capability=vision&fits=true")
    card = page.get_by_role("article", name="Qwen2-VL", exact=True)
    expect(card.locator("[data-fit]")).to_have_attribute("data-fit", "fits")
    expect(card).to_contain_text("It runs on the CPU")
    expect(page.get_by_role("article", name="Aria", exact=True)).to_have_count(0)
    card.get_by_role("link", name=f"Deploy {NAME}:Q4_K_M").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.locator("[data-family=qwen2-vl]")).to_contain_text("It runs on the CPU")
    expect(drawer.get_by_role("radio", name="Q4_K_M", exact=True)).to_be_checked()
    expect(drawer.locator("[data-verdict]")).to_have_attribute("data-verdict", "fits")
    drawer.get_by_role("button", name="Save").click()
    row = page.get_by_role("article", name=NAME, exact=True)
    expect(row.locator("[data-phase]").first).to_have_attribute("data-phase", "ready")


def test_the_arguments_that_a_model_needs_are_in_the_form(page: Page) -> None:
    page.goto("/catalog?q=phi-3.5")
    page.get_by_role("link", name="Deploy Phi-3.5-vision-instruct:bf16").click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("This model brings Python code of its own")
    expect(drawer.locator("input[value='--trust-remote-code']")).to_be_visible()


def test_in_chinese_with_modelscope_and_every_variant(chinese_page: Page) -> None:
    page = chinese_page
    page.get_by_role("link", name="模型库", exact=True).click()
    page.get_by_role("switch", name="使用 ModelScope").check()
    page.get_by_role("searchbox", name="搜索模型库").fill("指南")
    expect(page.get_by_role("article")).to_have_count(4)
    page.get_by_role("button", name=re.compile("全部版本.* Llama 3.2 Vision$")).click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("ms://LLM-Research/Llama-3.2-11B-Vision-Instruct")
    expect(drawer).to_contain_text("请先在模型页面接受 Meta 的许可协议")
    page.reload()
    expect(drawer).to_be_visible()
    expect(page.get_by_role("searchbox", name="搜索模型库")).to_have_value("指南")
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
