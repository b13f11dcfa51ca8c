"""``aimindserve start``: settle the settings, look at the port, then become the supervisor.

The options are the fields of ``server.settings.Settings``: a setting is declared once, there. They are read only
when the command line says ``start``, because that import is what makes a command slow. At the end the process
replaces itself (exec), so that no flag, and no secret given by one, stays in the process title.
"""

from __future__ import annotations

import inspect
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aimindserve.cli.output import CommandError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from aimindserve.server.settings import Settings

EPILOG = "Example: aimindserve start --demo --port 8080"


def register(app: typer.Typer) -> None:
    """Add ``start``; with its options only when it is the command asked for."""
    asked_for = next((word for word in sys.argv[1:] if not word.startswith("-")), None) == "start"
    app.command("start", epilog=EPILOG)(_with_settings_as_options() if asked_for else start)


def start(**flags: Any) -> None:
    """Start the server, the gateway and this machine's node; runs until it is told to stop."""
    config = flags.pop("config", None)
    settings = _settled(flags, config)
    _refuse_second_start(settings)
    from aimindserve.cli.ports import require_free_port

    require_free_port(settings.host, settings.port, Path(settings.run_dir))
    settings_file = _saved(settings, flags, config)
    if settings.demo:
        from aimindserve.cli.demo_request import write_demo_request

        write_demo_request(Path(settings.paths.demo_request), "tiny-vlm")
    typer.echo(f"Starting aiMindServe on port {settings.port} …", err=True)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "aimindserve.cli.supervisor", str(settings_file)])


def _with_settings_as_options() -> Callable[..., None]:
    """``start`` with one option for each setting, and ``--config``."""
    from aimindserve.server.settings import Settings

    def command(**flags: Any) -> None:
        start(**flags)

    command.__doc__ = start.__doc__
    parameters = [_parameter(name, field) for name, field in Settings.model_fields.items()]
    config = typer.Option("--config", envvar="AIMINDSERVE_CONFIG", help="YAML file with settings (flags win).")
    parameters.append(_keyword("config", Annotated[str | None, config]))
    command.__signature__ = inspect.Signature(parameters)
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    """The option of one setting. Values go on as text: ``Settings`` checks and converts them."""
    option = typer.Option(f"--{name.replace('_', '-')}", help=field.description, show_default=False)
    if field.annotation is bool:
        return _keyword(name, Annotated[bool | None, option])
    return _keyword(name, Annotated[str | None, option])


def _keyword(name: str, annotation: Any) -> inspect.Parameter:
    """An optional keyword argument."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _settled(flags: dict[str, Any], config: str | None) -> Settings:
    """The settings from flags, environment and file; a bad one is wrong usage (exit code 2)."""
    from aimindserve.server.settings import SettingsError, resolve_settings

    try:
        return resolve_settings(flags, os.environ, Path(config) if config else None)
    except SettingsError as error:
        typer.echo(f"Error: {error}\n  See `aimindserve start --help` for all settings.", err=True)
        raise typer.Exit(2) from None


def _refuse_second_start(settings: Settings) -> None:
    """One start for each data folder. The server of a supervisor that was killed gets a moment to end."""
    from aimindserve.cli.ports import TAKEOVER_PATIENCE
    from aimindserve.domain.paths import supervisor_lock
    from aimindserve.server.files import is_held

    supervisor = Path(supervisor_lock(PurePosixPath(settings.run_dir)))
    deadline = time.monotonic() + TAKEOVER_PATIENCE
    server = Path(settings.paths.server_lock)
    while not (held := is_held(supervisor)) and is_held(server) and time.monotonic() < deadline:
        time.sleep(0.05)
    if held:
        pid = supervisor.read_text().strip()
        raise CommandError(
            f"aiMindServe is already running for {settings.data_dir} (process {pid}).",
            f"Use it as it is, stop it first (kill {pid}), or give another folder with --data-dir.",
            code="already_running",
        )


def _saved(settings: Settings, flags: dict[str, Any], config: str | None) -> Path:
    """Folders made, settings written for the children."""
    from aimindserve.cli.reload import keep_origins
    from aimindserve.server.settings import save_settings

    try:
        saved = save_settings(settings)
        keep_origins(settings, flags, config)
        return saved
    except OSError as error:
        raise CommandError(
            f"The data folder {settings.data_dir} cannot be used: {error.strerror or error}.",
            "Choose a folder that this account may write to with --data-dir, or free some disk space.",
            code="data_dir_unusable",
        ) from error
