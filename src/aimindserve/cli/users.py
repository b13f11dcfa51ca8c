"""``aimindserve user …``: people and what they may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aimindserve.cli.connection import connect
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
from aimindserve.cli.output import CommandError, DataDir, Format, Output, print_model, print_models, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aimindserve.domain.views_access import UserView

app = typer.Typer(help="People: list them, and limit what one may use.", no_args_is_help=True, rich_markup_mode=None)


@app.command("ls", epilog="Example: aimindserve user ls")
def list_users(data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """List people with their limits."""
    with connect(data_dir) as client:
        users = client.users()
    if output is Format.JSON:
        print_models(users)
    else:
        _print(users)


@app.command(epilog="Example: aimindserve user limit ada --tokens-per-month 5000000 --concurrent 4")
def limit(
    username: Annotated[str, typer.Argument(help="The name that the person logs in with.")],
    requests_per_minute: PerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    images_per_minute: ImagesPerMinute = None,
    concurrent: Concurrent = None,
    tokens_per_month: PerMonth = None,
    no_limits: NoLimits = False,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Limit what all keys and sessions of a person use together; limits that are not named stay."""
    from aimindserve.domain.views_access import UserPatch

    given = {
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "images_per_minute": images_per_minute,
        "concurrent": concurrent,
        "tokens_per_month": tokens_per_month,
    }
    with connect(data_dir) as client:
        user = next((one for one in client.users() if one.username == username.lower()), None)
        if user is None:
            raise CommandError(f"There is nobody called {username}.", "See `aimindserve user ls`.", code="not_found")
        fields = changed_limits(user.limits, given, none_else=no_limits)
        if not fields:
            raise typer.BadParameter("name a limit, or --no-limits")
        changed = client.edit_user(user.id, UserPatch(**fields))
    if output is Format.JSON:
        print_model(changed)
    else:
        _print([changed])


def _print(users: Sequence[UserView]) -> None:
    rows = (
        (
            one.username,
            str(one.role),
            "disabled" if one.disabled else "on",
            limits_text(one.limits),
            one.tokens_this_month,
        )
        for one in users
    )
    print_table(("NAME", "ROLE", "STATE", "LIMITS", "TOKENS THIS MONTH"), ((*row[:4], str(row[4])) for row in rows))
