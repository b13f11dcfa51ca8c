"""``export`` and ``apply``: deployments as a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aimindserve.cli.connection import connect
from aimindserve.cli.output import CommandError, DataDir, Format, Output, print_json, print_table

if TYPE_CHECKING:
    from aimindserve.client import Client
    from aimindserve.domain.manifest import Manifest, Step
    from aimindserve.domain.specs import DeploymentSpec
    from aimindserve.domain.views import DeploymentView
    from aimindserve.domain.views_fit import FitReport

_STDIN = "-"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: aimindserve export > models.yaml")(export)
    app.command(epilog="Example: aimindserve apply -f models.yaml --plan")(apply)


def export(
    names: Annotated[list[str] | None, typer.Argument(help="Deployments. Default: all.")] = None,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Write deployments as YAML, as ``apply`` takes it. Values of environments are in it."""
    from aimindserve.domain.manifest import written

    with connect(data_dir) as client:
        if output is Format.TEXT:
            typer.echo(client.manifest(names or ()), nl=False)
            return
        specs = [view.spec for view in client.deployments() if not names or view.name in names]
    print_json({"deployments": [written(spec) for spec in specs]})


def apply(
    file: Annotated[str, typer.Option("--file", "-f", help="YAML file, or - for standard input.")],
    only_plan: Annotated[bool, typer.Option("--plan", help="Only say what would happen.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Delete deployments that the file does not name.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before replicas end or restart.")] = False,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Make the deployments as a file says, after a plan: what is new, what restarts, what memory it takes."""
    from aimindserve.domain.manifest import StepKind, plan

    manifest = _read(file)
    wanted = {spec.name: spec for spec in manifest.deployments}
    with connect(data_dir) as client:
        views = {view.name: view for view in client.deployments()}
        steps = plan(manifest, {name: view.spec for name, view in views.items()}, prune=prune)
        lines = [_line(step, _fit(client, step, wanted), views.get(step.name)) for step in steps]
        _show(lines, output)
        refused = [line["name"] for line in lines if line["verdict"] == "no"]
        if only_plan or refused:
            _end(refused)
            return
        harmful = [step.name for step in steps if step.kind in (StepKind.RESTART, StepKind.DELETE)]
        if harmful and not yes and sys.stdin.isatty():
            typer.confirm(f"Running replicas of {', '.join(harmful)} end or restart. Go on?", abort=True, err=True)
        for step in steps:
            _do(client, step, wanted, views)


def _end(refused: list[str]) -> None:
    if refused:
        raise CommandError(
            f"These cannot run as the file says: {', '.join(refused)}. Nothing was changed.",
            "See why with `aimindserve fit SOURCE`, correct the file, and apply it again.",
            code="apply_refused",
        )


def _read(file: str) -> Manifest:
    import yaml
    from pydantic import ValidationError

    from aimindserve.domain.manifest import Manifest

    try:
        text = sys.stdin.read() if file == _STDIN else Path(file).read_text(encoding="utf-8")
        return Manifest.model_validate(yaml.safe_load(text))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}", "Check the path.", code="file_failed") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CommandError(
            f"{file} is not YAML: {error}", "Start from `aimindserve export`.", code="file_invalid"
        ) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        message = f"{file}: {where}: {first['msg']}"
        raise CommandError(message, "Start from `aimindserve export`.", code="file_invalid") from None


def _fit(client: Client, step: Step, wanted: dict[str, DeploymentSpec]) -> FitReport | None:
    """What a new or restarted deployment takes; None where nothing starts."""
    from aimindserve.domain.manifest import StepKind

    starts = step.kind in (StepKind.CREATE, StepKind.RESTART, StepKind.SCALE)
    return client.fit(wanted[step.name]) if starts else None


def _line(step: Step, report: FitReport | None, view: DeploymentView | None) -> dict[str, Any]:
    """One line of the plan. ``seconds``: how long the last start took, where replicas restart."""
    from aimindserve.domain.manifest import StepKind

    restarts = step.kind is StepKind.RESTART and view is not None
    return {
        **step.model_dump(mode="json"),
        "verdict": report.verdict if report else None,
        "memory_high": report.memory_high if report else None,
        "reasons": [why.message for why in report.reasons] if report else [],
        "replicas_restarting": len(view.replicas) if restarts and view else 0,
        "seconds": _start_seconds(view) if restarts and view else None,
    }


def _start_seconds(view: DeploymentView) -> float | None:
    times = [replica.timeline[-1].at - replica.timeline[0].at for replica in view.replicas if len(replica.timeline) > 1]
    return max(times, default=None)


def _show(lines: list[dict[str, Any]], output: Format) -> None:
    from aimindserve.domain.units import format_bytes

    if output is Format.JSON:
        print_json({"steps": lines})
        return
    rows = [
        (
            line["name"],
            line["kind"],
            ", ".join(line["changes"]) or "-",
            format_bytes(line["memory_high"]) if line["memory_high"] else "-",
            line["verdict"] or "-",
            f"{line['replicas_restarting']} restart" + (f", {line['seconds']:.0f} s each" if line["seconds"] else "")
            if line["replicas_restarting"]
            else "-",
        )
        for line in lines
    ]
    print_table(("NAME", "STEP", "CHANGES", "MEMORY", "FIT", "DOWNTIME"), rows)
    for line in lines:
        for reason in line["reasons"]:
            typer.echo(f"{line['name']}: {reason}", err=True)


def _do(client: Client, step: Step, wanted: dict[str, DeploymentSpec], views: dict[str, DeploymentView]) -> None:
    from aimindserve.domain.manifest import StepKind, patch_to

    if step.kind is StepKind.CREATE:
        client.deploy(wanted[step.name])
    elif step.kind is StepKind.DELETE:
        client.delete_deployment(step.name)
    elif step.kind is not StepKind.KEEP:
        client.edit_deployment(step.name, patch_to(wanted[step.name], views[step.name].spec), views[step.name].revision)
