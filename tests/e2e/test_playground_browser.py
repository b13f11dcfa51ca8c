"""The playground in a browser, with emulated engines: conversations that are changed and kept, pictures from
everywhere, boxes over them, several models at once, and the code that it shows."""

import base64
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from tests.e2e.person import ask, drawing, upload
from tests.e2e.product import Product
from tests.support.fake_engine import fake_llama_server

pytestmark = pytest.mark.browser

DEMO_FILES = Path(__file__).parents[2] / "src" / "aimindserve" / "demo_model"
MODELS = ("eye", "other")
BOX = "<|object_ref_start|>cat<|object_ref_end|><|box_start|>(100,200),(500,600)<|box_end|>"


def say(text: str) -> str:
    """A question whose answer is known: the emulated engine says ``text``, which has no spaces."""
    return f"[[fake text={text}]]"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("playground")
    running = Product(folder / "data", "--llama-server", str(fake_llama_server(folder)))
    running.start()
    weights = next(path for path in DEMO_FILES.glob("*.gguf") if not path.name.startswith("mmproj"))
    for name in MODELS:
        running.cli("deploy", str(weights), "--name", name)
    for name in MODELS:
        running.wait_phase(name, "ready")
    yield running
    running.clear()
    running.stop()


def turns(page: Page) -> Locator:
    return page.locator("[data-turn]")


def answers(page: Page) -> Locator:
    return page.locator("[data-turn=assistant][data-state=done]")


def pdf(pages: int) -> bytes:
    """A PDF whose pages are pictures."""
    first, *others = (Image.new("RGB", (200, 300), (40 * number, 90, 160)) for number in range(pages))
    buffer = io.BytesIO()
    first.save(buffer, "PDF", save_all=True, append_images=others)
    return buffer.getvalue()


