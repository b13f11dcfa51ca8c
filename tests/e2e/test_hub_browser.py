"""The guide's GGUF step, typed word for word in a real browser, against the emulated hub: it ends in a running model
that sees pictures, and nobody had to know what a projector is."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.person import ask, drawing, upload
from tests.e2e.product import Product

from aimindserve.sim import hub_data
from aimindserve.sim.hub_server import FakeHub

pytestmark = pytest.mark.browser

REPOSITORY = "bartowski/Qwen2-VL-2B-Instruct-GGUF"
NAME = "Qwen2-VL-2B-Instruct"
GATED = "meta-llama/Llama-3.2-11B-Vision-Instruct"
WITH_CODE = "microsoft/Phi-3.5-vision-instruct"


@pytest.fixture(scope="module")
def hub() -> Iterator[FakeHub]:
    with FakeHub(hub_data.load()) as running:
        yield running


@pytest.fixture(scope="module")
def product(hub: FakeHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    endpoints = ("--huggingface-endpoint", hub.endpoint, "--modelscope-endpoint", hub.modelscope_endpoint)
    running = Product(tmp_path_factory.mktemp("hub") / "data", *endpoints, "--llama-threads", "1")
    running.start()
    yield running
    running.clear()
    running.stop()


def expect_ready(page: Page, name: str) -> None:
    """The model runs, as its card on the Models page says."""
    row = page.get_by_role("article", name=name, exact=True)
    expect(row.locator("[data-phase]").first).to_have_attribute("data-phase", "ready")


def choose_model(page: Page, label: str, name: str) -> None:
    """Pick the model in the drop-down at the top right."""
    page.get_by_role("combobox", name=label).click()
    page.locator(f"[role=option][value='{name}']").click()


def test_the_guide_in_english(page: Page) -> None:
    page.get_by_role("link", name="Models", exact=True).click()
    page.get_by_role("button", name="Deploy Model").click()
    page.get_by_role("menuitem", name="Hugging Face").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("checkbox", name="GGUF").check()
    drawer.get_by_role("searchbox").fill(REPOSITORY)
    drawer.get_by_role("radio", name="Q4_K_M", exact=True).check()
    expect(drawer.get_by_role("combobox", name="Projector")).to_have_value(
        "mmproj-Qwen2-VL-2B-Instruct-f16.gguf (matched)"
    )
    expect(drawer.locator("[data-verdict]")).to_have_attribute("data-verdict", "fits")
    drawer.get_by_role("button", name="Save").click()
    expect_ready(page, NAME)
    page.get_by_role("link", name="Playground", exact=True).click()
    choose_model(page, "Model", NAME)
    upload(page, drawing("#dc1e1e"))
    assert "red" in ask(page, "Describe this image.")


def test_the_guide_in_chinese(chinese_page: Page) -> None:
    page = chinese_page
    page.get_by_role("link", name="模型", exact=True).click()
    page.get_by_role("button", name="部署模型").click()
    page.get_by_role("menuitem", name="Hugging Face").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("checkbox", name="GGUF").check()
    drawer.get_by_role("searchbox").fill(REPOSITORY)
    drawer.get_by_role("radio", name="Q4_K_M", exact=True).check()
    drawer.get_by_role("button", name="高级").click()
    expect(drawer.get_by_text("后端参数")).to_be_visible()
    expect(drawer.get_by_role("button", name="添加参数")).to_be_visible()
    drawer.get_by_role("button", name="保存").click()
    expect_ready(page, f"{NAME}-2")
    page.get_by_role("link", name="试验场", exact=True).click()
    choose_model(page, "模型", f"{NAME}-2")
    expect(page.get_by_role("button", name="上传图片")).to_be_visible()
    upload(page, drawing("#1e3cdc"))
    # The guide's question first; the demo model inside the emulated repository was only taught English ones.
    assert ask(page, "描述这张图片", submit="提交")
    assert "blue" in ask(page, "Describe this image.", submit="提交")


def test_the_same_from_modelscope(page: Page) -> None:
    page.get_by_role("link", name="Models", exact=True).click()
    page.get_by_role("button", name="Deploy Model").click()
    page.get_by_role("menuitem", name="ModelScope").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("checkbox", name="GGUF").check()
    drawer.get_by_role("searchbox").fill(REPOSITORY)
    drawer.get_by_role("radio", name="Q8_0", exact=True).check()
    expect(drawer.get_by_role("combobox", name="Projector")).to_have_value(re.compile(r"^mmproj-.*f16.*matched"))
    drawer.get_by_role("textbox", name="Name").fill("from-modelscope")
    drawer.get_by_role("button", name="Save").click()
    expect_ready(page, "from-modelscope")
    page.get_by_role("link", name="Playground", exact=True).click()
    choose_model(page, "Model", "from-modelscope")
    upload(page, drawing("#dc1e1e"))
    assert "red" in ask(page, "Describe this image.")


def test_a_gated_repository_leads_to_its_licence_and_to_settings(page: Page) -> None:
    page.goto(f"/models?deploy=hf&repo={GATED}")
    drawer = page.get_by_role("dialog")
    expect(drawer.locator("[data-reason=repository_needs_token]")).to_contain_text("What to do:")
    expect(drawer.get_by_role("link", name="Open the licence page")).to_have_attribute(
        "href", f"https://huggingface.co/{GATED}"
    )
    drawer.get_by_role("link", name="Open Settings").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()


def test_code_of_a_model_waits_for_the_tick_and_can_be_taken_back(page: Page) -> None:
    page.goto(f"/models?deploy=hf&repo={WITH_CODE}")
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("This model brings Python code of its own")
    expect(drawer.get_by_role("button", name="Save")).to_be_disabled()
    expect(drawer.get_by_role("button", name="Allow this code")).to_be_disabled()
    drawer.get_by_role("checkbox", name="I have looked at these files").check()
    drawer.get_by_role("button", name="Allow this code").click()
    expect(drawer).to_contain_text("an administrator allowed it")
    page.goto("/settings")
    row = page.get_by_role("article", name=WITH_CODE)
    row.get_by_role("button").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)


def test_search_finds_by_words_and_the_address_remembers(page: Page) -> None:
    page.goto("/models?deploy=hf")
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("searchbox").fill("qwen2-vl")
    results = drawer.get_by_role("list", name="Results")
    # Chosen at once, while the words still wait to be asked for: neither may undo the other.
    results.locator(f"[data-repository='{REPOSITORY}']").click()
    expect(page).to_have_url(re.compile(r"q=qwen2-vl.*repo=|repo=.*q=qwen2-vl"))
    drawer.get_by_role("checkbox", name="GGUF").check()
    expect(results.locator("[data-repository='Qwen/Qwen2-VL-7B-Instruct']")).to_have_count(0)
    results.locator(f"[data-repository='{REPOSITORY}']").click()
    drawer.get_by_role("radio", name="Q8_0", exact=True).check()
    page.reload()
    expect(drawer.get_by_role("searchbox")).to_have_value("qwen2-vl")
    expect(drawer.get_by_role("radio", name="Q8_0", exact=True)).to_be_checked()
    drawer.get_by_role("button", name="About this model").click()
    expect(drawer.get_by_role("heading", name="Llamacpp imatrix")).to_be_visible()
    assert drawer.locator("img").count() == 0
