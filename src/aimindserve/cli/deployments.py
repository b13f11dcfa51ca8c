"""Commands for the life of a deployment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from aimindserve.cli.connection import connect
from aimindserve.cli.output import (
    CommandError,
    DataDir,
    Format,
    Output,
    print_json,
    print_model,
    print_models,
    print_table,
)

if TYPE_CHECKING:
    from aimindserve.client import Client
    from aimindserve.domain.specs import DeploymentSpec
    from aimindserve.domain.views import DeploymentView

Name = Annotated[str, typer.Argument(help="The deployment's name.")]
POLL = 0.5  # seconds between looks at something that changes


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        epilog="Example: aimindserve deploy hf://bartowski/Qwen2-VL-2B-Instruct-GGUF:Q4_K_M --wait -- --ctx-size=4096"
    )(deploy)
    app.command("ls", epilog="Example: aimindserve ls -o json")(list_deployments)
    app.command(epilog="Example: aimindserve show tiny-vlm")(show)
    app.command(epilog="Example: aimindserve logs tiny-vlm -f")(logs)
    app.command(epilog="Example: aimindserve stop tiny-vlm")(stop)
    app.command("start-model", epilog="Example: aimindserve start-model tiny-vlm")(start_model)
    app.command(epilog="Example: aimindserve scale tiny-vlm 2")(scale)
    app.command(epilog="Example: aimindserve rm tiny-vlm --yes")(rm)


def deploy(
    source: Annotated[str, typer.Argument(help="demo://tiny-vlm, a path of a .gguf file or folder, hf://org/repo …")],
    parameters: Annotated[
        list[str] | None, typer.Argument(metavar="[-- ENGINE PARAMETERS…]", help="Passed to the engine.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Public model name. Default: from the source.")] = None,
    engine: Annotated[str, typer.Option(help="auto, llama.cpp or vllm.")] = "auto",
    engine_version: Annotated[str | None, typer.Option(help="Version of the engine. Default: chosen.")] = None,
    replicas: Annotated[int, typer.Option(help="Running copies.")] = 1,
    projector: Annotated[
        str | None, typer.Option(help="GGUF projector, a path in the repository; none: text only. Default: found.")
    ] = None,
    confirm_code: Annotated[
        bool, typer.Option("--confirm-code", help="Allow the Python code that this commit of the model brings.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Return when it is ready (or failed: exit code 1).")] = False,
    cpu: Annotated[
        str, typer.Option(help="Use the CPU: auto (where no GPU could hold the model), allow, or never.")
    ] = "auto",
    label: Annotated[
        list[str] | None, typer.Option("--label", help="Only on machines with this label (NAME=VALUE); repeatable.")
    ] = None,
    min_replicas: Annotated[
        int | None, typer.Option(help="As few as this run while little is asked; 0: none, a request wakes it.")
    ] = None,
    idle: Annotated[
        str | None, typer.Option(help="End a replica that was not needed for so long: 30s, 10m, 2h. Default: 10m.")
    ] = None,
    hold: Annotated[
        int | None, typer.Option(help="Seconds that a request waits for a model that it wakes. Default: 60.")
    ] = None,
    queue: Annotated[
        int | None, typer.Option(help="Requests for each replica from which on one more starts. Default: its slots.")
    ] = None,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Deploy a model."""
    from aimindserve.cli.specs import scaling_from, spec_from

    scaling = scaling_from(min_replicas, idle, hold, queue)
    spec = spec_from(
        source, name, engine, engine_version, parameters or [], replicas, projector, cpu, label or [], scaling
    )
    with connect(data_dir) as client:
        view = _deploy_with_code(client, spec) if confirm_code else client.deploy(spec)
        if wait:
            view = _wait_until_settled(client, view)
    if output is Format.JSON:
        print_model(view)
    else:
        typer.echo(f"Deployed {view.name}: {view.phase}.")
        if view.phase != "ready":
            typer.echo(f"Follow it with: aimindserve show {view.name}")
    if wait and view.phase != "ready":
        raise _not_ready(view)


def _deploy_with_code(client: Client, spec: DeploymentSpec) -> DeploymentView:
    """Deploy; where the model's code is what stands in the way, allow it for the commit in question and try again."""
    from aimindserve.client import ApiError
    from aimindserve.domain.reasons import ReasonCode
    from aimindserve.domain.views_hub import CodeApprovalRequest

    try:
        return client.deploy(spec)
    except ApiError as error:
        if error.problem.code != ReasonCode.REMOTE_CODE_UNCONFIRMED:
            raise
        told = error.problem.params
    names = ("hub", "repository", "revision")
    client.approve_code(CodeApprovalRequest.model_validate({name: told[name] for name in names}))
    typer.echo(f"Allowed {told['files']} of {told['repository']} at commit {told['revision']}.", err=True)
    return client.deploy(spec)


