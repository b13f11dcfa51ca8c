"""How many requests an engine works on at once; more of them wait inside of it, oldest first."""

from collections.abc import Sequence
from itertools import pairwise

# Bounds from above where nothing is said: more than the engine takes does no harm, fewer would leave it idle.
# llama.cpp: 4 unless told (``llama_budget``); vLLM: 1024 on its largest cards (``memory_constants.DEVICE_DEFAULTS``).
_OTHERWISE = {"llama.cpp": 4, "vllm": 1024}
_FLAGS = {"llama.cpp": ("--parallel", "-np"), "vllm": ("--max-num-seqs",)}


def slots(engine: str, parameters: Sequence[str]) -> int:
    """The number for ``parameters`` as a person wrote them; 0 for an engine that is not known here."""
    otherwise = _OTHERWISE.get(engine, 0)
    given = otherwise
    words = [word for parameter in parameters for word in parameter.replace("=", " ", 1).split(None, 1)]
    for name, value in pairwise(words):
        if name in _FLAGS.get(engine, ()) and value.strip().isdigit():
            given = int(value)
    return given or otherwise
