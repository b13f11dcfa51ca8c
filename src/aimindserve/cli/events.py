"""``aimindserve events …``: the audit trail, to read and to take along."""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from aimindserve.cli.connection import connect
from aimindserve.cli.output import DataDir, Format, Output, print_json, print_models, print_table, refusal

if TYPE_CHECKING:
    from aimindserve.client import Client
    from aimindserve.domain.views import EventView

app = typer.Typer(help="What happened, and who did it: the audit trail.", no_args_is_help=True, rich_markup_mode=None)
_COLUMNS = ("id", "time", "kind", "subject", "actor", "deployment", "data")
# A spreadsheet takes text that begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PAGE = 1000


class ExportFormat(StrEnum):
    """What an export looks like."""

    JSON = "json"
    CSV = "csv"


Deployment = Annotated[str | None, typer.Option("--deployment", help="Only events of this deployment.")]


@app.command("ls", epilog="Example: aimindserve events ls --limit 20")
def list_events(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many of the latest.")] = 50,
    deployment: Deployment = None,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """List the latest events, oldest first."""
    with connect(data_dir) as client:
        events = client.events(limit=limit, deployment=deployment)
    if output is Format.JSON:
        print_models(events)
    else:
        rows = ((_time(event.at), event.kind, event.subject, event.actor) for event in events)
        print_table(("TIME", "KIND", "SUBJECT", "ACTOR"), rows)


@app.command(epilog="Example: aimindserve events export --format csv audit.csv")
def export(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Where to. Default: standard output.")] = None,
    form: Annotated[
        ExportFormat, typer.Option("--format", help="json: one object a line; csv: for spreadsheets.")
    ] = ExportFormat.JSON,
    deployment: Deployment = None,
    after: Annotated[int, typer.Option(min=0, help="Only events with a higher id: go on from the last export.")] = 0,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Write all events, oldest first: changes, logins and refusals, with who did it. Secrets are in none of them."""
    count, last = 0, after
    with connect(data_dir) as client, _opened(file) as stream:
        writer = csv.writer(stream) if form is ExportFormat.CSV else None
        if writer is not None:
            writer.writerow(_COLUMNS)
        for event in _all(client, after, deployment):
            if writer is not None:
                writer.writerow([_cell(value) for value in _values(event)])
            else:
                stream.write(json.dumps(event.model_dump(mode="json"), ensure_ascii=False) + "\n")
            count, last = count + 1, event.id
    if file is not None and output is Format.JSON:
        print_json({"file": str(file), "events": count, "last_id": last})
    elif file is not None:
        typer.echo(f"{count} event(s) are in {file}; go on later with --after {last}")


@contextmanager
def _opened(file: Path | None) -> Iterator[IO[str]]:
    """The file, closed to others; or standard output."""
    from aimindserve.domain.reasons import ReasonCode, reason

    if file is None:
        yield sys.stdout
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise refusal(reason(ReasonCode.FILE_FAILED, path=str(file), detail=error.strerror or str(error))) from None
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
        yield stream


def _all(client: Client, after: int, deployment: str | None) -> Iterator[EventView]:
    """Page by page, so that a long history costs no memory."""
    while page := client.events(limit=_PAGE, after=after, deployment=deployment):
        yield from page
        after = page[-1].id


def _values(event: EventView) -> tuple[object, ...]:
    data = json.dumps(event.data, ensure_ascii=False, sort_keys=True)
    return event.id, _time(event.at), event.kind, event.subject, event.actor, event.deployment or "", data


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
