"""A fit report on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from aimindserve.cli.output import print_facts, print_table
from aimindserve.domain.units import format_bytes

if TYPE_CHECKING:
    from aimindserve.domain.views_catalog import CatalogVariantView
    from aimindserve.domain.views_fit import FitReport, PlacementView
    from aimindserve.domain.views_hub import ChoiceView

_VERDICTS = {"fits": "It fits.", "waits": "It waits until memory is free.", "no": "It cannot run as it is."}
_LEVELS = {"whole": "the whole model", "partly": "a part of the model", "cpu": "on the CPU"}


def mark_text(shown: CatalogVariantView | ChoiceView) -> str:
    """How a variant or a choice fits, in a cell: what it would claim and where it would lie, or why it does not."""
    held = format_bytes(shown.memory_high) if shown.memory_high else ""
    where = _LEVELS[shown.level] if shown.level and shown.level != "whole" else ""
    told = shown.fit_message or ", ".join(filter(None, (held, where)))
    return ": ".join(filter(None, (shown.fit, told)))


def print_fit(report: FitReport) -> None:
    """Verdict, places, memory item by item, parameters, what would make it fit."""
    typer.echo(_VERDICTS[report.verdict])
    for reason in report.reasons:
        typer.echo(f"\n! {reason.message}")
        if reason.remedy:
            typer.echo(f"  {reason.remedy}")
    if report.engine is None:
        return
    typer.echo("")
    print_facts(
        [
            ("Engine", " ".join(part for part in (report.engine, report.engine_version) if part)),
            ("", report.engine_why or ""),
            ("Model", report.architecture or ""),
            ("Can", ", ".join(report.capabilities)),
            ("Context", f"{report.context_length} tokens" if report.context_length else ""),
            ("Memory", _memory(report)),
        ]
    )
    for place in report.placements:
        _print_place(place)
    for note in report.notes:
        typer.echo(f"\n! {note.message}\n  {note.remedy}")
    _print_details(report)
    _print_alternatives(report)


def _memory(report: FitReport) -> str:
    each = f" on each of {report.gpus} GPUs" if report.gpus > 1 else ""
    beside = f", {format_bytes(report.host_high)} beside" if report.host_high else ""
    likely = f" ({format_bytes(report.memory_total)} likely)"
    return f"{format_bytes(report.memory_high)}{each}{beside}{likely}{'' if report.certain else ', a wide guess'}"


def _print_place(place: PlacementView) -> None:
    typer.echo(f"\nOn {place.node}: {_LEVELS[place.level]}")
    devices = [*place.devices, *([place.host] if place.host else [])]
    rows = (
        (
            device.device,
            format_bytes(device.bytes),
            format_bytes(device.before + device.foreign),
            format_bytes(device.after + device.foreign),
            format_bytes(device.allocatable),
        )
        for device in devices
    )
    print_table(("DEVICE", "TAKES", "BEFORE", "AFTER", "OF"), rows)


def _print_details(report: FitReport) -> None:
    typer.echo("\nMemory")
    items = (
        (item.item, format_bytes(item.bytes), format_bytes(item.high), item.place, item.why) for item in report.memory
    )
    print_table(("ITEM", "LIKELY", "AT MOST", "PLACE", "WHY"), items)
    for item in report.memory:
        for told in item.corrections:
            typer.echo(f"{item.item}: {told}")
    typer.echo("\nParameters")
    print_table(
        ("FLAG", "VALUE", "ORIGIN", "WHY"), ((p.flag, p.value or "", p.origin, p.why) for p in report.parameters)
    )


def _print_alternatives(report: FitReport) -> None:
    if report.alternatives:
        typer.echo("\nWhat would make it fit")
    for change in report.alternatives:
        typer.echo(f"- {change.message}")
        given = change.patch.get("parameters")
        if isinstance(given, list):
            typer.echo(f"  -- {' '.join(map(str, given))}")
        if "source" in change.patch:
            typer.echo(f"  {change.patch['source']}")
