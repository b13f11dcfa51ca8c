"""``aimindserve key …``: API keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from aimindserve.cli.connection import connect
from aimindserve.cli.durations import parse_duration
from aimindserve.cli.limits import (
    Concurrent,
    ImagesPerMinute,
    NoLimits,
    PerMinute,
    PerMonth,
    TokensPerMinute,
    changed_limits,
    limits_text,
)
from aimindserve.cli.output import (
    CommandError,
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


@app.command(epilog="Example: aimindserve key edit k3f9q2m7x1ab --model tiny-vlm --requests-per-minute 60")
def edit(
    key_id: Annotated[str, typer.Argument(help="The key's id, as `key ls` shows it.")],
    name: Annotated[str | None, typer.Option(help="What the key is for.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only this model; repeat for several.")] = None,
    all_models: Annotated[bool, typer.Option("--all-models", help="All models.")] = False,
    expires: Annotated[str | None, typer.Option(help="From now: 90m, 12h, 30d, 4w; never.")] = None,
    network: NetworkOption = None,
    disable: Annotated[bool | None, typer.Option("--disable/--enable", help="Keep it out, or let it in again.")] = None,
    requests_per_minute: PerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    images_per_minute: ImagesPerMinute = None,
    concurrent: Concurrent = None,
    tokens_per_month: PerMonth = None,
    no_limits: NoLimits = False,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Change what a key may do, at once; what is not named stays."""
    from aimindserve.domain.views_access import KeyPatch

    limits = {
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "images_per_minute": images_per_minute,
        "concurrent": concurrent,
        "tokens_per_month": tokens_per_month,
    }
    fields: dict[str, Any] = {
        name: value for name, value in (("name", name), ("disabled", disable)) if value is not None
    }
    if model or all_models:
        fields["models"] = tuple(model) if model else None
    if expires:
        fields["expires_in"] = None if expires == "never" else parse_duration(expires)
    fields |= _restrictions(network, {})
    with connect(data_dir) as client:
        known = client.keys()
        current = next((one for one in known if one.id == key_id), None)
        if current is None:
            raise CommandError(f"There is no key {key_id}.", "See `aimindserve key ls`.", code="not_found")
        fields |= changed_limits(current.limits, limits, none_else=no_limits)
        if not fields:
            raise typer.BadParameter("name what is to change; see --help")
        changed = client.edit_key(key_id, KeyPatch(**fields))
    if output is Format.JSON:
        print_model(changed)
    else:
        state = "disabled" if changed.disabled else "on"
        models = "all models" if changed.models is None else ", ".join(changed.models)
        typer.echo(f"{changed.id}: {state}, {models}, limits: {limits_text(changed.limits)}")


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
