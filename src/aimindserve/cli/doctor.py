"""``aimindserve doctor``: what is right on this machine, what is not, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aimindserve.cli.output import DataDir, Format, Output, language, print_json

if TYPE_CHECKING:
    from aimindserve.domain.findings import Finding

_MARKS = {"ok": "ok  ", "warn": "note", "fail": "FAIL"}
_MENDED = {"en": "mended", "zh": "已修复"}
_WIDTH = 12


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: aimindserve doctor -o json")(doctor)


def doctor(
    port: Annotated[int | None, typer.Option(help="Public port to look at. Default: the configured one.")] = None,
    hub: Annotated[
        bool, typer.Option("--hub", help="Also ask the model hubs. They are always asked where a mirror is set.")
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what is safe to mend: modes, missing folders, leftovers.")
    ] = False,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Check machine, data folder, port, database, GPUs, engines and hubs; say what to do. Exit code 1 for a failure."""
    from aimindserve.cli.account import become_owner
    from aimindserve.cli.diagnosis import diagnose
    from aimindserve.cli.local_settings import local_settings
    from aimindserve.domain.findings import Health

    settings = local_settings(data_dir, port=port)
    if fix:
        become_owner(Path(settings.data_dir))
    shown: list[dict[str, Any]] = []
    failed = False
    for finding in diagnose(settings, ask_hubs=hub):
        mended = fix and finding.fix is not None and _mended(finding)
        failed = failed or (finding.health is Health.FAIL and not mended)
        shown.append(_as_data(finding, mended=mended))
        if output is Format.TEXT:
            _print(shown[-1])
    if output is Format.JSON:
        print_json({"items": shown})
    if failed:
        raise typer.Exit(1)


def _mended(finding: Finding) -> bool:
    """Whether the repair of a finding was carried out."""
    from aimindserve.cli.diagnosis_data import mend

    try:
        if finding.fix is not None:
            mend(finding.fix)
    except OSError as error:
        typer.echo(f"      {'':<{_WIDTH}} !! {error}", err=True)
        return False
    return finding.fix is not None


def _as_data(finding: Finding, *, mended: bool) -> dict[str, Any]:
    from aimindserve.domain.findings import worded

    message, remedy = worded(finding, language())
    params = finding.why.params if finding.why else finding.params
    return {
        "name": finding.name, "health": finding.health.value, "code": finding.code, "message": message,
        "remedy": remedy, "params": params, "can_be_fixed": finding.fix is not None, "fixed": mended,
    }  # fmt: skip


def _print(item: dict[str, Any]) -> None:
    mark = "done" if item["fixed"] else _MARKS[item["health"]]
    typer.echo(f"{mark}  {item['name']:<{_WIDTH}} {item['message']}")
    if item["remedy"]:
        typer.echo(f"      {'':<{_WIDTH}} -> {item['remedy'] if not item['fixed'] else _MENDED[language()]}")
