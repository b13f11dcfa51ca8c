"""Options about limits and networks, shared by the commands about keys and people."""

from __future__ import annotations

from typing import Annotated, Any

import typer

PerMinute = Annotated[int | None, typer.Option("--requests-per-minute", min=1, help="Requests in any 60 seconds.")]
TokensPerMinute = Annotated[
    int | None, typer.Option("--tokens-per-minute", min=1, help="Tokens of prompts and answers in any 60 seconds.")
]
ImagesPerMinute = Annotated[int | None, typer.Option("--images-per-minute", min=1, help="Pictures in any 60 seconds.")]
Concurrent = Annotated[
    int | None, typer.Option("--concurrent", min=1, help="Requests that run at once; more of them wait.")
]
PerMonth = Annotated[int | None, typer.Option("--tokens-per-month", min=1, help="Tokens in a calendar month (UTC).")]
NoLimits = Annotated[bool, typer.Option("--no-limits", help="Take all limits away that are not given here.")]


def changed_limits(current: Any, given: dict[str, int | None], *, none_else: bool) -> dict[str, Any]:
    """The field that a change sends: ``given`` over ``current`` (a ``LimitsView``), or over none; nothing when neither
    was asked for."""
    from aimindserve.domain.views_access import LimitsView

    set_ones = {name: value for name, value in given.items() if value is not None}
    if not set_ones and not none_else:
        return {}
    base = LimitsView() if none_else else current
    return {"limits": base.model_copy(update=set_ones)}


def limits_text(limits: Any) -> str:
    """The limits that there are, in one line."""
    words = {
        "requests_per_minute": "requests/min",
        "tokens_per_minute": "tokens/min",
        "images_per_minute": "pictures/min",
        "concurrent": "at once",
        "tokens_per_month": "tokens/month",
    }
    found = (f"{value} {words[name]}" for name, value in limits.model_dump().items() if value is not None)
    return ", ".join(found) or "none"
