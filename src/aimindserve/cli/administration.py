"""Commands for the administrator of the machine."""

from __future__ import annotations

import typer

from aimindserve.cli.output import CommandError, DataDir, Format, Output, print_json


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("reset-admin-password", epilog="Example: sudo aimindserve reset-admin-password")(reset_admin_password)


def reset_admin_password(data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """Give the user admin a new first password; its sessions end, and it must be changed at the next login."""
    import asyncio

    from sqlalchemy.exc import SQLAlchemyError

    from aimindserve.cli.local_settings import local_settings
    from aimindserve.server.bootstrap import reset_admin_password as reset
    from aimindserve.server.db.migrate import NewerSchemaError

    settings = local_settings(data_dir)
    file = settings.paths.initial_admin_password
    try:
        asyncio.run(reset(settings))
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
