"""The ``aimindserve`` command. Start-up is light: what is heavy is imported by the command that needs it."""

from __future__ import annotations

import typer

from aimindserve import __version__
from aimindserve.cli import (
    administration,
    aliases,
    backup,
    bundle,
    catalog,
    deployments,
    doctor,
    engine,
    events,
    files,
    fit,
    hub,
    keys,
    manifests,
    node,
    reload,
    start,
    users,
)
from aimindserve.cli.output import CommandError, Format, Output, print_json, print_trouble

app = typer.Typer(
    name="aimindserve",
    help="Serve vision language models on your own machines.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(epilog="Example: aimindserve version -o json")
def version(output: Output = Format.TEXT) -> None:
    """Print the version."""
    if output is Format.JSON:
        print_json({"version": __version__})
    else:
        typer.echo(f"aimindserve {__version__}")


for group in (start, deployments, manifests, fit, hub, doctor, backup, reload, administration):
    group.register(app)
app.add_typer(keys.app, name="key")
app.add_typer(users.app, name="user")
app.add_typer(aliases.app, name="alias")
app.add_typer(files.app, name="files")
app.add_typer(engine.app, name="engine")
app.add_typer(node.app, name="node")
app.add_typer(bundle.app, name="bundle")
app.add_typer(events.app, name="events")
app.add_typer(hub.app, name="hub")
app.add_typer(catalog.app, name="catalog")


def main() -> int:
    """Run the command line. Exit code: 0 done, 1 failed, 2 wrong usage."""
    try:
        app()
    except CommandError as error:
        print_trouble(error.message, error.remedy, error.code)
    except _api_troubles() as error:
        _print_api_trouble(error)
    return 1


def _api_troubles() -> tuple[type[Exception], ...]:
    """The client's exceptions; Python asks for them only once something was raised, so the client loads late."""
    from aimindserve.client import ApiError, UnreachableError

    return ApiError, UnreachableError


def _print_api_trouble(error: Exception) -> None:
    """Say what the server refused, or that it did not answer."""
    from aimindserve.client import ApiError

    if isinstance(error, ApiError):
        print_trouble(error.problem.message, error.problem.remedy, error.problem.code)
    else:
        print_trouble(f"The server does not answer ({error}).", "Check it with `aimindserve doctor`.", "unreachable")


if __name__ == "__main__":
    raise SystemExit(main())
