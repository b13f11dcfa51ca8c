"""Model Files in a real browser with a real node: fetch ahead from a slow hub, pause, go on, delete, forget."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.e2e.person import visit
from tests.e2e.product import Product, wait_for
from tests.support.hub_server import REVISION, Hub, serving

pytestmark = pytest.mark.browser

DEMO_FILES = Path(__file__).parents[2] / "src" / "aimindserve" / "demo_model"
REPOSITORY = "demo/tiny-vlm-GGUF"
SLOW, FAST = 150_000, None


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    files = {
        "tiny-vlm-Q8_0.gguf": (DEMO_FILES / "tiny-vlm-q8_0.gguf").read_bytes(),
        "mmproj-tiny-vlm-Q8_0.gguf": (DEMO_FILES / "mmproj-tiny-vlm-q8_0.gguf").read_bytes(),
    }
    with serving(Hub(files, repository=REPOSITORY)) as served:
        yield served


@pytest.fixture(scope="module")
def product(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    data = tmp_path_factory.mktemp("files") / "data"
    running = Product(data, "--huggingface-endpoint", hub.endpoint, "--llama-threads", "1")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    for visitor in visit(browser, product, locale="en-US"):
        visitor.get_by_role("link", name="Model Files", exact=True).click()
        yield visitor


def add(page: Page, source: str, button: str) -> None:
    """Fill in the dialog."""
    page.get_by_role("button", name="Download or import").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Source").fill(source)
    page.keyboard.press("Escape")
    dialog.get_by_role("button", name=button, exact=True).click()
    expect(dialog).to_have_count(0)


def choose(page: Page, card: Locator, action: str) -> Locator:
    """The dialog of an action in the card's menu."""
    card.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name=action).click()
    return page.get_by_role("dialog")


def test_fetch_ahead_pause_go_on_delete(page: Page, product: Product, hub: Hub) -> None:
    hub.rate = SLOW
    store = product.data / "models"
    expect(page.get_by_text("No model files yet")).to_be_visible()
    add(page, f"hf://{REPOSITORY}:Q8_0", "Download")
    card = page.get_by_role("article")
    expect(card.locator("[data-state=downloading]")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    expect(card.get_by_text("left", exact=False)).to_contain_text("/s · ")
    steps = 6
    for _ in range(steps):
        expect(card.locator("[data-transfer=moving]")).not_to_have_text(card.locator("[data-transfer]").inner_text())
    assert sum(url.endswith("/api/v1/files") for url in asked) <= steps // 2, "progress alone asks for nothing"

    card.get_by_role("button", name="Pause").click()
    expect(card.locator("[data-state=paused]")).to_be_visible()
    before = sum(hub.sent.values())
    hub.rate = FAST
    card.get_by_role("button", name="Resume").click()
    expect(card.locator("[data-state=ready]")).to_be_visible()
    total = sum(len(content) for content in hub.files.values())
    assert 0 < before < total

    card.get_by_role("button", name="Show the files").click()
    expect(card.get_by_role("row")).to_have_count(1 + len(hub.files))
    link = card.get_by_role("link", name=f"hf://{REPOSITORY}")
    expect(link).to_have_attribute("href", f"https://huggingface.co/{REPOSITORY}/tree/{REVISION}")

    card.get_by_role("button", name="Deploy").click()
    exact = f"hf://{REPOSITORY}@{REVISION}:Q8_0"
    expect(page.get_by_role("dialog").get_by_role("textbox", name="Source")).to_have_value(exact)
    expect(page.get_by_role("dialog")).to_contain_text("It fits")
    page.goto("/files")

    dialog = choose(page, card, "Delete files")
    expect(dialog).to_contain_text(f"Nothing outside the store {store}")
    expect(dialog).to_contain_text("5.3 MiB become free")
    dialog.get_by_role("button", name="Delete files").click()
    expect(page.get_by_text("No model files yet")).to_be_visible()
    wait_for("the store is empty", lambda: not [path for path in store.rglob("*.gguf") if path.is_file()])


def test_a_local_path_is_forgotten_and_stays(page: Page, tmp_path: Path) -> None:
    files = [shutil.copy(file, tmp_path) for file in DEMO_FILES.glob("*.gguf")]
    add(page, str(tmp_path), "Put on the list")
    card = page.get_by_role("article")
    expect(card.get_by_text("local path")).to_be_visible()
    dialog = choose(page, card, "Take off the list")
    expect(dialog).to_contain_text("stay exactly where they are")
    dialog.get_by_role("button", name="Take off the list").click()
    expect(page.get_by_text("No model files yet")).to_be_visible()
    assert all(Path(file).exists() for file in files)
