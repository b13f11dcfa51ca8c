"""Figures of the page in Chromium: first paint, interaction, and long tasks while 200 replicas change twice a second.

``python -m bench.page``: starts a product of its own; the 200 replicas are pretended on the way to the page, the events
are real lines of the server's stream. Prints one JSON object."""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route
from tests.e2e.browser import chromium, open_page
from tests.e2e.person import log_in
from tests.e2e.product import Product

REPLICAS = 200
EVENTS_PER_SECOND = 2 * REPLICAS
_WATCH = """() => {
  window.__long = [];
  new PerformanceObserver((list) => list.getEntries().forEach((one) => window.__long.push(one.duration)))
    .observe({ type: "longtask", buffered: true });
}"""
# A stream of events as the server's, from within the browser: a real one would measure two programs at once.
_STREAM = """(rate) => {
  const real = window.fetch;
  window.fetch = (input, init) => {
    const url = typeof input === "string" ? input : input.url;
    if (!url.includes("/api/v1/events?follow")) return real(input, init);
    const encoder = new TextEncoder();
    let id = 1, timer;
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(encoder.encode(": connected\\n\\n"));
        timer = setInterval(() => {
          let text = "";
          for (let n = 0; n < rate / 20; n += 1) text += `id: ${id++}\\nevent: replica.changed\\ndata: {}\\n\\n`;
          controller.enqueue(encoder.encode(text));
        }, 50);
      },
      cancel() { clearInterval(timer); },
    });
    return Promise.resolve(new Response(body, { status: 200, headers: { "content-type": "text/event-stream" } }));
  };
}"""


def first_paint(browser: Browser, product: Product, path: str) -> float:
    """Milliseconds to the first contentful paint of somebody who was here before."""
    page, _ = open_page(browser, product.url)
    page.goto("/dashboard")
    log_in(page, product)
    times: list[float] = []
    for _ in range(5):
        page.goto(path)
        page.get_by_role("heading", level=1).first.wait_for()
        entry = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        times.append(float(page.evaluate(entry)))
    page.context.close()
    return statistics.median(times)


def interaction(page: Page) -> float:
    """Milliseconds from a press of Ctrl-K to the box in which one types."""
    times: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        page.keyboard.press("Control+k")
        page.get_by_role("combobox").first.wait_for()
        times.append((time.perf_counter() - began) * 1000)
        page.keyboard.press("Escape")
        page.get_by_role("combobox").first.wait_for(state="hidden")
    return statistics.median(times)


def many(answer: Any, turn: int) -> Any:
    """Ten deployments with twenty replicas each, some of them different at each turn."""
    first = answer["items"][0]
    replica = first["replicas"][0]

    def replicas(deployment: int) -> list[Any]:
        return [
            replica
            | {"id": f"r-{deployment}-{n}", "restarts": turn + n, "phase": ("ready", "starting")[(turn + n) % 2]}
            for n in range(REPLICAS // 10)
        ]

    return {"items": [first | {"id": f"d{d}", "name": f"model-{d}", "replicas": replicas(d)} for d in range(10)]}


def live(browser: Browser, product: Product, seconds: float) -> dict[str, object]:
    """Long tasks while a deployment with its replicas is open and everything changes."""
    page, _ = open_page(browser, product.url)
    page.add_init_script(f"({_STREAM})({EVENTS_PER_SECOND})")
    page.goto("/models")
    log_in(page, product)
    turns = 0

    def answer(route: Route) -> None:
        nonlocal turns
        turns += 1
        route.fulfill(status=200, content_type="application/json", body=json.dumps(many(real, turns)))

    real = page.request.get("/api/v1/deployments").json()
    page.route("**/api/v1/deployments", answer)
    page.goto("/models?open=model-3")
    page.locator("[data-replica]").nth(REPLICAS // 10 - 1).wait_for()
    page.evaluate(_WATCH)
    page.wait_for_timeout(500)
    page.evaluate("window.__long.length = 0")
    page.wait_for_timeout(seconds * 1000)
    tasks = [float(one) for one in page.evaluate("window.__long")]
    found: dict[str, object] = {
        "seconds": seconds,
        "refreshes": turns,
        "long_tasks": len(tasks),
        "longest_ms": max(tasks, default=0.0),
    }
    found["palette_while_live_ms"] = round(interaction(page), 1)
    page.context.close()
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    seconds: float = parser.parse_args().seconds
    folder = Path(tempfile.mkdtemp(prefix="ams-page-"))
    product = Product(folder / "data", "--demo", "--llama-threads", "1")
    try:
        product.start()
        product.wait_phase("tiny-vlm", "ready")
        with chromium() as browser:
            paints = {path: round(first_paint(browser, product, path)) for path in ("/dashboard", "/models")}
            print(json.dumps({"first_contentful_paint_ms": paints, "live": live(browser, product, seconds)}, indent=1))
    finally:
        product.clear()
        product.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
