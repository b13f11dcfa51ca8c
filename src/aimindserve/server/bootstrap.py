"""From settings to a server that can answer: folders, lock, secrets, database, first users."""

import fcntl
import hmac
import os
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from sqlalchemy import delete, select, update

from aimindserve.domain.access import Role, Scope
from aimindserve.domain.paths import DataPaths
from aimindserve.server.accounts import ADMIN, LOCAL_CLI, NO_PASSWORD, end_sessions, user_named
from aimindserve.server.backup.automatic import bring_up_to_date
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import Database, UnitOfWork, connect
from aimindserve.server.db.tables import ApiKeyRow, UserRow
from aimindserve.server.events import EventBus
from aimindserve.server.files import (
    create_private_file,
    make_private_folder,
    read_private_file,
    replace_private_file,
)
from aimindserve.server.initial_password import (
    forget_initial_password,
    make_initial_password,
    replace_initial_password,
)
from aimindserve.server.passwords import LoginLimiter, PasswordHasher
from aimindserve.server.secrets import load_key, open_vault
from aimindserve.server.settings import Settings
from aimindserve.server.tokens import Digester, new_id, new_key

log = structlog.get_logger()

LOCK_PATIENCE_SECONDS = 6.0


class AlreadyRunningError(Exception):
    """Another server holds the data folder."""


def prepare_folders(settings: Settings, *, database: bool = True) -> None:
    """Makes the data folder and those in it, mode 0700, and (``database``) an empty SQLite file of mode 0600.

    Raises:
        OSError: one cannot be made.
    """
    paths = settings.paths
    for folder in (paths.root, paths.keys, paths.locks, paths.replicas, paths.logs):
        make_private_folder(Path(folder))
    make_private_folder(Path(settings.run_dir))
    file = Path(paths.database)
    if database and settings.database_url.endswith(str(file)) and not file.exists():
        create_private_file(file, b"")


def lock_data(paths: DataPaths, patience: float = LOCK_PATIENCE_SECONDS) -> int:
    """Takes the data folder for this process; waits ``patience`` seconds for a server that is on its way out (its
    supervisor was killed). Returns the descriptor that holds the lock; it ends with the process.

    Raises:
        AlreadyRunningError: another server has it and keeps it.
    """
    path = Path(paths.server_lock)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience
    while not _try_lock(descriptor):
        if time.monotonic() >= deadline:
            os.close(descriptor)
            raise AlreadyRunningError(
                f"Another aiMindServe server uses {paths.root}. Stop it first, or choose another --data-dir."
            )
        time.sleep(0.02)
    return descriptor


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def load_pepper(paths: DataPaths) -> bytes:
    """The secret that keys the digests of tokens; made at the first start.

    Raises:
        DamagedSecretError: it has not the length that it was written with.
    """
    return load_key(Path(paths.pepper), "all keys and sessions are lost: remove it to start anew, then make new keys")


async def build_context(settings: Settings, clock: Callable[[], float] = time.time) -> ServerContext:
    """Everything that the server's parts are given. Folders must exist.

    Raises:
        NewerSchemaError, DamagedSecretError, UnsafeFileError, ArchiveError: a person has to act; the message says how.
        SQLAlchemyError, OSError: the database or the disk does not work.
    """
    bus = EventBus()
    database = connect(settings.database_url, bus, clock)
    context = ServerContext(
        settings=settings,
        paths=settings.paths,
        database=database,
        bus=bus,
        clock=clock,
        digester=Digester(load_pepper(settings.paths)),
        hasher=PasswordHasher(),
        limiter=LoginLimiter(clock),
        started_at=clock(),
        vault=open_vault(settings.paths),
    )
    await bring_up_to_date(settings, database)
    await ensure_admin(context)
    await ensure_local_key(context)
    return context


