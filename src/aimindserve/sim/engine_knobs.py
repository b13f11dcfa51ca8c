"""Knobs of one request: what should go wrong with its answer, and how its bytes should look. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

HEADER_PREFIX = "x-fake-"
_IN_PROMPT = re.compile(r"\[\[fake ([^\]]{1,500})\]\]")


@dataclass(frozen=True, slots=True)
class Knobs:
    """Defaults behave. Names with dashes in headers, prompts and ``--fake-request``; units in the names."""

    tokens: int | None = None
    text: str = ""
    answer_bytes: int = 0
    first_token_delay_ms: int = 0
    token_delay_ms: int = 0
    crash_at_token: int | None = None
    hang_at_token: int | None = None
    close_at_token: int | None = None
    freeze_at_token: int | None = None
    exit: str = "kill"
    oom_at_token: int | None = None
    error_at_token: int | None = None
    usage: str = "right"
    framing: str = ""
    connection: str = "keep-alive"
    status: int = 200
    echo: bool = False
    dribble: int = 0
    garbage: bool = False
    done: bool = True
    interim: bool = False
    split_utf8: bool = False


_TYPES = {field.name: field.type for field in fields(Knobs)}


class KnobError(ValueError):
    """A knob that does not exist or does not take the value."""


def _set(knobs: Knobs, name: str, value: str) -> Knobs:
    key = name.strip().lower().replace("-", "_")
    if key not in _TYPES:
        raise KnobError(f"no such knob: {name}")
    kind = str(_TYPES[key])
    try:
        typed: object = int(value) if "int" in kind else value not in {"", "0", "false"} if "bool" in kind else value
    except ValueError as error:
        raise KnobError(f"{name} does not take {value!r}") from error
    return replace(knobs, **{key: typed})


def with_pairs(knobs: Knobs, pairs: Sequence[str]) -> Knobs:
    """``knobs`` changed by texts like ``token-delay-ms=20``; a name alone means 1.

    Raises:
        KnobError: for an unknown knob or a wrong value.
    """
    for pair in pairs:
        name, equals, value = pair.partition("=")
        knobs = _set(knobs, name, value if equals else "1")
    return knobs


def request_knobs(fixed: Knobs, headers: Mapping[str, str], body: object, prompt: str) -> Knobs:
    """The knobs of a request: fixed ones, then ``[[fake a=1 b=2]]`` in the prompt, the body's field ``fake`` (an
    object), and headers ``x-fake-…``; the later wins.

    Raises:
        KnobError: for an unknown knob or a wrong value.
    """
    knobs = fixed
    for found in _IN_PROMPT.finditer(prompt):
        knobs = with_pairs(knobs, found[1].split())
    given: Any = body.get("fake") if isinstance(body, dict) else None
    if isinstance(given, dict):
        pairs = [f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in given.items()]
        knobs = with_pairs(knobs, pairs)
    own = [f"{name[len(HEADER_PREFIX) :]}={value}" for name, value in headers.items() if name.startswith(HEADER_PREFIX)]
    return with_pairs(knobs, own)
