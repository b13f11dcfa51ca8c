"""Careful reading of JSON that comes from anywhere: configurations and headers of checkpoints."""

import json
from collections.abc import Mapping
from typing import cast

from aimindserve.domain.units import MIB

Json = Mapping[str, object]

MAX_CONFIG = 4 * MIB
# A checkpoint of 18,000 tensors in one file has 54,000 brackets and 110,000 commas in its header.
_MOST_BRACKETS, _MOST_COMMAS = 200_000, 500_000
_LARGEST_SIZE = 1 << 31


class ConfigError(Exception):
    """A configuration or a header is not what it should be; the message says how."""


def json_object(raw: bytes) -> Json:
    """The JSON object in ``raw``. Raises ConfigError, also for one that would take far more memory than its text."""
    if raw.count(b"{") + raw.count(b"[") > _MOST_BRACKETS or raw.count(b",") > _MOST_COMMAS:
        raise ConfigError("it has too many entries")
    try:
        value: object = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ConfigError("it is not JSON") from error
    if not isinstance(value, dict):
        raise ConfigError("it is not a JSON object")
    return cast("Json", value)


def section(config: Json, *names: str) -> Json | None:
    """The first of these entries that is an object."""
    for name in names:
        value = config.get(name)
        if isinstance(value, dict):
            return cast("Json", value)
    return None


def size(config: Json, *names: str) -> int | None:
    """The first of these entries that is a positive whole number of a sane size."""
    for name in names:
        value = config.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LARGEST_SIZE:
            return value
    return None


def text(config: Json, *names: str) -> str | None:
    """The first of these entries that is a text with anything in it."""
    return next((value for name in names if isinstance(value := config.get(name), str) and value), None)


def numbers(config: Json, name: str) -> tuple[int, ...]:
    """The whole numbers in a list, not negative; empty when it is no list of at most 4,096."""
    value = config.get(name)
    items = cast("list[object]", value) if isinstance(value, list) else []
    kept = [item for item in items if isinstance(item, int) and not isinstance(item, bool) and item >= 0]
    return tuple(kept) if len(items) <= 4096 else ()


def texts(config: Json, name: str) -> tuple[str, ...]:
    """The texts in a list, at most 4,096."""
    value = config.get(name)
    items = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(item for item in items[:4096] if isinstance(item, str))
