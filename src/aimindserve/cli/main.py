"""The ``aimindserve`` command. Start-up is light: what is heavy is imported by the command that needs it."""

from __future__ import annotations

import typer

from aimindserve import __version__
from aimindserve.cli import administration, deployments, doctor, keys, start
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


for group in (start, deployments, doctor, administration):
    group.register(app)
app.add_typer(keys.app, name="key")


def main() -> int:
    """Run the command line. Exit code: 0 done, 1 failed, 2 wrong usage."""
    try:
        app()
    except CommandError as error:
        print_trouble(error.message, error.remedy, error.code)
    except Exception as error:
        if not _print_api_trouble(error):
            raise
    return 1


def _print_api_trouble(error: Exception) -> bool:
    """Say what the server refused, or that it did not answer; false for anything else (a defect)."""
    from aimindserve.client import ApiError, UnreachableError

    if isinstance(error, ApiError):
        print_trouble(error.problem.message, error.problem.remedy, error.problem.code)
        return True
    if isinstance(error, UnreachableError):
        print_trouble(f"The server does not answer ({error}).", "Check it with `aimindserve doctor`.", "unreachable")
        return True
    return False


if __name__ == "__main__":
    raise SystemExit(main())
