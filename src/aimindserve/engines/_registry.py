"""All engines, by name."""

from collections.abc import Mapping

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.specs import EngineName
from aimindserve.engines._base import Engine
from aimindserve.engines.llama_cpp import LlamaCpp
from aimindserve.engines.vllm import Vllm

ENGINES: Mapping[EngineName, Engine] = {"llama.cpp": LlamaCpp(), "vllm": Vllm()}


def choose_engine(wanted: str, facts: ModelFacts) -> Engine | Reason:
    """The engine for a model: the wanted one, or for ``auto`` the first that runs its format.

    A reason when the wanted one does not run the format; every format has an engine.
    """
    fitting = [engine for engine in ENGINES.values() if facts.format in engine.formats]
    chosen = next((engine for engine in fitting if wanted in ("auto", engine.name)), None)
    if chosen is not None:
        return chosen
    alternative = ", ".join(engine.name for engine in fitting)
    return reason(
        ReasonCode.ENGINE_CANNOT_RUN, engine=wanted, format=facts.format.value, alternative=alternative or "GGUF"
    )
