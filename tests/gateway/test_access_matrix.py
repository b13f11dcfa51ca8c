"""Every route that the gateway answers itself, for every kind of caller: the exact status. Written by hand, so that it
does not repeat the code."""

from __future__ import annotations

import msgspec
import pytest
from tests.gateway.harness import FRESH_SESSION, SESSION, Rig, Seen, chat, complete, digest, get, http, post

from aimindserve.domain.routing import Endpoint, KeyGrant, Route, RouteState, RoutingTable, SessionGrant
from aimindserve.gateway.endpoints import ROWS, Action
from aimindserve.gateway.local import LOCAL_PATHS

KEYS = {
    name: f"sk-{name.replace(' ', '')[:12].ljust(12, 'x')}-{'s' * 43}"
    for name in (
        "user's key",
        "other model only",
        "metrics key",
        "management key",
        "key with all scopes",
        "expired key",
        "disabled key",
        "elsewhere only",
        "here only",
    )
}
OWN = "x-aimindserve-csrf: 1\r\nSec-Fetch-Site: same-origin\r\n"

# status by caller: (inference, list of models, one model, metrics, health)
EXPECTED: dict[str, tuple[int, int, int, int, int]] = {
    "nobody": (401, 401, 401, 401, 200),
    "wrong key": (401, 401, 401, 401, 200),
    "user's key": (200, 200, 200, 403, 200),
    "other model only": (403, 200, 404, 403, 200),
    "metrics key": (403, 403, 403, 200, 200),
    "management key": (403, 403, 403, 200, 200),
    "key with all scopes": (200, 200, 200, 200, 200),
    "expired key": (401, 401, 401, 401, 200),
    "disabled key": (401, 401, 401, 401, 200),
    "elsewhere only": (403, 403, 403, 401, 200),
    "here only": (200, 200, 200, 403, 200),
    "session": (200, 200, 200, 403, 200),
    "session of another site's page": (403, 200, 200, 403, 200),
    "session that must change its password": (403, 403, 403, 401, 200),
    "ended session": (401, 401, 401, 401, 200),
    "session beside a wrong key": (401, 401, 401, 401, 200),
    "key in the cookie": (401, 401, 401, 401, 200),
    "basic authentication": (401, 401, 401, 401, 200),
}
# What no engine here has, and what llama.cpp has not: told only to those who may ask.
NOT_HERE = {
    "/v1/audio/translations",
    "/v1/audio/speech",
    "/v1/images/generations",
    "/v1/images/edits",
    "/v1/images/variations",
}
NEVER = ["/v1/nothing", "/v1", "/v1/chat"]


def headers_of(caller: str) -> str:
    def cookie(token: str) -> str:
        return f"Cookie: aimindserve_session={token}\r\n"

    fixed = {
        "nobody": "",
        "wrong key": "Authorization: Bearer sk-wrong\r\n",
        "session": cookie(SESSION) + OWN,
        "session of another site's page": cookie(SESSION) + "Sec-Fetch-Site: cross-site\r\n",
        "session that must change its password": cookie(FRESH_SESSION) + OWN,
        "ended session": cookie("gone") + OWN,
        "session beside a wrong key": cookie(SESSION) + OWN + "x-api-key: sk-wrong\r\n",
        "key in the cookie": cookie(KEYS["key with all scopes"]) + OWN,
        "basic authentication": "Authorization: Basic YWRtaW46YWRtaW4=\r\n",
    }
    return fixed[caller] if caller in fixed else f"Authorization: Bearer {KEYS[caller]}\r\n"


def table(port: int) -> RoutingTable:
    def grant(name: str, *scopes: str, **more: object) -> KeyGrant:
        return KeyGrant(KEYS[name][3:15], digest(KEYS[name]), "user-1", scopes, **more)  # type: ignore[arg-type]

    keys = (
        grant("user's key", "inference"),
        grant("other model only", "inference", models=("other",)),
        grant("metrics key", "metrics"),
        grant("management key", "management"),
        grant("key with all scopes", "inference", "management", "metrics"),
        grant("expired key", "inference", "management", expires_at=1000.0),
        grant("elsewhere only", "inference", networks=("10.0.0.0/8",)),
        grant("here only", "inference", networks=("127.0.0.0/8", "::1/128")),
    )
    sessions = (
        SessionGrant(digest(SESSION), "user-1", 4e9),
        SessionGrant(digest(FRESH_SESSION), "user-1", 4e9, must_change_password=True),
    )
    endpoint = Endpoint("r", "127.0.0.1", port, engine="llama.cpp")
    return RoutingTable(3, (Route("tiny", "d", RouteState.READY, (endpoint,)),), keys, sessions)


def body_for(path: str) -> tuple[bytes, str]:
    """A body that the endpoint takes, and its content type."""
    if path.startswith(("/v1/audio/tr", "/v1/images/e", "/v1/images/v")):
        parts = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ntiny\r\n--b--\r\n'
        return parts, "multipart/form-data; boundary=b"
    return chat("tiny", prompt="x", input="x", query="x", documents=["y"], max_tokens=4), "application/json"


async def answered(seen: Seen, writer) -> None:
    await complete(seen, writer)


@pytest.mark.parametrize("caller", EXPECTED)
async def test_every_route_for(stage: Rig, caller: str) -> None:
    engine = await stage.engine(answered)
    stage.gateway.apply(table(engine.port))
    inference, listed, one, metrics, health = EXPECTED[caller]
    own = headers_of(caller)

    async def status(raw: bytes) -> int:
        return (await stage.ask(raw)).status

    for path, row in ROWS.items():
        if row.action is not Action.FORWARD:
            assert await status(get(path, None, headers=own)) == listed, path
            continue
        body, kind = body_for(path)
        expected = 501 if inference == 200 and path in NOT_HERE else inference
        assert await status(post(body, path, None, f"{own}Content-Type: {kind}\r\n")) == expected, path
        # A method that the endpoint has not is no way around anything, and tells nobody anything.
        assert await status(get(path, None, headers=own)) == 405, path
    assert await status(get("/v1/models/tiny", None, headers=own)) == one
    assert await status(get("/metrics", None, headers=own)) == metrics
    assert await status(get("/healthz", None, headers=own)) == health
    for path in NEVER:
        assert await status(get(path, None, headers=own)) == 404, path
    assert bool(engine.seen) is (inference == 200), "no engine hears of who may not ask"


async def test_every_other_route_is_the_servers_to_guard(stage: Rig) -> None:
    async def guarded(seen: Seen, writer) -> None:
        writer.write(http(msgspec.json.encode({"authorization": seen.header("authorization")})))

    await stage.server(guarded)
    for path in ("/api/v1/keys", "/", "/readyz", "/V1/models", "/v1%2Fmodels", "/metrics/", "/docs"):
        answer = await stage.ask(get(path, "sk-some-key"))
        assert msgspec.json.decode(answer.body) == {"authorization": "Bearer sk-some-key"}, path


def test_the_matrix_knows_every_kind_of_route() -> None:
    assert {row.action for row in ROWS.values()} <= set(Action)
    assert {"/metrics", "/healthz"} == LOCAL_PATHS
    assert set(ROWS) >= NOT_HERE