def _wait_until_settled(client: Client, view: DeploymentView) -> DeploymentView:
    """Look until the deployment is ready, failed or will not go on by itself; a terminal shows how far it is."""
    from aimindserve.cli.progress import ProgressLine

    line = ProgressLine()
    try:
        while view.phase not in {"ready", "failed", "stopped", "asleep"}:
            moving = [one.download for one in view.replicas if one.download and one.phase == "downloading"]
            line.show(f"{view.name}: {view.phase}", moving[0] if moving else None)
            time.sleep(POLL)
            view = client.deployment(view.name)
    finally:
        line.end()
    return view


def _not_ready(view: DeploymentView) -> CommandError:
    """Why it is not ready, in the server's words."""
    first = view.reasons[0] if view.reasons else None
    if first is None:
        return CommandError(f"{view.name} is {view.phase}.", f"See aimindserve logs {view.name}")
    return CommandError(f"{view.name}: {first.message}", first.remedy, code=first.code)


def list_deployments(data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """List deployments."""
    with connect(data_dir) as client:
        views = client.deployments()
    if output is Format.JSON:
        print_models(views)
        return
    if not views:
        typer.echo("Nothing is deployed yet. Try: aimindserve deploy demo://tiny-vlm")
        return
    rows = (
        (
            view.name,
            view.phase,
            f"{view.replicas_ready}/{view.spec.replicas}",
            view.plan.engine if view.plan else view.spec.engine,
            view.spec.source,
            view.reasons[0].message if view.reasons and view.phase != "ready" else "",
        )
        for view in views
    )
    print_table(("NAME", "PHASE", "READY", "ENGINE", "SOURCE", "REASON"), rows)


def show(name: Name, data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """Show a deployment: its plan, its replicas, and why it stands where it stands."""
    with connect(data_dir) as client:
        view = client.deployment(name)
        if output is Format.JSON:
            print_model(view)
            return
        memory = client.deployment_memory(name)
    from aimindserve.cli.deployment_text import print_deployment, print_memory

    print_deployment(view)
    print_memory(memory)


def logs(
    name: Name,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as the log grows.")] = False,
    replica: Annotated[str | None, typer.Option(help="Id of a replica. Default: the newest.")] = None,
    attempt: Annotated[int | None, typer.Option(help="Which start of the engine. Default: the latest.")] = None,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Print the engine's log."""
    with connect(data_dir) as client:
        replica_id = replica or _newest_replica(client, name)
        offset = 0
        while True:
            piece = client.log(replica_id, attempt=attempt, offset=offset)
            if output is Format.JSON:
                print_model(piece)
            else:
                typer.echo(piece.text, nl=False)
            at_end = piece.next_offset >= piece.size
            if at_end and (piece.complete or not follow):
                return
            # One attempt's log to its end: a restart in between must not mix two of them.
            offset, attempt = piece.next_offset, piece.attempt
            if at_end:
                time.sleep(POLL)


def _newest_replica(client: Client, name: str) -> str:
    """The id of the deployment's newest replica."""
    view = client.deployment(name)
    if not view.replicas:
        raise CommandError(
            f"{name} has no replica, so there is no log yet.",
            f"See why with `aimindserve show {name}`; start it with `aimindserve start-model {name}`.",
            code="no_replica",
        )
    return max(view.replicas, key=lambda one: one.created_at).id


def _act(name: str, action: str, data_dir: str | None, output: Format) -> None:
    """Send one action and say where the deployment stands."""
    with connect(data_dir) as client:
        view = client.act(name, action)
    _print_standing(view, output)


def _print_standing(view: DeploymentView, output: Format) -> None:
    if output is Format.JSON:
        print_model(view)
    else:
        typer.echo(f"{view.name}: {view.phase}")


def stop(name: Name, data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """Stop a deployment; it stays known and keeps its settings."""
    _act(name, "stop", data_dir, output)


def start_model(name: Name, data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """Start a stopped deployment."""
    _act(name, "start", data_dir, output)


def scale(
    name: Name,
    replicas: Annotated[int, typer.Argument(min=0, max=64, help="Running copies wanted.")],
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Set the number of running copies."""
    with connect(data_dir) as client:
        view = client.scale(name, replicas)
    _print_standing(view, output)


def rm(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Delete a deployment and stop its replicas. Model files stay."""
    import sys

    with connect(data_dir) as client:
        if not yes and sys.stdin.isatty():
            count = len(client.deployment(name).replicas)
            typer.confirm(f"Delete the deployment {name} and stop its {count} replica(s)? Model files stay", abort=True)
        client.delete_deployment(name)
    if output is Format.JSON:
        print_json({"deleted": name})
    else:
        typer.echo(f"Deleted {name}. Its model files were left alone.")
