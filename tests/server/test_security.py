"""What guards every request: cross-site requests, host names, sizes, headers, error answers."""

import itertools

import httpx
import pytest
from starlette.types import ASGIApp
from tests.server.fixtures import Browser, Clock, client_of, live_client, open_context

from aimindserve.domain.access import CSRF_HEADER, SESSION_COOKIE
from aimindserve.server.app import create_app
from aimindserve.server.context import ServerContext
from aimindserve.server.security import BODY_LIMIT, HostGuard, host_name, own_names
from aimindserve.server.settings import Settings

SAME = {"sec-fetch-site": "same-origin"}
ORIGIN = {"origin": "http://localhost"}
FOREIGN = [
    {},
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://localhost.evil.example"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": "http://localhost"},
]


def cookie_client(app: ASGIApp, browser: Browser) -> httpx.AsyncClient:
    token = browser.client.cookies[SESSION_COOKIE]
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost", cookies={SESSION_COOKIE: token}
    )


async def test_cookie_alone_changes_nothing(app: ASGIApp, admin: Browser) -> None:
    """Every unsafe method, DELETE included, with every sign of another site, with and without our header."""
    targets = [("POST", "/keys"), ("PATCH", "/keys/x"), ("DELETE", "/keys/x"), ("DELETE", "/session")]
    async with cookie_client(app, admin) as client:
        for (method, path), signs, ours in itertools.product(targets, FOREIGN, ({}, {CSRF_HEADER: "1"})):
            answer = await client.request(method, f"/api/v1{path}", headers={**signs, **ours}, json={})
            assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed"), (method, path, signs)
        for (method, path), signs in itertools.product(targets, (SAME, ORIGIN)):
            without = await client.request(method, f"/api/v1{path}", headers=signs, json={})
            assert without.json()["code"] == "csrf_failed"
        for signs in (SAME, ORIGIN):
            made = await client.post("/api/v1/keys", headers={**signs, CSRF_HEADER: "1"}, json={"name": "mine"})
            assert made.status_code == 201
        assert (await client.get("/api/v1/keys", headers=FOREIGN[4])).status_code == 200


async def test_a_key_needs_no_sign_of_a_page(cli: httpx.AsyncClient) -> None:
    assert (await cli.post("/api/v1/keys", json={"name": "mine"})).status_code == 201


async def test_another_site_cannot_log_its_visitor_in(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.post(
        "/api/v1/session",
        json={"username": "admin", "password": "x"},
        headers={"sec-fetch-site": "cross-site"},
    )
    assert answer.json()["code"] == "csrf_failed"


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost", True),
        ("LOCALHOST:8080", True),
        ("127.0.0.1:80", True),
        ("[::1]:8080", True),
        ("10.1.2.3", True),
        ("models.example:8443", True),
        ("spare.example.", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("x/?", False),
        ("localhost:8080:1", False),
        ("localhost@evil.example", False),
        ("", False),
    ],
)
def test_names_that_are_answered(host: str, allowed: bool) -> None:
    settings = Settings.model_validate(
        {"public_url": "https://models.example", "allowed_hosts": "spare.example", "data_dir": "/x"}
    )

    async def nothing(*_: object) -> None: ...

    assert HostGuard(nothing, own_names(settings)).allows(host) is allowed


@pytest.mark.parametrize("host", ["", "a b", "a\x00", "[::1", "::1", "a:b", "ü.example"])
def test_malformed_host_has_no_name(host: str) -> None:
    assert host_name(host) is None


async def test_foreign_host_is_refused_on_every_path(anonymous: httpx.AsyncClient) -> None:
    for path in ("/", "/api/v1/session", "/readyz", "/assets/x.js"):
        answer = await anonymous.get(path, headers={"host": "evil.example"})
        assert (answer.status_code, answer.json()["code"]) == (421, "host_not_allowed")


async def test_a_person_at_a_foreign_host_gets_a_page_that_says_what_to_do(anonymous: httpx.AsyncClient) -> None:
    browser = {"accept": "text/html,*/*;q=0.8", "accept-language": "zh-CN"}
    answer = await anonymous.get("/", headers={"host": "other.example", **browser})
    assert answer.status_code == 421
    assert answer.headers["content-type"].startswith("text/html")
    assert "other.example" in answer.text
    assert "allowed_hosts" in answer.text
    planted = await anonymous.get("/", headers={"host": "<b>x</b>.example", **browser})
    assert "<b>" not in planted.text


