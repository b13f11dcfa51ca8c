"""What fits, in a browser: on a declared H100 where another model runs already, a large one does not fit, the page says
what would make it fit, and its buttons do that. The hardware, the engines and the weights are pretended."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.e2e.pretended import checkpoint_like, pretended_llama_server, pretended_vllm
from tests.e2e.product import Product

from aimindserve.sim.fleet import fleet_path

pytestmark = pytest.mark.browser

LIKE = "qwen-qwen2-vl-7b-instruct"
# The shapes of a language model with 32 billion parameters.
LARGE = {
    "hidden_size": 5120,
    "num_hidden_layers": 64,
    "num_attention_heads": 40,
    "num_key_value_heads": 8,
    "intermediate_size": 27648,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fit")


@pytest.fixture(scope="module")
def product(folder: Path) -> Iterator[Product]:
    data = folder / "data"
    data.mkdir(mode=0o700)
    pretended_vllm(data, "0.10.2")
    checkpoint_like(LIKE, folder / "large", **LARGE)
    llama = str(pretended_llama_server(folder / "programs"))
    running = Product(data, "--declared-fleet", str(fleet_path("h100")), "--llama-server", llama)
    running.start()
    running.cli("deploy", str(checkpoint_like(LIKE, folder / "small")), "--name", "small")
    running.wait_phase("small", "ready")
    yield running
    running.clear()
    running.stop()


def expect_verdict(form: Locator, verdict: str) -> None:
    """The form's last answer. Nothing is awaited any more."""
    expect(form.locator("[data-checking=false] [data-verdict]")).to_have_attribute("data-verdict", verdict)


def test_a_large_model_does_not_fit_until_a_button_is_pressed(page: Page, folder: Path) -> None:
    page.goto(f"/models?source={folder / 'large'}")
    form = page.get_by_role("dialog")
    expect_verdict(form, "waits")
    gpu = form.locator("[data-device$='GPU-h100-00']")
    expect(gpu).to_contain_text("too much")
    expect(gpu.locator("[data-stretch=small]")).to_be_visible()

    # One change of its own spec, taken back where it shows.
    form.locator("[data-alternative=fp8]").get_by_role("button", name="Apply").click()
    expect_verdict(form, "fits")
    expect(gpu.locator("[data-over]")).to_have_attribute("data-over", "false")
    row = form.locator("[data-flag='--quantization']")
    expect(row).to_have_attribute("data-origin", "yours")
    form.get_by_role("button", name="Reset --quantization").click()
    expect_verdict(form, "waits")

    # Another one stops, once that is confirmed.
    change = form.locator("[data-alternative=stop]")
    change.get_by_role("button", name="Stop…").click()
    expect(change).to_contain_text(re.compile(r"small stops: its replicas \(1\) end .* GiB come free"))
    change.get_by_role("button", name="Stop small").click()
    expect_verdict(form, "fits")
    expect(gpu.locator("[data-stretch=small]")).to_have_count(0)

    # A value is typed where it stands; the bar explains itself to the keyboard.
    context = form.get_by_role("textbox", name="Value of --max-model-len")
    context.fill("4096")
    expect(form.locator("[data-flag='--max-model-len']")).to_have_attribute("data-origin", "yours")
    expect(form.locator("[data-checking=false] [data-item=kv_cache]")).to_contain_text("4096 tokens")
    gpu.locator("[data-stretch=weights]").focus()
    page.keyboard.press("ArrowRight")
    expect(gpu.locator("[data-stretch=vision_weights]")).to_be_focused()
    expect(page.get_by_role("tooltip")).to_contain_text("Vision tower")

    form.get_by_role("button", name="Save").click()
    article = page.get_by_role("article", name="large", exact=True)
    expect(article.locator("[data-phase]").first).to_have_attribute("data-phase", "ready")
    page.get_by_role("link", name="Nodes and GPUs").click()
    card = page.locator("[data-device='GPU-h100-00']")
    expect(card.locator("[data-stretch=large]")).to_be_visible()
    card.get_by_role("link", name="large").click()
    expect(page).to_have_url(re.compile(r"/models\?open=large"))


def test_placement_wishes_and_what_a_wrong_value_is_told(chinese_page: Page, folder: Path) -> None:
    page = chinese_page
    page.goto(f"/models?source={folder / 'small'}")
    form = page.get_by_role("dialog")
    form.get_by_role("button", name="高级").click()
    form.get_by_role("combobox", name="策略").click()
    page.get_by_role("option", name="集中放置").click()
    expect(form).to_contain_text("优先使用足够且最满的设备")
    form.get_by_role("combobox", name="仅限这些设备").click()
    page.get_by_role("option", name=re.compile("H100")).click()
    expect(form.locator("[data-verdict]")).to_be_visible()
    field = form.get_by_role("textbox", name="--max-num-seqs 的值")
    field.fill("many")
    expect_verdict(form, "no")
    expect(form.locator("[data-flag='--max-num-seqs']")).to_contain_text("不接受值")
    field.fill("8")
    expect(form.locator("[data-reason=parameter_value]")).to_have_count(0)
    expect(form.locator("[data-flag='--max-num-seqs']")).to_have_attribute("data-origin", "yours")
