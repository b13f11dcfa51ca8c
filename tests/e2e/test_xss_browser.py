"""Whatever models, logs, files and people are called: no script of it runs, and nothing is asked of a stranger.

The server refuses most such names; here its answers are changed on the way, so that only the page stands in between."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from tests.e2e.browser import open_page
from tests.e2e.person import log_in
from tests.e2e.product import Product
from tests.e2e.xss_corpus import CORPUS

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    running = Product(tmp_path_factory.mktemp("xss") / "data", "--demo", "--llama-threads", "1")
    running.start()
    running.wait_phase("tiny-vlm", "ready")
    yield running
    running.clear()
    running.stop()


@pytest.fixture
def tried(browser: Browser, product: Product) -> Iterator[Page]:
    """A page that is logged in; at the end nothing of the corpus ran, and the browser has nothing to complain of."""
    page, complaints = open_page(browser, product.url)
    page.goto("/dashboard")
    log_in(page, product)
    yield page
    assert page.evaluate("window.__xss") is None
    assert page.url.startswith(product.url)
    page.context.close()
    assert complaints.found == []


def changed(page: Page, path: str, change: Callable[[Any], Any]) -> None:
    """Answer ``path`` of the API as the server does, changed."""

    def answer(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=json.dumps(change(response.json())))

    page.route(lambda url: url.split("?")[0].endswith(f"/api/v1{path}"), answer)


def deployments(answer: Any) -> Any:
    first = answer["items"][0]
    reason = {"code": "engine_crashed", "params": {}}
    items = [
        first
        | {"id": f"d{number}", "name": text, "phase": "failed", "replicas_ready": 0, "architecture": text}
        | {"reasons": [reason | {"message": text, "remedy": text}], "spec": first["spec"] | {"source": text}}
        for number, text in enumerate(CORPUS)
    ]
    return {"items": items}


def test_names_and_reasons_of_models(tried: Page) -> None:
    changed(tried, "/deployments", deployments)
    tried.goto("/models")
    expect(tried.get_by_role("article")).to_have_count(len(CORPUS))
    tried.keyboard.press("Control+k")
    expect(tried.get_by_role("option").first).to_be_visible()
    tried.keyboard.type("script")
    expect(tried.get_by_role("option").first).to_be_visible()


def test_events_people_and_attention(tried: Page) -> None:
    def events(answer: Any) -> Any:
        first = answer["items"][0]
        change = {"changes": {text: {"before": text, "after": [text]} for text in CORPUS[:3]}}
        items = [
            first | {"id": number + 1, "kind": text, "subject": text, "actor": text, "data": change | {text: text}}
            for number, text in enumerate(CORPUS)
        ]
        return {"items": items}

    def overview(answer: Any) -> Any:
        reasons = [
            {"code": f"c{number}", "params": {}, "message": text, "remedy": text} for number, text in enumerate(CORPUS)
        ]
        return answer | {"attention": [{"about": "deployment", "name": CORPUS[0], "reasons": reasons}]}

    changed(tried, "/events", events)
    changed(tried, "/overview", overview)
    tried.goto("/dashboard")
    expect(tried.locator("[data-attention]").get_by_role("alert")).to_have_count(len(CORPUS))
    tried.goto("/audit")
    expect(tried.get_by_role("main").locator("[data-event]").first).to_be_visible()


def test_logs(tried: Page) -> None:
    def log(answer: Any) -> Any:
        text = "\n".join(CORPUS) + "\n"
        size = len(text.encode())
        return answer | {"text": text, "offset": 0, "next_offset": size, "size": size, "complete": True}

    tried.route("**/api/v1/replicas/*/log*", lambda route: route.fulfill(
        status=200, content_type="application/json",
        body=json.dumps(log({"attempt": 1, "attempts": [1]})),
    ))  # fmt: skip
    tried.goto("/models?open=tiny-vlm&tab=logs")
    box = tried.get_by_role("log")
    expect(box).to_contain_text("<")
    tried.get_by_role("textbox", name="Find in the log").fill("<script>")
    expect(box.locator("mark").first).to_be_visible()


def test_file_names(tried: Page) -> None:
    def files(answer: Any) -> Any:
        first = answer["items"][0]
        items = [first | {"key": f"k{n}", "source": text, "name": text} for n, text in enumerate(CORPUS)]
        return answer | {"items": items}

    changed(tried, "/files", files)
    tried.goto("/files")
    expect(tried.get_by_role("main")).to_contain_text("<script>")


def test_answers_of_models(tried: Page) -> None:
    def answer(route: Route) -> None:
        parts = [{"choices": [{"index": 0, "delta": {"content": text + "\n\n"}}]} for text in CORPUS]
        lines = [f"data: {json.dumps(part)}\n\n" for part in parts]
        route.fulfill(status=200, content_type="text/event-stream", body="".join(lines) + "data: [DONE]\n\n")

    tried.route("**/v1/chat/completions", answer)
    tried.goto("/playground")
    tried.get_by_role("textbox", name="Message").fill("What is this?")
    tried.get_by_role("button", name="Submit", exact=True).click()
    last = tried.locator("[data-turn=assistant]").last
    expect(last).to_have_attribute("data-state", "done")
    assert last.locator("script, iframe, object, form, base, meta, link, style").count() == 0
    assert last.locator("a[href^='javascript'], a[href^='data'], img[src^='http']").count() == 0
