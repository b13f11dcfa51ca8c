"""``aimindserve catalog …``: model families worth serving, and what of them fits."""

from __future__ import annotations

import shlex
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from aimindserve.cli.connection import connect
from aimindserve.cli.output import DataDir, Format, Output, print_facts, print_model, print_table

if TYPE_CHECKING:
    from aimindserve.domain.views_catalog import CatalogCardView, CatalogVariantView

app = typer.Typer(help="Look through the catalog of models.", no_args_is_help=True, rich_markup_mode=None)


class Capability(StrEnum):
    """What ``--capability`` takes."""

    CHAT = "chat"
    VISION = "vision"
    AUDIO = "audio"
    TOOLS = "tools"
    THINKING = "thinking"
    EMBEDDING = "embedding"
    RERANK = "rerank"


class HubName(StrEnum):
    """What ``--source`` takes."""

    HF = "hf"
    MS = "ms"


Source = Annotated[HubName, typer.Option("--source", help="hf: Hugging Face, ms: ModelScope.")]


@app.command("ls", epilog="Example: aimindserve catalog ls --capability vision --fits")
def list_families(
    text: Annotated[str, typer.Argument(help="Words of a name or a description.")] = "",
    capability: Annotated[Capability | None, typer.Option(help="Only what can do this.")] = None,
    fits: Annotated[bool, typer.Option("--fits", help="Only what fits the machines now.")] = False,
    source: Source = HubName.HF,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Show model families, with the variant of each that suits the machines best."""
    from aimindserve.domain.views_catalog import CatalogQuery

    given = {"q": text, "capability": capability, "fits": fits, "source": source}
    with connect(data_dir) as client:
        found = client.catalog(CatalogQuery.model_validate(given))
    if output is Format.JSON:
        print_model(found)
    elif not found.items:
        typer.echo("Nothing in the catalog is like that. Try fewer words, or without --fits.")
    else:
        print_table(("NAME", "CAN", "FITS", "BEST", "SIZE", "WHY"), (_family_row(card) for card in found.items))


def _family_row(card: CatalogCardView) -> tuple[str, ...]:
    from aimindserve.domain.units import format_bytes

    best = next(variant for variant in card.variants if variant.id == card.best)
    return card.name, ",".join(card.capabilities), card.fit, card.best, format_bytes(best.download), card.why


@app.command(epilog="Example: aimindserve catalog show qwen3-vl")
def show(
    name: Annotated[str, typer.Argument(help="A family, as `catalog ls` calls it.")],
    source: Source = HubName.HF,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Show a family: its variants, which of them fit, and the command that deploys the best one."""
    with connect(data_dir) as client:
        card = client.catalog_card(name, source.value)
    if output is Format.JSON:
        print_model(card)
        return
    best = next(variant for variant in card.variants if variant.id == card.best)
    print_facts(
        [
            ("Family", f"{card.title} ({card.publisher})"),
            ("About", card.description),
            ("Note", card.notes),
            ("Can", ", ".join(card.capabilities)),
            ("Licence", f"{card.license}{' (to be accepted on the hub)' if card.gated else ''}"),
            ("Best", f"{card.best}: {card.why}"),
            ("Deploy", _command(best)),
        ]
    )
    typer.echo()
    print_table(("VARIANT", "SIZE", "CONTEXT", "ENGINE", "FITS"), (_variant_row(item) for item in card.variants))


def _command(variant: CatalogVariantView) -> str:
    arguments = f" -- {shlex.join(variant.arguments)}" if variant.arguments else ""
    return f"aimindserve deploy {shlex.quote(variant.source)}{arguments}"


def _variant_row(variant: CatalogVariantView) -> tuple[str, ...]:
    from aimindserve.cli.fit_text import mark_text
    from aimindserve.domain.units import format_bytes

    engine = f"{variant.engine}{variant.engine_versions or ''}"
    fits = mark_text(variant)
    return variant.id, format_bytes(variant.download), str(variant.context_length or ""), engine, fits