async def ensure_admin(context: ServerContext) -> None:
    """Makes ``admin`` in an empty database. The password's file is on disk before the user is."""
    async with context.database.read() as session:
        admin = await user_named(session, ADMIN)
        people = await session.scalar(select(UserRow.id).where(UserRow.username != LOCAL_CLI).limit(1))
    if people is None:
        stored = await context.hasher.hash(make_initial_password(context.paths))
        async with context.database.unit_of_work() as work:
            _add_user(work, ADMIN, stored, must_change=True)
            work.record("user.created", subject=ADMIN, role=Role.ADMIN)
        log.info("initial password written", file=str(context.paths.initial_admin_password))
    elif admin is None or not admin.must_change_password:
        # A crash may have come between the change and the removal of the file.
        forget_initial_password(context.paths)


async def ensure_local_key(context: ServerContext) -> None:
    """Writes a management key for the command line of this account. One that is in force stays, so that a command
    that runs while the server restarts goes on; any other ends."""
    if await _local_key_holds(context):
        return
    made = new_key()
    async with context.database.unit_of_work() as work:
        user = await user_named(work.session, LOCAL_CLI)
        if user is None:
            user = _add_user(work, LOCAL_CLI, NO_PASSWORD, must_change=False)
            await work.session.flush()
        await work.session.execute(delete(ApiKeyRow).where(ApiKeyRow.system))
        work.session.add(
            ApiKeyRow(
                id=made.id,
                digest=context.digester.digest(made.token),
                user_id=user.id,
                name=LOCAL_CLI,
                scopes=(Scope.MANAGEMENT.value, Scope.INFERENCE.value),
                models=None,
                expires_at=None,
                disabled=False,
                system=True,
                created_at=work.now,
                last_used_at=None,
            )
        )
        work.record("key.renewed", subject=made.id)
    replace_private_file(Path(context.paths.local_cli_key), f"{made.token}\n".encode())


async def _local_key_holds(context: ServerContext) -> bool:
    """Whether the file's key is the one that the database knows."""
    try:
        token = read_private_file(Path(context.paths.local_cli_key)).decode().strip()
    except (OSError, UnicodeDecodeError):  # none yet, or nothing that a key can be: it is written anew
        return False
    async with context.database.read() as session:
        known = await session.scalar(select(ApiKeyRow.digest).where(ApiKeyRow.system, ApiKeyRow.disabled.is_(False)))
    return known is not None and hmac.compare_digest(context.digester.digest(token), known)


async def reset_admin_password(settings: Settings) -> str:
    """Gives ``admin`` a new password, which must be changed at the next login, and ends its sessions. Works with the
    server running or not. Returns the password; it is also in the initial password's file.

    Raises:
        SQLAlchemyError, OSError: the database or the disk does not work.
        NewerSchemaError: the database belongs to a newer version.
        ArchiveError: an older schema cannot be backed up before it is changed.
    """
    prepare_folders(settings)
    database = connect(settings.database_url, EventBus(), time.time)
    hasher = PasswordHasher()
    try:
        await bring_up_to_date(settings, database)
        password = replace_initial_password(settings.paths)
        await _store_admin(database, await hasher.hash(password))
    finally:
        hasher.close()
        await database.close()
    return password


async def _store_admin(database: Database, stored: str) -> None:
    async with database.unit_of_work() as work:
        admin = await user_named(work.session, ADMIN)
        if admin is None:
            _add_user(work, ADMIN, stored, must_change=True)
        else:
            values = {"password_hash": stored, "must_change_password": True, "disabled": False, "role": Role.ADMIN}
            await work.session.execute(update(UserRow).where(UserRow.id == admin.id).values(**values))
            await end_sessions(work.session, admin.id)
        work.record("user.password_reset", subject=ADMIN)


def _add_user(work: UnitOfWork, name: str, stored: str, *, must_change: bool) -> UserRow:
    user = UserRow(
        id=new_id(),
        username=name,
        password_hash=stored,
        role=Role.ADMIN,
        disabled=False,
        must_change_password=must_change,
        created_at=work.now,
    )
    work.session.add(user)
    return user