async def test_browsers_are_told_to_stay_with_https(settings: Settings, clock: Clock) -> None:
    for url, told in (("https://models.example", True), ("http://models.example", False), (None, False)):
        behind = settings.model_copy(update={"public_url": url})
        async with open_context(behind, clock) as context, client_of(create_app(context)) as client:
            headers = (await client.get("/api/v1/session/hint")).headers
            assert ("strict-transport-security" in headers) is told


async def test_body_at_the_limit_passes_and_one_more_byte_does_not(cli: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json"}
    at_limit = b'{"name": "' + b"x" * (BODY_LIMIT - 12) + b'"}'
    assert len(at_limit) == BODY_LIMIT
    assert (await cli.post("/api/v1/keys", content=at_limit, headers=headers)).status_code == 422
    over = await cli.post("/api/v1/keys", content=at_limit + b" ", headers=headers)
    assert (over.status_code, over.json()["code"]) == (413, "body_too_large")


async def test_chunked_body_is_counted(app: ASGIApp, context: ServerContext) -> None:
    async def chunks():
        for _ in range(40):
            yield b"x" * 64 * 1024

    async with live_client(app, context) as client:
        answer = await client.post("/api/v1/session", content=chunks())
        assert answer.status_code == 413


async def test_safe_headers_on_every_answer(anonymous: httpx.AsyncClient) -> None:
    for path in ("/", "/api/v1/session", "/nothing", "/api/v1/nothing"):
        headers = (await anonymous.get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"].partition("script-src")[2].partition(";")[0]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers
        assert len(headers["x-request-id"]) >= 8
    assert (await anonymous.get("/api/v1/session")).headers["cache-control"] == "no-store"


async def test_the_real_http_server_does_not_name_itself(app: ASGIApp, context: ServerContext) -> None:
    async with live_client(app, context) as client:
        assert "server" not in (await client.get("/api/v1/session")).headers


async def test_request_id_of_the_gateway_is_kept_and_a_bad_one_is_not(anonymous: httpx.AsyncClient) -> None:
    kept = await anonymous.get("/api/v1/session", headers={"x-request-id": "req-1.a"})
    assert kept.headers["x-request-id"] == kept.json()["request_id"] == "req-1.a"
    bad = await anonymous.get("/api/v1/session", headers={"x-request-id": "a b\tc"})
    assert bad.headers["x-request-id"] not in ("a b\tc", "")


async def test_description_needs_a_login(anonymous: httpx.AsyncClient, cli: httpx.AsyncClient) -> None:
    assert (await anonymous.get("/openapi.json")).status_code == 401
    assert (await cli.get("/openapi.json")).json()["info"]["title"] == "aiMindServe"
    assert (await anonymous.get("/docs")).status_code == 401
    page = (await cli.get("/docs")).text
    assert "POST /api/v1/keys" in page
    assert "<script" not in page


async def test_x_api_key_is_a_credential_too(app: ASGIApp, cli: httpx.AsyncClient) -> None:
    token = cli.headers["authorization"].removeprefix("Bearer ")
    async with client_of(app) as client:
        assert (await client.get("/api/v1/system", headers={"x-api-key": token})).status_code == 200
        assert (await client.get("/api/v1/system", headers={"x-api-key": token + "x"})).status_code == 401


async def test_what_can_be_got_can_be_asked_about(app: ASGIApp, context: ServerContext, cli: httpx.AsyncClient) -> None:
    async with live_client(app, context, cli.headers["authorization"].removeprefix("Bearer ")) as client:
        for path, status in (("/api/v1/deployments", 200), ("/api/v1/deployments/none", 404), ("/openapi.json", 200)):
            got, asked = await client.get(path), await client.head(path)
            assert (got.status_code, asked.status_code, asked.content) == (status, status, b"")
            assert asked.headers["content-type"] == got.headers["content-type"]
        assert (await client.head("/api/v1/session/password")).status_code == 405
    async with client_of(app) as stranger:
        assert (await stranger.head("/api/v1/deployments")).status_code == 401
