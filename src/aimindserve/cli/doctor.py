"""``aimindserve doctor``: what is right on this machine, what is not, and what to do about it."""

from __future__ import annotations

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
    from aimindserve.cli.local_settings import local_settings

    settings = local_settings(data_dir, port=port)
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
