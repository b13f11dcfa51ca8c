"""Every route declares who may use it, and nobody else can: the matrix of all routes and all kinds of callers."""

from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp
from tests.contracts.routes import Route, all_routes, unguarded
from tests.server.fixtures import Clock, client_of

from aimindserve.domain.access import CSRF_HEADER, SESSION_COOKIE, Policy, Role
from aimindserve.server.app import create_routes
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import ApiKeyRow, SessionRow, UserRow
from aimindserve.server.guards import feature_router
from aimindserve.server.tokens import new_id, new_key, new_session_token

OK = None
NOBODY = (401, "unauthenticated")
NO = (403, "forbidden")
CHANGE = (403, "password_change_required")

_POLICIES = (Policy.PUBLIC, Policy.SESSION, Policy.USER, Policy.OPERATOR, Policy.ADMIN, Policy.METRICS)
# One row per kind of caller: what each policy answers. Written by hand, so that it does not repeat the code.
EXPECTED: dict[str, dict[Policy, tuple[int, str] | None]] = {
    caller: dict(zip(_POLICIES, row, strict=True))
    for caller, row in {
        "nobody": (OK, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
        "admin session": (OK, OK, OK, OK, OK, OK),
        "operator session": (OK, OK, OK, OK, NO, NO),
        "operator's management key": (OK, NO, OK, OK, NO, OK),
        "user session": (OK, OK, OK, NO, NO, NO),
        "session that must change its password": (OK, OK, CHANGE, CHANGE, CHANGE, CHANGE),
        "idle session": (OK, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
        "ended session": (OK, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
        "session of a disabled user": (OK, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
        "admin's inference key": (OK, NO, NO, NO, NO, NO),
        "admin's metrics key": (OK, NO, NO, NO, NO, OK),
        "admin's management key": (OK, NO, OK, OK, OK, OK),
        "user's management key": (OK, NO, OK, NO, NO, OK),
        "management key of one who must change the password": (OK, NO, NO, NO, NO, NO),
        "expired key": (OK, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
        "disabled key": (OK, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
        "key of a disabled user": (OK, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
        "deleted key": (OK, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
        "cookie beside a wrong header": (OK, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
        "basic authentication": (OK, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
        "key in the cookie": (OK, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
        "session in the header": (OK, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
    }.items()
}


@dataclass
class World:
    """Makes callers of each kind; each call gives fresh credentials, so that a logout harms nobody else."""

    context: ServerContext
    now: float
    users: dict[str, str] = field(default_factory=dict)

    async def build(self) -> None:
        async with self.context.database.unit_of_work() as work:
            for name, role, disabled, must_change in (
                ("boss", Role.ADMIN, False, False),
                ("pilot", Role.OPERATOR, False, False),
                ("user", Role.USER, False, False),
                ("new", Role.ADMIN, False, True),
                ("gone", Role.ADMIN, True, False),
            ):
                self.users[name] = new_id()
                work.session.add(
                    UserRow(
                        id=self.users[name],
                        username=name,
                        password_hash="!",
                        role=role,
                        disabled=disabled,
                        must_change_password=must_change,
                        created_at=self.now,
                    )
                )
            work.record("test.users")

    async def session(self, user: str, *, seen: float | None = None, stored: bool = True) -> dict[str, str]:
        token = new_session_token()
        if stored:
            async with self.context.database.unit_of_work(quiet=True) as work:
                digest = self.context.digester.digest(token)
                at = self.now if seen is None else seen
                work.session.add(SessionRow(digest=digest, user_id=self.users[user], created_at=at, seen_at=at))
        return {
            "cookie": f"{SESSION_COOKIE}={token}",
            CSRF_HEADER: "1",
            "sec-fetch-site": "same-origin",
        }

    async def key(
        self,
        user: str,
        scope: str,
        *,
        expires_at: float | None = None,
        disabled: bool = False,
        stored: bool = True,
    ) -> dict[str, str]:
        made = new_key()
        if stored:
            async with self.context.database.unit_of_work(quiet=True) as work:
                work.session.add(
                    ApiKeyRow(
                        id=made.id,
                        digest=self.context.digester.digest(made.token),
                        user_id=self.users[user],
                        name="test",
                        scopes=(scope,),
                        expires_at=expires_at,
                        disabled=disabled,
                        system=False,
                        created_at=self.now,
                    )
                )
        return {"authorization": f"Bearer {made.token}"}

    async def headers(self, caller: str) -> dict[str, str]:
        session, key, now = self.session, self.key, self.now
        if caller == "key in the cookie":
            return {"cookie": f"{SESSION_COOKIE}={(await key('boss', 'management'))['authorization'][7:]}"}
        if caller == "session in the header":
            return {"authorization": f"Bearer {(await session('boss'))['cookie'].partition('=')[2]}"}
        if caller == "cookie beside a wrong header":
            return await session("boss") | {"authorization": "Bearer sk-wrong"}
        fixed = {"nobody": {}, "basic authentication": {"authorization": "Basic YWRtaW46YWRtaW4="}}
        if caller in fixed:
            return fixed[caller]
        makers = {
            "admin session": lambda: session("boss"),
            "operator session": lambda: session("pilot"),
            "operator's management key": lambda: key("pilot", "management"),
            "user session": lambda: session("user"),
            "session that must change its password": lambda: session("new"),
            "idle session": lambda: session("boss", seen=now - 12.1 * 3600),
            "ended session": lambda: session("boss", stored=False),
            "session of a disabled user": lambda: session("gone"),
            "admin's inference key": lambda: key("boss", "inference"),
            "admin's metrics key": lambda: key("boss", "metrics"),
            "admin's management key": lambda: key("boss", "management"),
            "user's management key": lambda: key("user", "management"),
            "management key of one who must change the password": lambda: key("new", "management"),
            "expired key": lambda: key("boss", "management", expires_at=now),
            "disabled key": lambda: key("boss", "management", disabled=True),
            "key of a disabled user": lambda: key("gone", "management"),
            "deleted key": lambda: key("boss", "management", stored=False),
        }
        return await makers[caller]()


async def send(client: httpx.AsyncClient, route: Route, headers: dict[str, str]) -> httpx.Response:
    # Nothing that a route could act on: whoever is let in gets "invalid" or "not found".
    content = b"{}" if route.method in ("POST", "PUT", "PATCH") else None
    return await client.request(
        route.method, route.example, content=content, headers={"content-type": "application/json", **headers}
    )


def test_every_route_declares_its_policy() -> None:
    assert unguarded(create_routes()) == []
    assert len(all_routes()) > 15


def test_a_route_without_policy_cannot_be_made() -> None:
    router = feature_router("x")
    with pytest.raises(TypeError, match="declares no policy"):

        @router.get("/x")
        async def open_door() -> None: ...


def test_a_router_that_goes_round_the_guard_is_found() -> None:
    app = FastAPI(openapi_url=None)
    plain = APIRouter()
    plain.add_api_route("/back-door", lambda: None)
    app.include_router(plain, prefix="/api/v1")
    assert unguarded(app) == ["/api/v1/back-door"]


@pytest.mark.parametrize("caller", EXPECTED)
async def test_matrix(caller: str, app: ASGIApp, context: ServerContext, clock: Clock) -> None:
    world = World(context, clock())
    await world.build()
    async with client_of(app) as client:
        for route in all_routes():
            answer = await send(client, route, await world.headers(caller))
            expected = EXPECTED[caller][route.policy]
            told = f"{caller}: {route.method} {route.path} → {answer.status_code} {answer.text[:200]}"
            if expected is None:
                assert answer.status_code not in (401, 403), told
            else:
                assert (answer.status_code, answer.json()["code"]) == expected, told
            assert answer.status_code != 500, told
