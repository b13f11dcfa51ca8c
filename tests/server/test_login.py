"""Initial password, forced change, sessions."""

import os
import stat
import time
from pathlib import Path, PurePath

import pytest
from starlette.types import ASGIApp
from tests.server.fixtures import (
    NEW_PASSWORD,
    Browser,
    Clock,
    browser_of,
    initial_password,
    open_context,
    password_file,
)

from aimindserve.domain.access import SESSION_COOKIE
from aimindserve.server.app import create_app
from aimindserve.server.bootstrap import build_context, reset_admin_password
from aimindserve.server.context import ServerContext
from aimindserve.server.initial_password import UnsafeFileError, make_initial_password
from aimindserve.server.passwords import LoginLimiter
from aimindserve.server.settings import Settings


async def test_initial_password_opens_a_session_that_may_only_change_it(
    fresh_admin: Browser, context: ServerContext
) -> None:
    client = fresh_admin.client
    session = (await client.get("/api/v1/session")).json()
    assert session["username"] == "admin"
    assert session["must_change_password"] is True
    for method, path in (("GET", "/keys"), ("POST", "/keys"), ("GET", "/system"), ("GET", "/events")):
        refused = await client.request(method, f"/api/v1{path}", json={"name": "x"} if method == "POST" else None)
        assert (refused.status_code, refused.json()["code"]) == (403, "password_change_required")
    changed = await fresh_admin.change_password(initial_password(context), NEW_PASSWORD)
    assert changed.json()["must_change_password"] is False
    assert (await client.get("/api/v1/keys")).status_code == 200
    assert not password_file(context).exists()


async def test_hint_names_the_file_until_the_password_is_changed(stranger: Browser, context: ServerContext) -> None:
    hint = (await stranger.client.get("/api/v1/session/hint")).json()
    assert hint["initial_password_file"] == str(context.paths.initial_admin_password)
    await stranger.login("admin", initial_password(context))
    await stranger.change_password(initial_password(context), NEW_PASSWORD)
    assert (await stranger.client.get("/api/v1/session/hint")).json()["initial_password_file"] is None


async def test_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger: Browser, context: ServerContext) -> None:
    answer = await stranger.login("ADMIN", initial_password(context))
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{SESSION_COOKIE}=")
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert "Path=/;" in f"{cookie};"


async def test_cookie_is_secure_behind_https(settings: Settings, clock: Clock) -> None:
    behind = settings.model_copy(update={"public_url": "https://models.example"})
    async with open_context(behind, clock) as context, browser_of(create_app(context)) as browser:
        answer = await browser.login("admin", initial_password(context))
        assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("short", "password_too_short"),
        ("aaaaaaaaaaaaaaaa", "password_common"),
        ("Password1234", "password_common"),
        (None, "password_unchanged"),
    ],
)
async def test_poor_passwords_are_refused(
    fresh_admin: Browser, context: ServerContext, new: str | None, code: str
) -> None:
    current = initial_password(context)
    answer = await fresh_admin.change_password(current, new or current)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert password_file(context).exists()


async def test_change_ends_all_other_sessions_and_rotates_this_one(app: ASGIApp, admin: Browser) -> None:
    async with browser_of(app) as other:
        await other.login("admin", NEW_PASSWORD)
        before = admin.client.cookies[SESSION_COOKIE]
        await admin.change_password(NEW_PASSWORD, "yet another passphrase")
        assert admin.client.cookies[SESSION_COOKIE] != before
        assert (await admin.client.get("/api/v1/session")).status_code == 200
        assert (await other.client.get("/api/v1/session")).status_code == 401


async def test_logout_ends_the_session_for_good(admin: Browser) -> None:
    token = admin.client.cookies[SESSION_COOKIE]
    assert (await admin.client.delete("/api/v1/session")).status_code == 204
    admin.client.cookies.set(SESSION_COOKIE, token)
    assert (await admin.client.get("/api/v1/session")).status_code == 401


