"""Commands for the administrator of the machine."""

from __future__ import annotations

from pathlib import Path

import typer

from aimindserve.cli.account import become_owner
from aimindserve.cli.output import CommandError, DataDir, Format, Output, print_json, refusal


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("reset-admin-password", epilog="Example: sudo aimindserve reset-admin-password")(reset_admin_password)
    app.command("stop-engines", epilog="Example: aimindserve stop-engines --data-dir .demo")(stop_engines)


def reset_admin_password(data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """Give the user admin a new first password; its sessions end, and it must be changed at the next login."""
    import asyncio

    from sqlalchemy.exc import SQLAlchemyError

    from aimindserve.cli.local_settings import local_settings
    from aimindserve.node.archive import ArchiveError
    from aimindserve.server.bootstrap import reset_admin_password as reset
    from aimindserve.server.db.migrate import NewerSchemaError

    settings = local_settings(data_dir)
    become_owner(Path(settings.data_dir))
    file = settings.paths.initial_admin_password
    try:
        asyncio.run(reset(settings))
    except ArchiveError as error:
        raise refusal(error.why) from None
    except (SQLAlchemyError, OSError, NewerSchemaError) as error:
        raise CommandError(
            f"The password was not reset: {error}",
            "Run the command as the account that owns the data folder, and check it with `aimindserve doctor`.",
            code="reset_failed",
        ) from error
    if output is Format.JSON:
        print_json({"username": "admin", "password_file": str(file)})
    else:
        typer.echo(f"The new password of admin: cat {file}")


def stop_engines(data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """End the engines that a stopped aiMindServe left running; the next start brings them back."""
    import asyncio

    from aimindserve.cli.connection import resolve_data_dir
    from aimindserve.cli.engines import is_server_running, living_engines, stop_all

    folder = resolve_data_dir(data_dir)
    become_owner(folder)
    if is_server_running(folder):
        raise CommandError(
            f"aiMindServe is running for {folder}: it would start them again.",
            "Stop it first, or stop a model with `aimindserve stop NAME`.",
            code="already_running",
        )
    engines = living_engines(folder)
    left = asyncio.run(stop_all(engines, folder))
    if output is Format.JSON:
        print_json({"stopped": [pid for pid in (one.process.pid for one in engines) if pid not in left], "left": left})
    else:
        typer.echo(f"Stopped {len(engines) - len(left)} engine(s)." if engines else "No engine is running.")
    if left:
        raise CommandError(
            f"Still running: {', '.join(map(str, left))}.", "Run the command as the account that started them."
        )
