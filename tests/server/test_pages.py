"""The page: files, client routes, caching, and what is shown when it was not built."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from aimindserve.server.app import create_routes
from aimindserve.server.pages import Pages
from aimindserve.server.security import Envelope


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    built = tmp_path / "ui_dist"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<title>page</title>")
    (built / "favicon.svg").write_text("<svg/>")
    (built / "assets" / "index-B3xQ.js").write_text("console.log(1)")
    (built / ".hidden").write_text("no")
    (tmp_path / "secret.txt").write_text("no")
    (built / "link.txt").symlink_to(tmp_path / "secret.txt")
    return built


async def client(folder: Path) -> httpx.AsyncClient:
    app: FastAPI = create_routes()
    app.router.default = Pages(folder)
    transport = httpx.ASGITransport(Envelope(app))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


@pytest.fixture
async def page(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with await client(folder) as opened:
        yield opened


@pytest.mark.parametrize("path", ["/", "/models", "/models/tiny-vlm", "/playground?model=a.b", "/index.html"])
async def test_routes_of_the_page_get_the_page(page: httpx.AsyncClient, path: str) -> None:
    answer = await page.get(path)
    assert (answer.status_code, answer.text) == (200, "<title>page</title>")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"


async def test_hashed_files_are_kept_for_good_and_others_are_asked_for(page: httpx.AsyncClient) -> None:
    script = await page.get("/assets/index-B3xQ.js")
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "javascript" in script.headers["content-type"]
    icon = await page.get("/favicon.svg")
    assert icon.headers["cache-control"] == "no-cache"
    again = await page.get("/favicon.svg", headers={"if-none-match": icon.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_missing_hashed_file_is_not_the_page(page: httpx.AsyncClient) -> None:
    answer = await page.get("/assets/index-old.js")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/v1/nothing", "/api/v2", "/api"])
async def test_api_paths_are_never_the_page(page: httpx.AsyncClient, path: str) -> None:
    answer = await page.get(path)
    assert answer.status_code == 404 or path == "/api/v2"
    assert "no" not in answer.text.split() or answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/link.txt",
        "/.hidden",
        "/assets/%00",
        "//etc/passwd",
        "/" + "a" * 5000,
        "/assets%5c..%5csecret.txt",
    ],
)
async def test_nothing_outside_the_folder_is_served(page: httpx.AsyncClient, path: str) -> None:
    answer = await page.get(path)
    assert answer.text != "no"
    assert answer.status_code in (200, 404)


async def test_only_reading(page: httpx.AsyncClient) -> None:
    answer = await page.post("/models")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert (await page.head("/models")).content == b""


async def test_a_page_that_was_not_built_says_what_to_do(tmp_path: Path) -> None:
    async with await client(tmp_path / "none") as opened:
        answer = await opened.get("/")
    assert answer.status_code == 503
    assert "make ui" in answer.text
    assert "尚未构建网页" in answer.text
