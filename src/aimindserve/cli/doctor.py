"""``aimindserve doctor``: what is right on this machine, what is not, and what to do about it."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Annotated

import typer

from aimindserve.cli.output import DataDir, Format, Output, print_json

_MARKS = {"ok": "ok  ", "warn": "note", "fail": "FAIL"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: aimindserve doctor -o json")(doctor)


def doctor(
    port: Annotated[int | None, typer.Option(help="Public port to look at. Default: the configured one.")] = None,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Check machine, data folder, port, database, GPUs and engines; say what to do. Exit code 1 for a failure."""
    from aimindserve.cli.diagnosis import Health, diagnose

    settings = _settings(data_dir, port)
    findings = []
    for finding in diagnose(settings):
        findings.append(finding)
        if output is Format.TEXT:
            typer.echo(f"{_MARKS[finding.health]}  {finding.name:<12} {finding.message}")
            if finding.remedy:
                typer.echo(f"      {'':<12} -> {finding.remedy}")
    if output is Format.JSON:
        print_json({"items": [asdict(finding) for finding in findings]})
    if any(finding.health is Health.FAIL for finding in findings):
        raise typer.Exit(1)


def _settings(data_dir: str | None, port: int | None):
    """The settings of the running server where there is one, else those that a start would use."""
    from pathlib import Path, PurePosixPath

    from aimindserve.cli.connection import resolve_data_dir, run_dir_of
    from aimindserve.cli.output import CommandError
    from aimindserve.domain.paths import settings_file
    from aimindserve.server.settings import SettingsError, load_settings, resolve_settings

    folder = resolve_data_dir(data_dir)
    file = Path(settings_file(PurePosixPath(run_dir_of(folder))))
    try:
        if port is None and os.access(file, os.R_OK):
            return load_settings(file)
        return resolve_settings({"data_dir": str(folder), "port": port}, os.environ)
    except SettingsError as error:
        raise CommandError(str(error), "Correct the setting and try again.", code="settings_invalid") from None
