"""The engine parameters that decide how much memory a model takes: their names, reading them and setting them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from aimindserve.domain.params import EngineParameter
from aimindserve.domain.specs import EngineName

_IMAGES = re.compile(r"\bimage[\"']?\s*[=:]\s*(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Knob:
    """A parameter by all its names, the one to write first. ``as_images``: its value counts pictures per prompt."""

    names: tuple[str, ...]
    as_images: bool = False

    def written(self, value: int | str) -> str:
        """One item of a spec's parameters."""
        return f"{self.names[0]}={json.dumps({'image': value}) if self.as_images else value}"

    def number(self, parameters: Sequence[EngineParameter]) -> int | None:
        """The value in a plan; None where it is not set or is no number."""
        value = next((item.value for item in parameters if item.flag in self.names), None) or ""
        pictures = _IMAGES.search(value) if self.as_images else None
        digits = pictures.group(1) if pictures else value
        return int(digits) if re.fullmatch(r"\d{1,12}", digits) else None


@dataclass(frozen=True, slots=True)
class Knobs:
    """An engine's: ``context`` in tokens, ``sequences`` at a time, ``images`` per prompt, ``image_tokens`` of one
    picture. ``cache``: values that halve the cache. ``eager``: the switch that saves CUDA graphs. ``fp8``: quantises
    the weights while they are loaded."""

    context: Knob
    sequences: Knob
    images: Knob | None = None
    image_tokens: Knob | None = None
    cache: tuple[tuple[Knob, str], ...] = ()
    eager: str | None = None
    fp8: tuple[Knob, str] | None = None


KNOBS: dict[EngineName, Knobs] = {
    "llama.cpp": Knobs(
        context=Knob(("--ctx-size", "-c")),
        sequences=Knob(("--parallel", "-np")),
        image_tokens=Knob(("--image-max-tokens",)),
        cache=((Knob(("--cache-type-k", "-ctk")), "q8_0"), (Knob(("--cache-type-v", "-ctv")), "q8_0")),
    ),
    "vllm": Knobs(
        context=Knob(("--max-model-len",)),
        sequences=Knob(("--max-num-seqs",)),
        images=Knob(("--limit-mm-per-prompt",), as_images=True),
        cache=((Knob(("--kv-cache-dtype",)), "fp8"),),
        eager="--enforce-eager",
        fp8=(Knob(("--quantization", "-q")), "fp8"),
    ),
}


def with_values(parameters: Sequence[str], *values: tuple[Knob, int | str]) -> tuple[str, ...]:
    """The parameters with these values in place of others of the same knobs."""
    names = {name for knob, _ in values for name in knob.names}
    return (*without(parameters, names), *(knob.written(value) for knob, value in values))


def without(parameters: Sequence[str], names: set[str]) -> tuple[str, ...]:
    """The parameters without those ``names``, given as ``--flag=value``, ``--flag value`` or as two items; vLLM takes
    underscores for dashes."""
    kept: list[str] = []
    value_follows = False
    for parameter in parameters:
        flag, joined, _ = parameter.partition("=")
        word, spaced, _ = flag.partition(" ")
        if value_follows and not parameter.startswith("-"):
            value_follows = False
        elif (word if not word.startswith("--") else word.replace("_", "-")) in names:
            value_follows = not joined and not spaced
        else:
            value_follows = False
            kept.append(parameter)
    return tuple(kept)
