"""``aimindserve fit``: whether a model fits, where and how, before any download. Needs no running server."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from aimindserve.cli.output import CommandError, DataDir, Format, Output, language, print_model

if TYPE_CHECKING:
    from aimindserve.domain.facts import Hub
    from aimindserve.domain.files import HubAccess
    from aimindserve.domain.nodes import NodeFacts
    from aimindserve.domain.specs import DeploymentSpec
    from aimindserve.domain.views_fit import FitReport
    from aimindserve.server.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: aimindserve fit hf://Qwen/Qwen2-VL-7B-Instruct --gpu RTX4090-24GB:2")(fit)


def fit(
    source: Annotated[str, typer.Argument(help="demo://tiny-vlm, a path of a .gguf file or folder, hf://org/repo …")],
    parameters: Annotated[
        list[str] | None, typer.Argument(metavar="[-- ENGINE PARAMETERS…]", help="Passed to the engine.")
    ] = None,
    gpu: Annotated[
        list[str] | None,
        typer.Option(
            "--gpu", help="A card, CARD:N for several, or NAME=BYTES; repeat it at need. Default: this machine."
        ),
    ] = None,
    engine: Annotated[str, typer.Option(help="auto, llama.cpp or vllm.")] = "auto",
    engine_version: Annotated[str | None, typer.Option(help="Version of the engine. Default: chosen.")] = None,
    replicas: Annotated[int, typer.Option(help="Running copies.")] = 1,
    projector: Annotated[
        str | None, typer.Option(help="GGUF projector, a path in the repository; none: text only. Default: found.")
    ] = None,
    cpu: Annotated[
        str, typer.Option(help="Use the CPU: auto (where no GPU could hold the model), allow, or never.")
    ] = "auto",
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Tell whether a model fits, in how much memory, with which parameters, and what would make it fit."""
    from aimindserve.cli.local_settings import local_settings
    from aimindserve.cli.specs import spec_from

    spec = spec_from(source, "preview", engine, engine_version, parameters or [], replicas, projector, cpu)
    mirror, offline = os.environ.get("HF_ENDPOINT") or None, os.environ.get("HF_HUB_OFFLINE") or None
    settings = local_settings(data_dir, huggingface_endpoint=mirror, offline=offline)
    machine = _declared(gpu) if gpu else _this_machine(settings)
    report = _report(spec, machine, settings)
    if output is Format.JSON:
        print_model(report)
    else:
        from aimindserve.cli.fit_text import print_fit

        print_fit(report)
    if report.verdict == "no":
        raise typer.Exit(1)


def _declared(cards: list[str]) -> NodeFacts:
    """A machine with the cards that were named."""
    from aimindserve.domain.cards import CardError, machine_with, parse_card

    try:
        return machine_with([parse_card(card) for card in cards], ())
    except CardError as error:
        raise typer.BadParameter(str(error), param_hint="--gpu") from None


def _this_machine(settings: Settings) -> NodeFacts:
    """The devices that are here, or that the settings declare."""
    import socket

    from aimindserve.devices.declared import FleetError
    from aimindserve.devices.machine import DeclaredProbe, MachineProbe
    from aimindserve.domain.nodes import NodeFacts

    try:
        probe = DeclaredProbe(Path(settings.declared_fleet)) if settings.declared_fleet else MachineProbe()
    except FleetError as error:
        raise CommandError(str(error), "Correct the file of --declared-fleet, or leave it out.") from None
    name = socket.gethostname()
    return NodeFacts(node_id=name, hostname=name, boot_id="", devices=tuple(probe()[0]))


def _report(spec: DeploymentSpec, machine: NodeFacts, settings: Settings) -> FitReport:
    """As the server answers ``POST /fit`` for an imagined machine."""
    from aimindserve.domain.reasons import Language, Reason
    from aimindserve.domain.views_fit import FitReport
    from aimindserve.engines._registry import with_assumed_engines
    from aimindserve.server.errors import reason_view
    from aimindserve.server.fit_report import refused_for, report, wants_other_forms
    from aimindserve.server.fit_trials import Stage
    from aimindserve.server.model_facts import code_reason
    from aimindserve.server.other_forms import other_forms
    from aimindserve.sources import Asking, resolve

    wording: Language = "zh" if language() == "zh" else "en"
    access = _access(settings)
    facts = resolve(spec.parsed_source, Asking(access, spec.projector))
    if isinstance(facts, Reason):
        return FitReport(verdict="no", reasons=(reason_view(facts, wording),))
    stage = Stage([with_assumed_engines(machine)], (), settings.llama_threads)
    found = report(spec, facts, stage, wording)
    if wants_other_forms(found):
        choices = other_forms(spec.parsed_source, facts, access)
        found = report(spec, facts, stage, wording, choices)
    return refused_for(found, code_reason(facts), wording)


def _access(settings: Settings) -> HubAccess:
    """How the hubs are reached: as at the last start, with the tokens of the environment or of that start."""
    from aimindserve.domain.files import HubAccess

    return HubAccess(
        endpoints={"hf": settings.huggingface_endpoint, "ms": settings.modelscope_endpoint},
        tokens=_tokens(settings),
        proxy=settings.hub_proxy,
        caches=settings.huggingface_cache,
        offline=settings.offline,
    )


def _tokens(settings: Settings) -> dict[Hub, str]:
    variables: dict[Hub, tuple[str, PurePosixPath]] = {
        "hf": ("HF_TOKEN", settings.paths.huggingface_token),
        "ms": ("MODELSCOPE_API_TOKEN", settings.paths.modelscope_token),
    }
    found: dict[Hub, str] = {}
    for hub, (name, path) in variables.items():
        token = os.environ.get(name) or _kept(Path(path))
        if token:
            found[hub] = token
    return found


def _kept(path: Path) -> str | None:
    """A token that a start gave, where it may be read."""
    try:
        return path.read_text().strip() or None
    except OSError:
        return None
