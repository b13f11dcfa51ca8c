"""Lengths of time as people write them."""

from __future__ import annotations

import re

import typer

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def parse_duration(text: str) -> int:
    """Seconds of ``30s``, ``90m``, ``12h``, ``30d`` or ``4w``."""
    match = re.fullmatch(r"(\d+)([smhdw])", text.strip())
    if match is None:
        raise typer.BadParameter("write 30s, 90m, 12h, 30d or 4w")
    return int(match[1]) * _UNITS[match[2]]
