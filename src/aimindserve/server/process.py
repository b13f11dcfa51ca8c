"""The server from settings to its end, on a Unix socket that only its account can reach."""

import asyncio
import os
import sys
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from aimindserve.devices.declared import FleetError
from aimindserve.domain.paths import PurePosixPath, server_socket
from aimindserve.domain.reason_texts import explain
from aimindserve.node.archive import ArchiveError
from aimindserve.server.app import create_app
from aimindserve.server.bootstrap import (
    AlreadyRunningError,
    build_context,
    lock_data,
    prepare_folders,
)
from aimindserve.server.db.migrate import NewerSchemaError
from aimindserve.server.initial_password import UnsafeFileError
from aimindserve.server.lifespan import whole_life
from aimindserve.server.logs import set_up_logging
from aimindserve.server.secrets import DamagedSecretError
from aimindserve.server.serving import HttpServer
from aimindserve.server.settings import Settings, SettingsError, load_settings
from aimindserve.server.sockets import listen_private

log = structlog.get_logger()

# A person has to act before another start can help (EX_CONFIG of sysexits.h): the supervisor does not try again.
EXIT_HOPELESS = 78
_HOPELESS = (
    SettingsError,
    AlreadyRunningError,
    DamagedSecretError,
    NewerSchemaError,
    UnsafeFileError,
    FleetError,
)


def run(settings_file: str) -> int:
    """Runs until SIGTERM or SIGINT. Exit code 0 then, 78 when a person has to act first, 1 for anything else."""
    os.umask(0o077)
    try:
        settings = load_settings(Path(settings_file))
        # The settings hold it; the hub's library must not follow it when an administrator says otherwise.
        os.environ.pop("HF_HUB_OFFLINE", None)
        set_up_logging(settings.log_level)
        prepare_folders(settings)
        lock_data(settings.paths)
        _go_on_restoring(settings)
        asyncio.run(serve(settings))
    except _HOPELESS as error:
        sys.stderr.write(f"aimindserve: {error}\n")
        return EXIT_HOPELESS
    except ArchiveError as error:
        sys.stderr.write("aimindserve: {} {}\n".format(*explain(error.why, "en")))
        return EXIT_HOPELESS
    except (OSError, SQLAlchemyError) as error:
        log.error("the server cannot start", error=str(error))  # noqa: TRY400  # the message is enough
        return 1
    return 0


def _go_on_restoring(settings: Settings) -> None:
    """Finishes a restore that was interrupted."""
    if Path(settings.paths.staged_restore).exists():
        from aimindserve.server.backup.restoring import finish_restore  # noqa: PLC0415  # hardly any start needs it

        if asyncio.run(finish_restore(settings)):
            log.warning("an interrupted restore was finished")


async def serve(settings: Settings) -> None:
    """Serves the API, with all that runs beside it, until a signal asks to stop."""
    context = await build_context(settings)
    try:
        async with whole_life(context):
            listener = listen_private(Path(server_socket(PurePosixPath(settings.run_dir))))
            await HttpServer(create_app(context)).serve(sockets=[listener])
    finally:
        context.hasher.close()
        await context.database.close()
