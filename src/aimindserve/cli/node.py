"""``aimindserve node …``: machines, their labels, and emptying one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aimindserve.cli.connection import connect
from aimindserve.cli.output import CommandError, DataDir, Format, Output, print_model, print_models, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aimindserve.domain.views_nodes import NodeView

app = typer.Typer(help="Machines: what they have, their labels, draining.", no_args_is_help=True, rich_markup_mode=None)
Which = Annotated[str, typer.Argument(metavar="NODE", help="Id or host name, as `node ls` shows it.")]


@app.command("ls", epilog="Example: aimindserve node ls")
def list_nodes(data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """List the machines."""
    with connect(data_dir) as client:
        nodes = client.nodes()
    if output is Format.JSON:
        print_models(nodes)
    else:
        rows = ((node.id, node.hostname, _state(node), str(_gpus(node)), _labels(node)) for node in nodes)
        print_table(("ID", "HOST", "STATE", "GPUS", "LABELS"), rows)


@app.command(epilog="Example: aimindserve node label gpu-1 room=lab disk-")
def label(
    node: Which,
    labels: Annotated[list[str], typer.Argument(metavar="NAME=VALUE…", help="NAME- takes a label back.")],
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Give labels to a machine; a deployment's wish `placement.labels` asks for them. What runs there stays."""
    from pydantic import ValidationError

    from aimindserve.domain.views_nodes import NodePatch

    try:
        patch = NodePatch.model_validate({"labels": _parsed(labels)})
    except ValidationError:
        raise CommandError(
            f"These are no labels: {' '.join(labels)}",
            "Write room=lab, or room- to take it back: letters, digits, dots, dashes and underscores.",
            code="invalid_request",
        ) from None
    with connect(data_dir) as client:
        _show(client.label_node(node, patch), output)


@app.command(epilog="Example: aimindserve node drain gpu-1")
def drain(node: Which, data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """Empty a machine: no new replicas, and each is stopped once another is ready elsewhere in its place."""
    with connect(data_dir) as client:
        _show(client.act_on_node(node, "drain"), output)


@app.command(epilog="Example: aimindserve node undrain gpu-1")
def undrain(node: Which, data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """Let a machine take replicas again."""
    with connect(data_dir) as client:
        _show(client.act_on_node(node, "undrain"), output)


def _parsed(words: Sequence[str]) -> dict[str, str | None]:
    parts = (word.partition("=") for word in words)
    return {name if sign else name.removesuffix("-"): value if sign else None for name, sign, value in parts}


def _show(node: NodeView, output: Format) -> None:
    if output is Format.JSON:
        print_model(node)
    else:
        typer.echo(f"{node.hostname}: {_state(node)}. Labels: {_labels(node) or 'none'}.")
        running = {holder.replica_id for device in node.devices for holder in device.holders}
        if node.drained_at is not None and running:
            typer.echo(f"{len(running)} replica(s) run there until others are ready elsewhere: aimindserve ls")


def _state(node: NodeView) -> str:
    if not node.alive:
        return "unreachable"
    return "ready" if node.drained_at is None else "drained"


def _gpus(node: NodeView) -> int:
    return sum(one.device.kind != "cpu" for one in node.devices)


def _labels(node: NodeView) -> str:
    from aimindserve.domain.nodes import labels_text

    return labels_text(node.labels)
