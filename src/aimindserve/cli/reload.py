"""``aimindserve reload``: put a changed configuration file in force without ending anything that serves."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import typer

from aimindserve.cli.connection import connect, resolve_data_dir, run_dir_of
from aimindserve.cli.output import CommandError, DataDir, Format, Output, print_json, refusal

if TYPE_CHECKING:
    from pydantic import SecretStr

    from aimindserve.server.settings import Settings

_ORIGINS = "start.json"
_PATIENCE = 60.0  # seconds for the management server to be back
# What these decide stays for a whole run: the folders, the database, the sockets of the public port.
_AT_START = {
    "data_dir", "run_dir", "database_url", "demo", "declared_fleet", "host", "port", "gateway_processes"
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: aimindserve reload")(reload)


def keep_origins(settings: Settings, flags: Mapping[str, Any], config: str | None) -> None:
    """Remember what a start was given, so that a reload reads the same file again. Secrets are left out: they have
    files of their own.

    Raises:
        OSError: it cannot be written.
    """
    from aimindserve.server.files import replace_private_file
    from aimindserve.server.settings import SECRET_NAMES, given_by_environment

    known = {name: value for name, value in flags.items() if value is not None and name not in SECRET_NAMES}
    environment = given_by_environment(os.environ)
    told = {"config": str(Path(config).absolute()) if config else None, "flags": known, "environment": environment}
    replace_private_file(Path(settings.run_dir) / _ORIGINS, json.dumps(told).encode())


def reload(data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """Read the configuration file again. All but the port, the database and the folders is in force within seconds;
    those wait for the next start, and are named. Models and requests are not touched: where settings of the gateway
    have changed, a new one takes the port over, and the old one ends with its last answer."""
    from aimindserve.server.settings import load_settings, save_settings

    folder = resolve_data_dir(data_dir)
    pid = _supervisor(folder)
    old = load_settings(run_dir_of(folder) / "settings.json")
    old = old.model_copy(update=_tokens(old))
    new = _resolved(run_dir_of(folder) / _ORIGINS, old)
    live, waiting = changes(old, new)
    if live:
        since = _started_at(data_dir)
        save_settings(old.model_copy(update={name: getattr(new, name) for name in live}))
        os.kill(pid, signal.SIGUSR2 if _for_gateways(live) else signal.SIGUSR1)
        _wait_back(data_dir, since)
    _tell(live, waiting, output)


def changes(old: Settings, new: Settings) -> tuple[list[str], list[str]]:
    """Names of changed settings: those that are put in force now, and those that wait for the next start."""
    changed = [name for name in type(old).model_fields if getattr(old, name) != getattr(new, name)]
    return [name for name in changed if name not in _AT_START], [name for name in changed if name in _AT_START]


def _for_gateways(names: Iterable[str]) -> bool:
    from aimindserve.gateway.config import GatewayConfig

    return not set(GatewayConfig.__struct_fields__).isdisjoint(names)


def _supervisor(folder: Path) -> int:
    """The process to tell."""
    from aimindserve.domain.paths import supervisor_lock
    from aimindserve.server.files import is_held

    lock = Path(supervisor_lock(PurePosixPath(run_dir_of(folder))))
    if not is_held(lock):
        raise CommandError(
            f"No aiMindServe is running for the data folder {folder}.",
            "Start it with `aimindserve start`, or name another folder with --data-dir.",
            code="not_running",
        )
    return int(lock.read_text())


def _resolved(origins: Path, old: Settings) -> Settings:
    from aimindserve.domain.reasons import ReasonCode, reason
    from aimindserve.server.settings import SettingsError, resolve_settings

    try:
        told = json.loads(origins.read_bytes())
        config = Path(told["config"]) if told["config"] else None
        fixed = {"data_dir": old.data_dir, "run_dir": old.run_dir}
        new = resolve_settings(told["flags"] | fixed, told["environment"], config)
        # A token that is named no longer is not taken away: it has a file of its own.
        return new.model_copy(update={name: value for name, value in _tokens(old).items() if not getattr(new, name)})
    except OSError as error:
        raise refusal(reason(ReasonCode.FILE_FAILED, path=str(origins), detail=error.strerror or str(error))) from None
    except SettingsError as error:
        raise CommandError(
            f"Nothing was changed: {error}", "Correct the file and try again.", code="settings_invalid"
        ) from None


def _tokens(settings: Settings) -> dict[str, SecretStr]:
    """The tokens that starts have given, by setting."""
    from pydantic import SecretStr

    from aimindserve.server.secrets import given_tokens

    names = {"hf": "huggingface_token", "ms": "modelscope_token"}
    return {names[hub]: SecretStr(token) for hub, token in given_tokens(settings.paths).items()}


def _started_at(data_dir: str | None) -> float:
    with connect(data_dir) as client:
        return client.system().started_at


def _wait_back(data_dir: str | None, since: float) -> None:
    """Return once the new management server answers."""
    from aimindserve.client import ApiError, UnreachableError

    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        try:
            if _started_at(data_dir) > since:
                return
        except (ApiError, CommandError, UnreachableError):
            pass  # it is on its way
        time.sleep(0.1)
    raise CommandError(
        "The management server is not back.", "Look at its log, and run: aimindserve doctor", code="reload_failed"
    )


def _tell(live: Iterable[str], waiting: Iterable[str], output: Format) -> None:
    now, later = list(live), list(waiting)
    if output is Format.JSON:
        print_json({"in_force": now, "waiting_for_a_start": later})
        return
    typer.echo(f"In force: {', '.join(now)}" if now else "Nothing to put in force.")
    if later:
        typer.echo(f"Wait for the next start: {', '.join(later)}")
