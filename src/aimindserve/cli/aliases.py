"""``aimindserve alias …``: further public names for models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aimindserve.cli.connection import connect
from aimindserve.cli.output import CommandError, DataDir, Format, Output, print_model, print_models, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aimindserve.domain.views_access import AliasView

app = typer.Typer(
    help="Further names for models: to one, split by weight, with a fallback.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Name = Annotated[str, typer.Argument(help="The public name.")]


@app.command("set", epilog="Example: aimindserve alias set chat qwen2-vl=90 qwen3-vl=10 --fallback tiny-vlm")
def set_alias(
    name: Name,
    targets: Annotated[
        list[str], typer.Argument(metavar="DEPLOYMENT[=WEIGHT]…", help="Where requests go, each by its weight.")
    ],
    fallback: Annotated[
        str | None, typer.Option("--fallback", help="Answers while none of the others can, before the first byte.")
    ] = None,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Make an alias, or have it lead elsewhere."""
    from pydantic import ValidationError

    from aimindserve.domain.aliases import AliasSpec

    try:
        spec = AliasSpec.model_validate({"targets": [_target(text) for text in targets], "fallback": fallback})
    except ValidationError:
        raise CommandError(
            f"An alias cannot lead to {' '.join(targets)}.",
            "Name each deployment once, with a weight from 1 to 1000: old=90 new=10.",
            code="invalid_request",
        ) from None
    with connect(data_dir) as client:
        _show(client.put_alias(name, spec), output)


@app.command("ls", epilog="Example: aimindserve alias ls")
def list_aliases(data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """List the aliases."""
    with connect(data_dir) as client:
        aliases = client.aliases()
    if output is Format.JSON:
        print_models(aliases)
    else:
        _print(aliases)


@app.command("rm", epilog="Example: aimindserve alias rm chat")
def remove(name: Name, data_dir: DataDir = None) -> None:
    """Delete an alias; the deployments stay."""
    with connect(data_dir) as client:
        client.delete_alias(name)
    typer.echo(f"Deleted {name}.")


def _target(text: str) -> dict[str, Any]:
    deployment, _, weight = text.partition("=")
    return {"deployment": deployment, "weight": weight or 1}


def _show(alias: AliasView, output: Format) -> None:
    if output is Format.JSON:
        print_model(alias)
    else:
        _print([alias])


def _print(aliases: Sequence[AliasView]) -> None:
    rows = ((one.name, _shares(one), one.fallback or "-", ", ".join(one.missing) or "-") for one in aliases)
    print_table(("NAME", "LEADS TO", "FALLBACK", "MISSING"), rows)


def _shares(alias: AliasView) -> str:
    whole = sum(target.weight for target in alias.targets)
    return ", ".join(f"{target.deployment} {target.weight / whole:.0%}" for target in alias.targets)
