"""From what a person types to a deployment spec."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from pydantic import ValidationError

from aimindserve.cli.durations import parse_duration
from aimindserve.cli.output import CommandError
from aimindserve.domain.specs import DeploymentSpec

_QUANTIZATION_TAIL = re.compile(r"-(\d{5})-of-\d{5}$")

_GGUF_TAIL = re.compile(r"[-_.]gguf$", re.IGNORECASE)


def absolute_source(text: str) -> str:
    """The source as the server takes it: a path becomes absolute, everything else stays."""
    if "://" in text:
        return text
    return str(Path(text).expanduser().absolute())


def default_name(source: str) -> str:
    """A public name from a source: ``demo://tiny-vlm`` gives ``tiny-vlm``, a file its name without ending, a
    repository its last part without ``-GGUF`` (``hf://bartowski/Qwen2-VL-2B-Instruct-GGUF:Q4_K_M`` gives
    ``Qwen2-VL-2B-Instruct``).
    """
    tail = source.partition("://")[2] or source
    parts = [part for part in unquote(tail).split("/") if part]
    if source.startswith(("hf://", "ms://")) and len(parts) > 1:
        name = _GGUF_TAIL.sub("", re.split("[@:]", parts[1])[0])
    else:
        name = parts[-1] if parts else ""
    name = _QUANTIZATION_TAIL.sub("", name.removesuffix(".gguf"))
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:63]


def joined_parameters(words: Sequence[str]) -> tuple[str, ...]:
    """Engine parameters, one item each: ``--ctx-size 4096`` becomes ``--ctx-size=4096``.

    A word that starts with a dash and is no number opens a parameter; the first word after it is its value.
    """
    joined: list[str] = []
    for word in words:
        opens = word.startswith("-") and not re.fullmatch(r"-\d+(\.\d+)?", word)
        if opens or not joined or "=" in joined[-1]:
            joined.append(word)
        else:
            joined[-1] += f"={word}"
    return tuple(joined)


def scaling_from(minimum: int | None, idle: str | None, hold: int | None, queue: int | None) -> dict[str, int]:
    """The wishes that were given; none: the number of replicas is fixed."""
    idle_seconds = parse_duration(idle) if idle else None
    given = {"minimum": minimum, "idle_seconds": idle_seconds, "hold_seconds": hold, "queue": queue}
    return {name: value for name, value in given.items() if value is not None}


def spec_from(
    source: str,
    name: str | None,
    engine: str,
    engine_version: str | None,
    parameters: Sequence[str],
    replicas: int,
    projector: str | None = None,
    cpu: str = "auto",
    labels: Sequence[str] = (),
    scaling: Mapping[str, int] | None = None,
) -> DeploymentSpec:
    """The spec; raises CommandError for anything that no server would take."""
    full = absolute_source(source)
    wishes: dict[str, object] = {"cpu": cpu} if cpu != "auto" else {}
    if labels:
        wishes["labels"] = {name: value for name, _, value in (label.partition("=") for label in labels)}
    try:
        return DeploymentSpec.model_validate(
            {
                "name": name or default_name(full),
                "source": full,
                "engine": engine,
                "engine_version": engine_version,
                "parameters": joined_parameters(parameters),
                "replicas": replicas,
                **({"placement": wishes} if wishes else {}),
                **({"projector": projector} if projector else {}),
                **({"scaling": scaling} if scaling else {}),
            }
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise CommandError(
            f"The {field} cannot be used: {first['msg']}.",
            "See `aimindserve deploy --help` for what it may be.",
            code="invalid_request",
        ) from None
