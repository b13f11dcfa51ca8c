"""``python -m aimindserve.server --settings FILE``: the server process, on a Unix socket that only its account can
reach."""

import asyncio
import ctypes
import os
import signal
import sys
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from aimindserve.domain.paths import PurePosixPath, server_socket
from aimindserve.server.app import create_app
from aimindserve.server.bootstrap import (
    AlreadyRunningError,
    DamagedSecretError,
    build_context,
    lock_data,
    prepare_folders,
)
from aimindserve.server.db.migrate import NewerSchemaError
from aimindserve.server.initial_password import UnsafeFileError
from aimindserve.server.lifespan import whole_life
from aimindserve.server.logs import set_up_logging
from aimindserve.server.serving import HttpServer
from aimindserve.server.settings import Settings, SettingsError, load_settings
from aimindserve.server.sockets import listen_private

log = structlog.get_logger()

_PR_SET_PDEATHSIG = 1
# A person has to act before another start can help (EX_CONFIG of sysexits.h): the supervisor does not try again.
EXIT_HOPELESS = 78


async def serve(settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT."""
    context = await build_context(settings)
    listener = listen_private(Path(server_socket(PurePosixPath(settings.run_dir))))
    server = HttpServer(create_app(context, whole_life))
    try:
        await server.serve(sockets=[listener])
    finally:
        context.hasher.close()
        await context.database.close()


def die_with_parent() -> None:
    """Asks the kernel to end this process when the supervisor dies, however it dies."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def main(arguments: list[str]) -> int:
    """Exit code 0 after an ordinary stop, 78 when a person has to act first, 1 for anything else."""
    if len(arguments) != 2 or arguments[0] != "--settings":
        sys.stderr.write("usage: python -m aimindserve.server --settings FILE\n")
        return 2
    die_with_parent()
    os.umask(0o077)
    try:
        settings = load_settings(Path(arguments[1]))
        set_up_logging(settings.log_level)
        prepare_folders(settings)
        lock_data(settings.paths)
        asyncio.run(serve(settings))
    except (SettingsError, AlreadyRunningError, DamagedSecretError, NewerSchemaError, UnsafeFileError) as error:
        sys.stderr.write(f"aimindserve: {error}\n")
        return EXIT_HOPELESS
    except (OSError, SQLAlchemyError) as error:
        log.error("the server cannot start", error=str(error))  # noqa: TRY400  # the message is enough
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