def test_a_conversation_is_changed_asked_again_and_kept(page: Page) -> None:
    page.goto("/playground?model=eye")
    upload(page, drawing("#dc1e1e", (300, 200)))
    thumbnail = page.locator("[data-picture]")
    expect(thumbnail).to_contain_text("300 × 200")
    expect(thumbnail.locator("[data-tokens]")).to_be_visible()
    assert ask(page, say("<think>hm</think>**first**")) == "first"
    thought = page.locator("[data-reasoning]")
    expect(thought).not_to_have_attribute("open", "")
    thought.locator("summary").click()
    expect(thought).to_contain_text("hm")
    assert ask(page, say("second")) == "second"
    page.get_by_role("button", name="Answer anew").last.click()
    expect(answers(page)).to_have_count(2)
    page.get_by_role("button", name="Edit and ask again").first.click()
    page.get_by_role("textbox", name="Changed text").fill(say("third"))
    page.get_by_role("button", name="Ask again", exact=True).click()
    expect(turns(page)).to_have_count(2)
    expect(answers(page).locator("[data-answer]")).to_have_text("third")
    expect(page.locator("[data-stats]")).to_contain_text("tokens")
    expect(page).to_have_url(re.compile("chat="))
    page.reload()
    expect(answers(page).locator("[data-answer]")).to_have_text("third")
    expect(page.locator("[data-turn=user] img")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(turns(page)).to_have_count(0)
    page.get_by_role("button", name="History").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export all").click()
    file = download.value.path()
    assert json.loads(file.read_text())["conversations"][0]["turns"][0]["text"] == say("third")
    page.get_by_role("button", name="Delete [[fake").click()
    expect(page.locator("[data-conversation]")).to_have_count(0)
    page.get_by_role("dialog").locator("input[type=file]").set_input_files(
        {"name": "kept.json", "mimeType": "application/json", "buffer": file.read_bytes()}
    )
    page.locator("[data-conversation] button").first.click()
    expect(answers(page).locator("[data-answer]")).to_have_text("third")


def test_boxes_are_drawn_over_the_picture_and_copied(page: Page) -> None:
    page.goto("/playground?model=eye")
    upload(page, drawing("#dc1e1e", (300, 200)))
    ask(page, say(BOX))
    overlay = page.locator("[data-grounding]")
    expect(overlay).to_have_attribute("data-frame", "0-1000")
    expect(overlay.locator("[data-shape]")).to_have_attribute("data-shape", "30, 40, 150, 120")
    overlay.get_by_role("button", name="cat · 30, 40, 150, 120").click()
    expect(overlay.get_by_role("status")).to_contain_text("Copied: 30, 40, 150, 120")
    overlay.get_by_role("button", name="As JSON in original pixels").click()
    shown = json.loads(overlay.locator("pre").inner_text())
    assert shown == {"width": 300, "height": 200, "objects": [{"label": "cat", "box": [30, 40, 150, 120]}]}


def test_pictures_come_by_paste_from_a_pdf_and_by_address(page: Page) -> None:
    page.goto("/playground?model=eye")
    page.get_by_role("textbox", name="Message").wait_for()
    page.evaluate(
        """(data) => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const clipboardData = new DataTransfer();
          clipboardData.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
          const event = new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData });
          document.querySelector("textarea").dispatchEvent(event);
        }""",
        base64.b64encode(drawing("#1e3cdc", (600, 300))).decode(),
    )
    expect(page.locator("[data-picture='pasted.png']")).to_contain_text("600 × 300")
    page.get_by_label("Longest side").first.click()
    page.get_by_role("option", name="at most 448 pixels").click()
    expect(page.locator("[data-picture='pasted.png']")).to_contain_text("448 × 224, scaled down from 600 × 300")
    page.locator("input[type=file]").set_input_files(
        {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": pdf(3)}
    )
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Page 3").click()
    dialog.get_by_role("button", name="Add 2 as pictures").click()
    expect(page.locator("[data-picture='plan-1.png']")).to_contain_text("299 × 448")
    expect(page.locator("[data-picture='plan-3.png']")).to_be_visible()
    assert ask(page, say("three")) == "three"
    page.get_by_role("button", name="Other ways to add a picture").click()
    page.get_by_role("menuitem", name="From an address").click()
    page.get_by_role("textbox", name="Address of a picture").fill("http://127.0.0.1/cat.png")
    page.get_by_role("button", name="Add picture").click()
    expect(page.locator("[data-picture='cat.png']")).to_contain_text("fetched by the gateway")
    page.get_by_role("textbox", name="Message").fill("What is it?")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Only public addresses are fetched")
    expect(page.get_by_role("alert")).to_contain_text("Download the picture and upload it here")


def test_models_are_compared(page: Page) -> None:
    page.goto("/playground?tab=compare&models=%5B%22eye%22%2C%22other%22%5D")
    upload(page, drawing("#dc1e1e", (300, 200)))
    page.get_by_role("textbox", name="Message").fill(say("red"))
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(answers(page)).to_have_count(2)
    for name in MODELS:
        expect(page.get_by_role("region", name=name, exact=True).locator("[data-answer]")).to_have_text("red")
    expect(page.locator("[data-figure=ttftMs] td")).to_have_count(2)
    expect(page.locator("[data-figure=completionTokens] td").first).to_have_text("1")
    page.get_by_role("switch", name="Mark differences from the first").click()
    expect(page.locator("mark")).to_have_count(0)
    page.get_by_role("tab", name="Chat").click()
    expect(page.get_by_role("button", name="View Code")).to_be_visible()
    expect(page).to_have_url(re.compile("^(?!.*tab=)"))


def test_the_code_that_is_shown_runs(page: Page, product: Product, tmp_path: Path) -> None:
    picture = drawing("#dc1e1e")
    (tmp_path / "picture.png").write_bytes(picture)
    page.goto("/playground?model=eye")
    upload(page, picture)
    page.get_by_role("textbox", name="Message").fill(say("it's-$HOME"))
    page.get_by_role("button", name="View Code").click()
    dialog = page.get_by_role("dialog")
    curl = dialog.get_by_label("curl", exact=True).last.inner_text()
    dialog.get_by_role("tab", name="Python").click()
    python = dialog.get_by_label("Python", exact=True).last.inner_text()
    environment = os.environ | {"AIMINDSERVE_API_KEY": product.inference_key()}

    def run(*command: str) -> str:
        done = subprocess.run(command, check=True, cwd=tmp_path, env=environment, capture_output=True, timeout=60)
        return done.stdout.decode()

    assert json.loads(run("bash", "-c", curl))["choices"][0]["message"]["content"] == "it's-$HOME"
    assert run(sys.executable, "-c", python) == "it's-$HOME"


def test_every_tab_in_chinese_on_a_phone(chinese_page: Page) -> None:
    page = chinese_page
    page.set_viewport_size({"width": 360, "height": 740})
    for tab, words in (("compare", "一个问题，多个模型"), ("embeddings", "没有可提问的模型"), ("chat", "上传图片")):
        page.goto(f"/playground?tab={tab}")
        expect(page.get_by_text(words).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, tab
        assert page.locator("main").evaluate("(element) => element.scrollWidth - element.clientWidth") <= 0, tab
