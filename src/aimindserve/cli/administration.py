"""Commands for the administrator of the machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from aimindserve.cli.account import become_owner
from aimindserve.cli.output import CommandError, DataDir, Format, Output, print_json, refusal


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("reset-admin-password", epilog="Example: sudo aimindserve reset-admin-password")(reset_admin_password)
    app.command("stop-engines", epilog="Example: aimindserve stop-engines --data-dir .demo")(stop_engines)
    app.command(epilog="Example: sudo aimindserve uninstall")(uninstall)


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


def uninstall(
    purge: Annotated[bool, typer.Option("--purge", help="Remove data and settings too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed.")] = False,
) -> None:
    """Remove an installation that install.sh made. It is listed first what goes; data stays unless told otherwise."""
    prefix = Path(sys.prefix).parent.parent  # of <prefix>/versions/<this environment>
    script = prefix / "install.sh"
    if not script.is_file():
        raise CommandError(
            "This aiMindServe was not installed by install.sh.",
            "Remove its environment (pip uninstall aimindserve, or the clone); data is in the data folder.",
            code="not_installed",
        )
    given = {"--purge": purge, "--yes": yes, "--dry-run": dry_run}
    options = [option for option, wanted in given.items() if wanted]
    sys.stdout.flush()
    os.execv("/bin/sh", ["/bin/sh", str(script), "--uninstall", f"--prefix={prefix}", *options])