async def test_session_ends_after_twelve_idle_hours(admin: Browser, clock: Clock) -> None:
    clock.advance(11.9 * 3600)
    assert (await admin.client.get("/api/v1/session")).status_code == 200
    clock.advance(11.9 * 3600)
    assert (await admin.client.get("/api/v1/session")).status_code == 200
    clock.advance(12.1 * 3600)
    assert (await admin.client.get("/api/v1/session")).status_code == 401


async def test_session_ends_after_seven_days_however_busy(admin: Browser, clock: Clock) -> None:
    for _ in range(15):
        clock.advance(11 * 3600)
        assert (await admin.client.get("/api/v1/session")).status_code == 200
    clock.advance(4 * 3600)
    assert (await admin.client.get("/api/v1/session")).status_code == 401


async def test_unknown_user_and_wrong_password_read_the_same(stranger: Browser) -> None:
    unknown = (await stranger.login("nobody", "x" * 20)).json()
    wrong = (await stranger.login("admin", "x" * 20)).json()
    local = (await stranger.login("local-cli", "!")).json()
    del unknown["request_id"], wrong["request_id"], local["request_id"]
    assert unknown == wrong == local
    assert unknown["code"] == "login_failed"


async def test_guessing_stops_after_ten_failures(stranger: Browser, context: ServerContext, clock: Clock) -> None:
    for _ in range(10):
        assert (await stranger.login("admin", "wrong password")).status_code == 401
    refused = await stranger.login("admin", initial_password(context))
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 300
    elsewhere = await stranger.client.post(
        "/api/v1/session",
        json={"username": "admin", "password": initial_password(context)},
        headers={"x-forwarded-for": "203.0.113.9"},
    )
    assert elsewhere.status_code == 200
    clock.advance(301)
    assert (await stranger.login("admin", initial_password(context))).status_code == 200


async def test_a_reset_at_the_command_line_lets_a_locked_admin_in(stranger: Browser, context: ServerContext) -> None:
    context.clock = time.time  # files have the time of the machine
    context.limiter = LoginLimiter(time.time)
    for _ in range(11):
        locked = await stranger.login("admin", "wrong password")
    assert locked.status_code == 429
    password = await reset_admin_password(context.settings)
    assert (await stranger.login("admin", password)).status_code == 200
    for _ in range(11):
        locked = await stranger.login("admin", "wrong password")
    assert locked.status_code == 429, "later guesses count"


async def test_second_start_keeps_the_password_file(settings: Settings, clock: Clock) -> None:
    async with open_context(settings, clock) as context:
        first = initial_password(context)
    async with open_context(settings, clock) as context:
        assert initial_password(context) == first


async def test_password_written_before_a_crash_is_the_one_that_works(settings: Settings, clock: Clock) -> None:
    """The file is made first; a crash before the user is stored must not leave a file that opens nothing."""
    written = make_initial_password(settings.paths)
    async with open_context(settings, clock) as context, browser_of(create_app(context)) as browser:
        assert (await browser.login("admin", written)).status_code == 200


async def test_planted_link_stops_the_start(settings: Settings, clock: Clock, tmp_path: Path) -> None:
    target = plant_link(settings, tmp_path)
    with pytest.raises(UnsafeFileError, match="Remove it"):
        await build_context(settings, clock)
    assert not target.exists()


def plant_link(settings: Settings, folder: Path) -> Path:
    target = folder / "elsewhere"
    Path(settings.paths.initial_admin_password).symlink_to(target)
    return target


def mode_of(path: PurePath) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


async def test_secrets_are_private_whatever_the_umask(settings: Settings, clock: Clock) -> None:
    previous = os.umask(0)
    try:
        async with open_context(settings, clock) as context:
            paths = context.paths
            files = [paths.initial_admin_password, paths.pepper, paths.local_cli_key]
            if context.database.is_sqlite:
                files += [paths.database, paths.database.with_name("database.sqlite-wal")]
            assert {str(file): mode_of(file) for file in files} == {str(file): 0o600 for file in files}
            folders = [paths.root, paths.keys, paths.replicas]
            assert {mode_of(folder) for folder in folders} == {0o700}
    finally:
        os.umask(previous)
