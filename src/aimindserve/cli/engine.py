"""``aimindserve engine …``: versions of engines on the nodes."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aimindserve.cli.connection import connect
from aimindserve.cli.deployments import POLL
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
    from collections.abc import Sequence

    from aimindserve.client import Client
    from aimindserve.domain.environments import NamedEngine
    from aimindserve.domain.views_engines import EnvironmentRef, EnvironmentView

app = typer.Typer(
    help="Engines on the nodes: versions side by side, installed, registered, removed.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Node = Annotated[str | None, typer.Option("--node", help="Id or host name, where there are several.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Return when it is done (or failed: exit code 1).")]
Which = Annotated[str, typer.Argument(metavar="ENGINE", help="Key, or NAME==VERSION, as `engine ls` shows it.")]


@app.command("ls", epilog="Example: aimindserve engine ls")
def list_engines(node: Node = None, data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """List the engines that nodes have or install, and those that could be installed."""
    from aimindserve.domain.units import format_bytes

    with connect(data_dir) as client:
        view = client.engines()
    items = [item for item in view.items if node in (None, item.node, item.node_id)]
    if output is Format.JSON:
        print_model(view.model_copy(update={"items": tuple(items)}))
        return
    print_table(("KEY", "ENGINE", "VERSION", "FOR", "STATE", "SIZE", "NODE", "USED BY"), (_row(one) for one in items))
    for item in items:
        for why in item.reasons:
            typer.echo(f"\n! {item.key}: {why.message}\n  {why.remedy}")
    there = {(one.engine, one.version, one.variant) for one in items}
    rows = [
        (offer.name, format_bytes(offer.size), f"CUDA {offer.cuda}, driver {offer.driver}" if offer.cuda else "")
        for offer in view.offers
        if (offer.engine, offer.version, offer.variant) not in there
    ]
    if rows:
        typer.echo("\nCan be installed: aimindserve engine install NAME")
        print_table(("NAME", "TO FETCH", "NEEDS"), rows)


def _row(item: EnvironmentView) -> tuple[str, ...]:
    from aimindserve.domain.units import format_bytes

    state = "removing" if item.removing else str(item.state)
    if item.progress and item.state == "fetching" and item.progress.total:
        state += f" {100 * item.progress.done / item.progress.total:.0f} %"
    size = format_bytes(item.size) if item.size is not None else ""
    name = item.engine if item.origin == "installed" else f"{item.engine} ({item.origin})"
    return item.key, name, item.version, item.variant, state, size, item.node, ", ".join(item.used_by)


@app.command(epilog="Example: aimindserve engine install vllm==0.33.0")
def install(
    name: Annotated[str, typer.Argument(metavar="NAME==VERSION", help="Such as vllm==0.33.0 or vllm==0.32.0+cpu.")],
    node: Annotated[
        list[str] | None, typer.Option("--node", help="Id or host name; again for more. Default: all.")
    ] = None,
    wheels: Annotated[
        Path | None, typer.Option("--wheels", help="Folder on the node that holds all wheels; nothing is fetched.")
    ] = None,
    wait: Wait = True,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Install a version of an engine in an environment of its own. It goes on when this command is ended."""
    from aimindserve.domain.views_engines import InstallRequest

    named = _named(name)
    folder = str(wheels.expanduser().absolute()) if wheels else None
    request = InstallRequest(
        engine=named.engine, version=named.version, variant=named.variant, nodes=tuple(node or ()), wheels=folder
    )
    with connect(data_dir) as client:
        ordered = client.install_engine(request).items
        items = _settled(client, ordered) if wait else _of(client, ordered)
    _say(items, output, "Installing {name}. Follow it with: aimindserve engine ls")
    _fail_unless_ready(items, wait=wait)


def _named(text: str) -> NamedEngine:
    from aimindserve.domain.environments import NamedEngine

    named = NamedEngine.read(text)
    if named is None:
        raise CommandError(
            f"{text} is no engine with a version.",
            "Write vllm==0.33.0. See: aimindserve engine ls",
            code="invalid_request",
        )
    return named


