"""The page in a real browser with the real engine: from the first login to a described picture, and what is around."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.browser import Complaints, open_page
from tests.e2e.person import ask, change_password, drawing, log_in, upload
from tests.e2e.product import Product, wait_for

pytestmark = pytest.mark.browser

MODEL = "tiny-vlm"
DEMO_FILES = Path(__file__).parents[2] / "src" / "aimindserve" / "demo_model"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    running = Product(tmp_path_factory.mktemp("browser") / "data", "--demo", "--llama-threads", "1")
    running.start()
    yield running
    running.run_cli("rm", MODEL, "--yes")
    wait_for("no engine is left", lambda: running.engine_pids() == [])
    running.stop()


def test_from_the_first_login_to_a_described_picture(browser: Browser, product: Product) -> None:
    """Runs first: nobody has logged in yet."""
    page, complaints = open_page(browser, product.url)
    page.goto("/")
    initial = product.data / "initial_admin_password"
    expect(page.get_by_text(f"cat {initial}")).to_be_visible()
    page.get_by_label("Password", exact=True).fill("a wrong guess")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("What to do:")
    password = initial.read_text().strip()
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Set your own password")).to_be_visible()
    page.goto("/models")
    expect(page.get_by_role("heading", name="Set your own password")).to_be_visible()
    change_password(page, password)
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
    assert not initial.exists()
    page.get_by_role("link", name="Playground", exact=True).click()
    upload(page, drawing("#dc1e1e"))
    text = ask(page, "Describe this image.")
    assert "red" in text
    assert "circle" in text
    expect(page.locator("[data-stats]")).to_contain_text("tokens")
    page.context.close()
    assert complaints.found == []


def test_the_same_picture_goes_with_the_next_question(page: Page) -> None:
    upload(page, drawing("#1e3cdc"))
    assert "blue" in ask(page, "Describe this image.")
    assert "blue" in ask(page, "What colour is the circle?")


def test_pictures_are_dropped_resized_and_removed(page: Page) -> None:
    data = base64.b64encode(drawing("#dc1e1e", (3000, 1500))).decode()
    page.locator("textarea").first.wait_for()
    page.evaluate(
        """(data) => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], "wide.png", { type: "image/png" }));
          transfer.items.add(new File(["text"], "notes.txt", { type: "text/plain" }));
          const target = document.querySelector("textarea");
          target.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: transfer }));
        }""",
        data,
    )
    expect(page.locator("[data-picture]")).to_contain_text("2048 × 2048, scaled down from 3000 × 1500")
    expect(page.get_by_text("notes.txt is not a picture")).to_be_visible()
    assert "red" in ask(page, "Describe this image.")
    page.get_by_role("button", name="Remove wide.png").click()
    expect(page.locator("[data-picture]")).to_have_count(0)


def test_the_code_of_a_question_is_shown(page: Page, product: Product) -> None:
    page.get_by_role("textbox", name="Message").fill("What is this?")
    page.get_by_role("button", name="View Code").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{product.url}/v1/chat/completions")
    dialog.get_by_role("tab", name="Python").click()
    expect(dialog).to_contain_text("What is this?")
    expect(dialog).to_contain_text("from openai import OpenAI")


def test_a_model_is_stopped_and_started_on_the_page(page: Page) -> None:
    page.get_by_role("link", name="Models", exact=True).click()
    row = page.get_by_role("article", name=MODEL)
    expect(row.locator("[data-phase]").first).to_have_attribute("data-phase", "ready")
    row.get_by_role("button", name=f"Show details of {MODEL}").click()
    expect(row.get_by_text("Start-up")).to_be_visible()
    row.get_by_role("button", name="Log").click()
    expect(page.get_by_role("log")).to_contain_text(re.compile(r"\S"))
    row.get_by_role("tab", name="Memory and parameters").click()
    expect(row).to_contain_text("--image-max-tokens")
    row.get_by_role("button", name="Stop", exact=True).click()
    expect(row.locator("[data-phase]").first).to_have_attribute("data-phase", "stopped")
    row.get_by_role("button", name="Start", exact=True).click()
    expect(row.locator("[data-phase]").first).to_have_attribute("data-phase", "ready")


def test_a_path_that_is_not_there_is_refused_with_a_remedy(page: Page) -> None:
    page.get_by_role("link", name="Models", exact=True).click()
    page.get_by_role("button", name="Deploy Model").click()
    page.get_by_role("menuitem", name="Local Path").click()
    form = page.get_by_role("dialog")
    form.get_by_role("textbox", name="Path").fill("/nowhere/model.gguf")
    expect(form.locator("[data-verdict]")).to_have_attribute("data-verdict", "no")
    expect(form.locator("[data-reason]")).to_contain_text("What to do:")
    expect(form.get_by_role("button", name="Save")).to_be_disabled()


def test_a_change_that_makes_it_fit_is_applied_with_a_click(page: Page) -> None:
    page.goto("/models?deploy=demo")
    form = page.get_by_role("dialog")
    form.get_by_role("button", name="Advanced").click()
    form.get_by_role("button", name="Add Parameter").click()
    form.get_by_label("Parameter 1", exact=True).fill("--ctx-size=2000000000")
    expect(form.locator("[data-verdict]")).to_have_attribute("data-verdict", "no")
    form.get_by_role("button", name="Apply").click()
    expect(form.locator("[data-verdict]")).to_have_attribute("data-verdict", "fits")
    expect(form.get_by_role("button", name="Save")).to_be_enabled()


def test_a_model_is_deployed_from_a_path_and_deleted(page: Page) -> None:
    weights = next(path for path in DEMO_FILES.glob("*.gguf") if not path.name.startswith("mmproj"))
    page.goto("/models?deploy=local")
    form = page.get_by_role("dialog")
    form.get_by_role("textbox", name="Path").fill(str(weights))
    form.get_by_role("textbox", name="Name").fill("from-a-path")
    form.get_by_role("button", name="Advanced").click()
    form.get_by_role("button", name="Add Parameter").click()
    form.get_by_label("Parameter 1", exact=True).fill("--ctx-size=1024")
    expect(form.locator("[data-verdict]")).to_have_attribute("data-verdict", "fits")
    expect(form).to_contain_text("yours")
    form.get_by_role("button", name="Save").click()
    row = page.get_by_role("article", name="from-a-path")
    expect(row.locator("[data-phase]").first).to_have_attribute("data-phase", "ready")
    row.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(str(weights))
    dialog.get_by_role("button", name="Delete from-a-path").click()
    expect(row).to_have_count(0)
    assert weights.exists()


def test_the_guide_in_chinese(chinese_page: Page) -> None:
    page = chinese_page
    page.get_by_role("link", name="模型", exact=True).click()
    page.get_by_role("button", name="部署模型").click()
    page.get_by_role("menuitem", name="本地路径").click()
    page.get_by_role("dialog").get_by_role("button", name="高级").click()
    expect(page.get_by_text("后端参数")).to_be_visible()
    expect(page.get_by_role("button", name="添加参数")).to_be_visible()
    expect(page.get_by_role("button", name="保存")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="试验场", exact=True).click()
    expect(page.get_by_role("button", name="上传图片")).to_be_visible()
    upload(page, drawing("#1ea01e"))
    assert "green" in ask(page, "Describe this image.", submit="提交")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


@pytest.mark.parametrize("width", [360, 768])
def test_nothing_sticks_out_on_narrow_screens(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    models = (f"/models?open={MODEL}", f"/models?open={MODEL}&tab=plan", "/models?deploy=hf&q=qwen")
    for path in ("/playground", *models, "/files", "/keys", "/settings", "/password"):
        page.goto(path)
        expect(page.get_by_role("heading").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, path
        main = page.locator("main")
        assert main.evaluate("(element) => element.scrollWidth - element.clientWidth") <= 0, path
    expect(page.get_by_role("button", name="Account")).to_be_in_viewport()


def test_questions_are_answered_while_the_server_is_killed(page: Page, product: Product) -> None:
    upload(page, drawing("#dc1e1e"))
    assert "red" in ask(page, "What colour is the circle?"), "the page has all that it needs for answers"
    server = product.process_of("server")
    assert server is not None
    server.kill()
    assert "red" in ask(page, "What colour is the circle?")
    product.wait_ready()
    page.get_by_role("link", name="Models", exact=True).click()
    expect(page.get_by_role("article", name=MODEL).locator("[data-phase]").first).to_have_attribute(
        "data-phase", "ready"
    )
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()


def test_a_key_is_shown_once_and_works(page: Page) -> None:
    """Copied as at ``http://server-ip``, where browsers have no clipboard API."""
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.reload()
    page.get_by_role("link", name="API Keys", exact=True).click()
    page.get_by_role("button", name="Create API Key").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("browser")
    dialog.get_by_role("button", name="Create API Key").click()
    token = dialog.locator("pre").inner_text().strip()
    listed = page.request.get("/v1/models", headers={"authorization": f"Bearer {token}"})
    assert listed.ok
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    dialog.get_by_role("button", name="I have stored it").click()
    expect(page.get_by_role("article", name="browser")).to_be_visible()
    assert token not in page.content()
    expect(page).to_have_title("API Keys · aiMindServe")
    page.get_by_role("link", name="Playground", exact=True).click()
    page.get_by_role("textbox", name="Message").press("Control+v")
    expect(page.get_by_role("textbox", name="Message")).to_have_value(token)
    page.get_by_role("textbox", name="Message").fill("")
    assert token not in str(page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})"))


