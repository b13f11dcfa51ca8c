"""Where the command lines of llama-server, llama-box and the embedded server differ."""

import re
from collections.abc import Iterable
from math import isqrt

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.nodes import EngineInstall
from aimindserve.domain.params import EngineParameter, Origin
from aimindserve.engines._flags import Flag

LLAMA_SERVER, LLAMA_BOX, EMBEDDED = "llama-server", "llama-box", "xllamacpp"

_LACKS = {
    LLAMA_SERVER: {"--visual-max-image-size", "--visual-max-image-cache"},
    LLAMA_BOX: {
        "--image-min-tokens",
        "--image-max-tokens",
        "--kv-unified",
        "--cache-ram",
        "--sleep-idle-seconds",
        "--fit",
        "--no-host",
        "--no-jinja",
    },
}
# What another dialect says instead.
COUNTERPARTS = {
    "--visual-max-image-size": "--image-max-tokens",
    "--image-max-tokens": "--visual-max-image-size",
    "--image-min-tokens": "--visual-max-image-size",
}
# The first build seen that takes --load-mode instead of --mmap, --no-mmap and --mlock.
_LOAD_MODE_BUILD = 11434
# Servers keep finished prompts since October 2025 (pull request 16391).
_PROMPT_CACHE_BUILD = 6800
# From this build on (pull request 23021, May 2026) the sizes of buffers are in the log only at verbosity 4; what people
# write is in it from 5 on. Before, other numbers meant other things, and the sizes were always there.
_QUIET_BUILD, _VERBOSITY = 9181, "4"
_MMAP_AS_MODE = {"--mmap": "mmap", "--no-mmap": "none", "--mlock": "mmap+mlock"}
_MODE_AS_SWITCHES = {"none": "--no-mmap", "mlock": "--mlock", "mmap+mlock": "--mlock"}


def supports(flavour: str, flag: Flag) -> bool:
    """Whether this dialect takes the flag, or something that says the same."""
    if flavour == EMBEDDED:
        return bool(flag.field)
    return flag.name not in _LACKS.get(flavour, set())


def in_dialect(
    parameters: Iterable[EngineParameter], install: EngineInstall, facts: ModelFacts
) -> list[EngineParameter]:
    """The same parameters in the words of the installed program; what it cannot say and does by itself is left out."""
    spoken: list[EngineParameter] = []
    for item in parameters:
        said = _say(item, install, facts)
        if said is not None:
            spoken.append(said)
    return spoken


def _say(item: EngineParameter, install: EngineInstall, facts: ModelFacts) -> EngineParameter | None:
    if install.flavour == LLAMA_BOX:
        return _say_box(item, facts)
    if install.flavour == LLAMA_SERVER:
        return _say_server(item, install.version)
    return _as(item, "--flash-attn", "off") if item.flag == "--no-flash-attn" else item


def _say_server(item: EngineParameter, version: str) -> EngineParameter | None:
    if item.flag == "--no-flash-attn":
        return _as(item, "--flash-attn", "off")
    if item.flag == "--cache-ram" and item.origin is Origin.DERIVED and 0 < build_number(version) < _PROMPT_CACHE_BUILD:
        return None
    if item.flag in _MMAP_AS_MODE and build_number(version) >= _LOAD_MODE_BUILD:
        return _as(item, "--load-mode", _MMAP_AS_MODE[item.flag])
    if item.flag == "--load-mode" and 0 < build_number(version) < _LOAD_MODE_BUILD:
        return _load_switch(item)
    return item


def _say_box(item: EngineParameter, facts: ModelFacts) -> EngineParameter | None:
    if item.flag == "--flash-attn":
        switches = {"on": "--flash-attn", "off": "--no-flash-attn"}
        return _as(item, switches[item.value], None) if item.value in switches else None
    if item.flag == "--load-mode":
        return _load_switch(item)
    if item.flag == "--image-max-tokens" and facts.architecture.startswith(("qwen2vl", "qwen2_5_vl", "qwen25vl")):
        return _as(item, "--visual-max-image-size", str(square_side(int(item.value or 0))))
    return None if item.flag in _LACKS[LLAMA_BOX] else item


def _load_switch(item: EngineParameter) -> EngineParameter | None:
    switch = _MODE_AS_SWITCHES.get(item.value or "")
    return _as(item, switch, None) if switch else None


def _as(item: EngineParameter, flag: str, value: str | None) -> EngineParameter:
    return item.model_copy(update={"flag": flag, "value": value})


def build_number(version: str) -> int:
    """The build number in llama.cpp's version text (``11434``, ``b11434``); 0 when there is none."""
    found = re.match(r"b?(\d+)(?:\D|$)", version)
    return int(found[1]) if found else 0


def square_side(tokens: int) -> int:
    """Side in pixels of a square picture of ``tokens`` tokens in the Qwen2-VL family.

    14-pixel patches are merged two by two, so a token shows 28 pixels (Qwen2-VL's processor configuration).
    """
    return isqrt(tokens) * 28


def log_words(install: EngineInstall) -> tuple[str, ...]:
    """What makes the program write the sizes of its buffers into its log."""
    newer = install.flavour == LLAMA_SERVER and build_number(install.version) >= _QUIET_BUILD
    return ("--log-verbosity", _VERBOSITY) if newer or install.flavour == EMBEDDED else ()