@app.command(epilog="Example: aimindserve engine register vllm /opt/vllm/bin/vllm")
def register(
    engine: Annotated[str, typer.Argument(help="vllm, llama.cpp or llama-box.")],
    path: Annotated[Path, typer.Argument(help="The program on the node: …/bin/vllm, …/llama-server, …/llama-box.")],
    node: Node = None,
    wait: Wait = True,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Let deployments use an engine that you installed yourself. It is asked for its version first."""
    from pydantic import ValidationError

    from aimindserve.domain.views_engines import RegisterRequest

    try:
        request = RegisterRequest(engine=engine, path=str(path.expanduser().absolute()), node=node)
    except ValidationError:
        remedy = "The engines are vllm, llama.cpp and llama-box."
        raise CommandError(f"{engine} cannot be registered.", remedy, code="invalid_request") from None
    with connect(data_dir) as client:
        ordered = client.register_engine(request).items
        items = _settled(client, ordered) if wait else _of(client, ordered)
    _say(items, output, "Checking {name}. Follow it with: aimindserve engine ls")
    _fail_unless_ready(items, wait=wait)


def _of(client: Client, ordered: Sequence[EnvironmentRef]) -> list[EnvironmentView]:
    wanted = {(one.node_id, one.key) for one in ordered}
    return [item for item in client.engines().items if (item.node_id, item.key) in wanted]


def _settled(client: Client, ordered: Sequence[EnvironmentRef]) -> list[EnvironmentView]:
    """The environments once each is ready or failed; a terminal shows how far they are."""
    from aimindserve.cli.progress import ProgressLine

    line = ProgressLine()
    try:
        while True:
            items = _of(client, ordered)
            moving = [item for item in items if item.state not in ("ready", "failed")]
            if items and not moving:
                return items
            for item in moving[:1]:
                if item.progress is not None:
                    line.show(f"{item.key}: {item.state}", item.progress)
            time.sleep(POLL)
    finally:
        line.end()


def _say(items: list[EnvironmentView], output: Format, text: str) -> None:
    if output is Format.JSON:
        print_models(items)
        return
    for item in items:
        done = f"{item.engine} {item.version} ({item.variant}) is there: {item.path}"
        if item.state != "failed":
            typer.echo(done if item.state == "ready" else text.format(name=item.path or item.key))


def _fail_unless_ready(items: list[EnvironmentView], *, wait: bool) -> None:
    for item in items if wait else ():
        if item.state != "ready":
            why = item.reasons[0] if item.reasons else None
            message = why.message if why else f"it is {item.state}"
            raise CommandError(f"{item.key}: {message}", why.remedy if why else "", code=why.code if why else "failed")


@app.command(epilog="Example: aimindserve engine cancel vllm==0.33.0")
def cancel(which: Which, node: Node = None, data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """End an installation, or take a failed one off the list. What was fetched stays for the next try."""
    with connect(data_dir) as client:
        item = _find(client, which, node)
        client.act_on_engine(item.node_id, item.key, "cancel")
    _said(item, "cancel", f"{item.key}: cancelled.", output)


@app.command(epilog="Example: aimindserve engine retry vllm==0.33.0")
def retry(which: Which, node: Node = None, data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """Try a failed installation again."""
    with connect(data_dir) as client:
        item = _find(client, which, node)
        client.act_on_engine(item.node_id, item.key, "retry")
    _said(item, "retry", f"{item.key}: ordered again. Follow it with: aimindserve engine ls", output)


@app.command(epilog="Example: aimindserve engine rm vllm==0.32.0 --yes")
def rm(
    which: Which,
    node: Node = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Remove an engine from a node. A registered program is only taken off the list."""
    with connect(data_dir) as client:
        item = _find(client, which, node)
        if not yes and sys.stdin.isatty():
            typer.confirm(f"Remove {item.engine} {item.version} from {item.node}?", abort=True)
        client.remove_engine(item.node_id, item.key)
    registered = item.origin == "registered"
    text = f"{item.path} is off the list; nothing was deleted." if registered else f"Removing {item.key}."
    _said(item, "forget" if registered else "remove", text, output)


def _said(item: EnvironmentView, action: str, text: str, output: Format) -> None:
    if output is Format.JSON:
        print_json({"key": item.key, "node": item.node_id, "action": action})
    else:
        typer.echo(text)


def _find(client: Client, which: str, node: str | None) -> EnvironmentView:
    """The one environment that a person means."""
    here = [item for item in client.engines().items if node in (None, item.node, item.node_id)]
    found = [item for item in here if which in _names(item)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise CommandError(f"There is no engine {which}.", "See: aimindserve engine ls", code="not_found")
    several = ", ".join(f"{item.key} on {item.node}" for item in found)
    raise CommandError(f"{which} means several: {several}.", "Name the key, and --node.", code="ambiguous")


def _names(item: EnvironmentView) -> tuple[Any, ...]:
    version = f"{item.engine}=={item.version}"
    return item.key, item.path, version, f"{version}+{item.variant}"
