"""``aimindserve key …``: API keys."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from aimindserve.cli.connection import connect
from aimindserve.cli.output import (
    DataDir,
    Format,
    Output,
    print_facts,
    print_json,
    print_model,
    print_models,
    print_table,
)

app = typer.Typer(help="Make, list, change and delete API keys.", no_args_is_help=True, rich_markup_mode=None)

_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def parse_duration(text: str) -> int:
    """Seconds of ``90m``, ``12h``, ``30d`` or ``4w``."""
    match = re.fullmatch(r"(\d+)([mhdw])", text.strip())
    if match is None:
        raise typer.BadParameter("write 90m, 12h, 30d or 4w")
    return int(match[1]) * _UNITS[match[2]]


PerMinute = Annotated[int | None, typer.Option("--requests-per-minute", min=1, help="Requests in any 60 seconds.")]
TokensPerMinute = Annotated[
    int | None, typer.Option("--tokens-per-minute", min=1, help="Tokens of prompts and answers in any 60 seconds.")
]
ImagesPerMinute = Annotated[int | None, typer.Option("--images-per-minute", min=1, help="Pictures in any 60 seconds.")]
Concurrent = Annotated[
    int | None, typer.Option("--concurrent", min=1, help="Requests that run at once; more of them wait.")
]
PerMonth = Annotated[int | None, typer.Option("--tokens-per-month", min=1, help="Tokens in a calendar month (UTC).")]
NetworkOption = Annotated[
    list[str] | None, typer.Option("--network", help="Only from here (10.0.0.0/8); repeat for several.")
]


@app.command(epilog="Example: aimindserve key create my-laptop --model tiny-vlm --expires 30d")
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="inference, management or metrics; repeat for several.")
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only this model; repeat for several. Default: all.")] = None,
    expires: Annotated[str | None, typer.Option(help="Lifetime: 90m, 12h, 30d, 4w. Default: never.")] = None,
    network: NetworkOption = None,
    requests_per_minute: PerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    images_per_minute: ImagesPerMinute = None,
    concurrent: Concurrent = None,
    tokens_per_month: PerMonth = None,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Make an API key and show it, this once."""
    from aimindserve.domain.access import Scope
    from aimindserve.domain.views_access import KeyRequest

    unknown = sorted(set(scope or ()) - set(Scope))
    if unknown:
        raise typer.BadParameter(f"no scope {unknown[0]!r}: inference, management or metrics", param_hint="--scope")
    given: dict[str, Any] = {
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "images_per_minute": images_per_minute,
        "concurrent": concurrent,
        "tokens_per_month": tokens_per_month,
    }
    request = KeyRequest(
        name=name,
        scopes=tuple(Scope(one) for one in scope or ("inference",)),
        models=tuple(model) if model else None,
        expires_in=parse_duration(expires) if expires else None,
        **_restrictions(network, given),
    )
    with connect(data_dir) as client:
        created = client.create_key(request)
    if output is Format.JSON:
        print_model(created)
        return
    print_facts([("id", created.id), ("key", created.token)])
    typer.echo("Keep it safe: it is not shown again.", err=True)


def _restrictions(networks: list[str] | None, limits: dict[str, Any]) -> dict[str, Any]:
    """The fields that are sent about them: none when nothing is restricted."""
    from aimindserve.domain.access import parse_networks
    from aimindserve.domain.views_access import LimitsView

    fields: dict[str, Any] = {}
    try:
        parse_networks(networks or ())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--network") from error
    if networks:
        fields["networks"] = tuple(networks)
    set_ones = {name: value for name, value in limits.items() if value is not None}
    return fields | ({"limits": LimitsView(**set_ones)} if set_ones else {})


@app.command("ls", epilog="Example: aimindserve key ls")
def list_keys(data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """List API keys, without their secrets."""
    with connect(data_dir) as client:
        keys = client.keys()
    if output is Format.JSON:
        print_models(keys)
        return
    print_table(
        ("ID", "NAME", "SCOPES", "MODELS", "OWNER", "EXPIRES", "LAST USED", "STATE"),
        (
            (
                key.id,
                key.name,
                ",".join(key.scopes),
                "all" if key.models is None else ",".join(key.models),
                key.owner,
                _day(key.expires_at, "never"),
                _day(key.last_used_at, "never"),
                "disabled" if key.disabled else "on",
            )
            for key in keys
        ),
    )


@app.command("rm", epilog="Example: aimindserve key rm k3f9q2m7x1ab")
def remove(
    key_id: Annotated[str, typer.Argument(help="The key's id, as `key ls` shows it.")],
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Delete an API key; it stops working at once."""
    with connect(data_dir) as client:
        client.delete_key(key_id)
    if output is Format.JSON:
        print_json({"deleted": key_id})
    else:
        typer.echo(f"Deleted key {key_id}.")


def _day(at: float | None, absent: str) -> str:
    """A date and time in UTC."""
    return absent if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
