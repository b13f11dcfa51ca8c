"""A deployment on the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from aimindserve.cli.output import print_facts, print_table
from aimindserve.domain.sight import SightOutcome
from aimindserve.domain.units import format_bytes

if TYPE_CHECKING:
    from aimindserve.domain.sight import Sight
    from aimindserve.domain.views import DeploymentView, MemoryHistoryView, ReasonView, ReplicaView, UnderWayView

_SIGHT = {
    SightOutcome.PASSED: "seen",
    SightOutcome.CONTENT_WRONG: "answers, content wrong",
    SightOutcome.FAILED: "no answer",
}


def print_deployment(view: DeploymentView) -> None:
    """Facts, reasons with remedies, replicas and parameters with their origin."""
    print_facts(
        [
            ("Name", view.name),
            ("Phase", f"{view.phase} ({view.replicas_ready} of {view.spec.replicas} ready)"),
            ("Source", view.spec.source),
            ("Engine", view.plan.engine if view.plan else view.spec.engine),
            ("Model", " ".join(part for part in (view.architecture, view.quantization) if part)),
            ("Context", f"{view.context_length} tokens" if view.context_length else ""),
            ("Can", ", ".join(view.capabilities)),
            ("Memory", format_bytes(view.plan.memory_total) if view.plan else ""),
            ("Created", _moment(view.created_at)),
            ("Actions", ", ".join(view.allowed_actions)),
        ]
    )
    _print_reasons(view.reasons)
    if view.offer is not None:
        typer.echo(f"\n? {view.offer.message}")
    _print_replicas(view.replicas)
    if view.plan and view.plan.parameters:
        typer.echo("\nParameters")
        rows = ((p.flag, p.value or "", p.origin, p.why) for p in view.plan.parameters)
        print_table(("FLAG", "VALUE", "ORIGIN", "WHY"), rows)


def print_memory(history: MemoryHistoryView) -> None:
    """What the latest start took beside what was estimated, and how starts correct the estimate."""
    latest = next(iter(history.starts), None)
    if latest is None:
        return
    typer.echo(f"\nMemory of the start at {_moment(latest.at)} ({latest.engine} {latest.engine_version})")
    rows = (
        (
            item.item,
            item.device_id,
            "" if item.estimated is None else format_bytes(item.estimated),
            "" if item.high is None else format_bytes(item.high),
            format_bytes(item.measured),
        )
        for item in latest.items
    )
    print_table(("ITEM", "DEVICE", "ESTIMATED", "AT MOST", "MEASURED"), rows)
    for one in history.corrections:
        percent = (one.factor - 1) * 100
        typer.echo(f"{one.item}: {percent:+.1f} % by {one.starts} measured starts of {one.engine} {one.engine_version}")


def _print_reasons(reasons: Iterable[ReasonView]) -> None:
    for reason in reasons:
        typer.echo(f"\n! {reason.message}")
        if reason.remedy:
            typer.echo(f"  {reason.remedy}")


def _print_replicas(replicas: tuple[ReplicaView, ...]) -> None:
    if not replicas:
        return
    typer.echo("\nReplicas")
    rows = (
        (
            one.id,
            one.phase,
            one.node or "",
            str(one.pid or ""),
            str(one.attempt),
            format_bytes(sum(claim.bytes for claim in one.claims)) if one.claims else "",
            one.reasons[0].message if one.reasons and one.phase != "ready" else "",
        )
        for one in replicas
    )
    print_table(("ID", "PHASE", "NODE", "PID", "ATTEMPT", "MEMORY", "REASON"), rows)
    for one in replicas:
        for line in one.evidence:
            typer.echo(f"  | {line}")
        if one.sight is not None:
            _print_sight(one.id, one.sight)
        if one.under_way is not None:
            _print_under_way(one.id, one.under_way)
        if len(one.timeline) > 1:
            typer.echo(f"\nStart of {one.id}")
            _print_timeline(one)


def _print_sight(replica_id: str, sight: Sight) -> None:
    """What the pictures proved that the replica was asked about at its start."""
    typer.echo(f"\nPictures of {replica_id}: {_SIGHT[sight.outcome]}")
    for check in sight.checks:
        typer.echo(f"  {'+' if check.right else '-'} {check.kind}: {check.shown}, answered “{check.answer}”")


def _print_under_way(replica_id: str, what: UnderWayView) -> None:
    """What the start waits for, how long by now, and how long it takes usually."""
    usual = "" if what.usual_seconds is None else f", usually {what.usual_seconds:.0f} s"
    share = "" if what.share is None else f", {what.share:.0%}"
    left = "" if what.seconds_left is None else f"; ready in about {what.seconds_left:.0f} s"
    typer.echo(f"\nUnder way in {replica_id}: {what.stage} for {what.seconds:.0f} s{usual}{share}{left}")


def _print_timeline(replica: ReplicaView) -> None:
    """When each step of the start was reached, in seconds after the first."""
    marks = sorted(replica.timeline, key=lambda mark: mark.at)
    for mark in marks:
        typer.echo(f"  +{mark.at - marks[0].at:6.1f} s  {mark.stage}")


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