def test_an_inline_style_or_a_stranger_would_be_noticed(browser: Browser, product: Product) -> None:
    """What the other tests rely on when they find no complaints."""
    page, complaints = open_page(browser, product.url)
    page.goto("/")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert complaints.found == []
    page.evaluate("document.head.append(Object.assign(document.createElement('style'), { textContent: 'b {}' }))")
    page.evaluate("new Image().src = 'http://example.invalid/picture.png'")
    wait_for("both are refused and noticed", lambda: noticed(page, complaints, "style", "img-src"))
    page.context.close()


def noticed(page: Page, complaints: Complaints, *words: str) -> bool:
    """Whether each word is in some complaint; lets the browser deliver them."""
    page.wait_for_timeout(10)
    return all(any(word in complaint for complaint in complaints.found) for word in words)


def test_log_out_ends_the_session(browser: Browser, product: Product) -> None:
    page, complaints = open_page(browser, product.url)
    page.goto("/")
    log_in(page, product)
    cookies = {str(cookie.get("name")): cookie for cookie in page.context.cookies()}
    assert cookies["aimindserve_session"].get("httpOnly")
    assert cookies["aimindserve_session"].get("sameSite") == "Strict"
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert page.request.get("/api/v1/session").status == 401
    no_complaints(complaints)


def no_complaints(complaints: Complaints) -> None:
    """The browser had nothing to say."""
    assert complaints.found == []
