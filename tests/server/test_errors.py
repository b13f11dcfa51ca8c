"""Error answers: one shape, the caller's language, no inner detail; and readiness."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from tests.server.fixtures import client_of

from aimindserve.domain.access import Policy
from aimindserve.domain.reason_texts import TEXTS
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.server.app import create_app
from aimindserve.server.context import Context, ServerContext
from aimindserve.server.errors import language_of, status_of
from aimindserve.server.guards import requires

FIELDS = {"type", "title", "status", "code", "message", "params", "remedy", "request_id", "reasons"}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("zh-Hant", "zh"),
        ("fr, zh;q=0.3", "zh"),
        ("fr, de", "en"),
        ("zh;q=0", "en"),
        ("zh;q=abc, en;q=0.1", "en"),
        ("*", "en"),
    ],
)
def test_language_that_is_preferred(header: str | None, language: str) -> None:
    assert language_of(header) == language


async def test_both_languages(anonymous: httpx.AsyncClient) -> None:
    texts = TEXTS[ReasonCode.UNAUTHENTICATED]
    for accept, words in (("en", texts.en), ("zh-CN,zh;q=0.9", texts.zh)):
        answer = await anonymous.get("/api/v1/keys", headers={"accept-language": accept})
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        assert set(body) == FIELDS
        assert (body["message"], body["remedy"]) == (words.message, words.remedy)
        assert (body["status"], body["code"]) == (401, "unauthenticated")
        assert body["request_id"] == answer.headers["x-request-id"]


async def test_invalid_body_names_the_field_and_not_the_value(cli: httpx.AsyncClient) -> None:
    canary = "canary-password-value"
    answer = await cli.post("/api/v1/session", json={"username": "x", "password": [canary]})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "password" in answer.json()["message"]
    assert canary not in answer.text


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000])
async def test_bodies_that_are_no_object(cli: httpx.AsyncClient, content: bytes) -> None:
    answer = await cli.post("/api/v1/keys", content=content, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] == "invalid_request"


async def test_unknown_path_and_method(cli: httpx.AsyncClient) -> None:
    unknown = await cli.get("/api/v1/nothing")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    method = await cli.put("/api/v1/keys", json={})
    assert (method.status_code, method.json()["code"]) == (405, "method_not_allowed")
    assert set(method.headers["allow"].split(", ")) & {"GET", "POST"}
    assert (await cli.get("/api/v1/keys/")).status_code == 404


async def test_defect_shows_a_request_id_and_nothing_else(context: ServerContext) -> None:
    app = create_app(context)
    canary = "sk-abcdefghijkl-canary"
    routes = app.app.app.app  # type: ignore[attr-defined]  # through the three layers around it

    @routes.get("/api/v1/broken")
    @requires(Policy.PUBLIC)
    async def broken(context: Context) -> None:
        raise ZeroDivisionError(canary)

    async with client_of(app) as client:
        answer = await client.get("/api/v1/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert canary not in answer.text
    assert "Traceback" not in answer.text
    assert "ZeroDivisionError" not in answer.text


@contextmanager
def broken_database(context: ServerContext) -> Iterator[None]:
    """Every statement fails as it does on a full disk."""
    engine = context.database.engine.sync_engine

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    event.listen(engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", fail)


async def test_storage_that_fails_is_told_and_recovers(cli: httpx.AsyncClient, context: ServerContext) -> None:
    with broken_database(context):
        answer = await cli.post("/api/v1/keys", json={"name": "x"})
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
        assert (await cli.get("/readyz")).status_code == 503
    assert (await cli.post("/api/v1/keys", json={"name": "x"})).status_code == 201
    assert len((await cli.get("/api/v1/keys")).json()["items"]) == 1


async def test_ready_only_when_everything_is(anonymous: httpx.AsyncClient, context: ServerContext) -> None:
    ready = context.readiness
    for reconciled, gateways, status in ((False, 0, 503), (True, 0, 503), (False, 1, 503), (True, 1, 200)):
        ready.reconciled, ready.gateways = reconciled, gateways
        answer = await anonymous.get("/readyz")
        assert answer.status_code == status, (reconciled, gateways)
    with broken_database(context):
        assert (await anonymous.get("/readyz")).json()["code"] == "not_ready"


async def test_system_and_settings_show_no_secret(context: ServerContext, cli: httpx.AsyncClient) -> None:
    system = (await cli.get("/api/v1/system")).json()
    assert system["database"] == ("sqlite" if context.database.is_sqlite else "postgresql")
    items = (await cli.get("/api/v1/settings")).json()["items"]
    by_name = {item["name"]: item for item in items}
    assert by_name["port"]["value"] == 0
    assert by_name["huggingface_token"]["value"] is None
    assert all(item["help"] for item in items)


async def test_settings_hide_token_and_database_password(context: ServerContext) -> None:
    from aimindserve.server.features.system.service import shown_settings
    from aimindserve.server.settings import Settings

    settings = Settings.model_validate(
        {"database_url": "postgresql://u:canary1@h/x", "huggingface_token": "hf_canary2", "data_dir": "/x"}
    )
    shown = json.dumps(shown_settings(settings))
    assert "canary" not in shown
    assert '"set"' in shown


def test_every_reason_has_a_status() -> None:
    assert {status_of(reason(code)) for code in ReasonCode} <= {401, 403, 404, 405, 409, 413, 421, 422, 429, 500, 503}
    assert status_of(reason(ReasonCode.INTERNAL_ERROR)) == 500


ODD = [None, 0, -1, 1e308, True, "", "x" * 10_000, "\x00", "\ud800", "😀", [], {}, [[]], {"a": {"b": []}}]


@pytest.mark.parametrize("value", ODD, ids=repr)
async def test_odd_values_never_break_the_server(cli: httpx.AsyncClient, value: object) -> None:
    """Values of wrong kinds in every place: always an answer in our shape."""
    headers = {"content-type": "application/json"}
    for body in ({"name": value}, {"name": "x", "scopes": value}, {"name": "x", "models": [value]}, value):
        answer = await cli.post("/api/v1/keys", content=json.dumps(body), headers=headers)
        assert answer.status_code in (201, 422), (body, answer.text)
        if answer.status_code == 422:
            assert set(answer.json()) == FIELDS


@pytest.mark.parametrize("part", ["%00", "a%00b", "%ff", "%F0%9F%98%80", "x" * 5_000, "..", "%2e%2e%2f"])
async def test_odd_paths_never_break_the_server(cli: httpx.AsyncClient, part: str) -> None:
    for method, path in (("DELETE", "/keys/"), ("PATCH", "/users/"), ("GET", "/events?deployment=")):
        answer = await cli.request(method, f"/api/v1{path}{part}", json={"disabled": True})
        assert answer.status_code in (200, 404, 405, 422), (method, path, answer.text)


@pytest.mark.parametrize(("accept", "sentence"), [("en", "is not a model source"), ("zh-CN", "不是有效的模型来源")])
async def test_a_wrong_source_is_explained_in_the_callers_language(
    cli: httpx.AsyncClient, accept: str, sentence: str
) -> None:
    body = {"name": "m", "source": "model.gguf"}
    answer = await cli.post("/api/v1/deployments", json=body, headers={"accept-language": accept})
    assert (answer.status_code, answer.json()["code"]) == (422, "source_invalid")
    assert "model.gguf" in answer.json()["message"]
    assert sentence in answer.json()["message"]
