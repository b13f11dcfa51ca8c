"""All engines, by name."""

from collections.abc import Mapping

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.specs import EngineName
from aimindserve.engines._base import Engine
from aimindserve.engines.llama_cpp import LlamaCpp

ENGINES: Mapping[EngineName, Engine] = {"llama.cpp": LlamaCpp()}


def choose_engine(wanted: str, facts: ModelFacts) -> Engine | Reason:
    """The engine for a model: the wanted one, or for ``auto`` the first that runs its format.

    A reason when there is none: the engine is not part of this version, or does not run the format.
    """
    fitting = [engine for engine in ENGINES.values() if facts.format in engine.formats]
    if wanted == "auto":
        return fitting[0] if fitting else _cannot("llama.cpp", facts)
    chosen = next((engine for engine in ENGINES.values() if engine.name == wanted), None)
    if chosen is None:
        return reason(ReasonCode.ENGINE_NOT_INSTALLED, engine=wanted, install="choose the engine llama.cpp")
    return chosen if chosen in fitting else _cannot(chosen.name, facts)


def _cannot(engine: str, facts: ModelFacts) -> Reason:
    return reason(
        ReasonCode.ENGINE_CANNOT_RUN, engine=engine, format=facts.format.value, alternative="a GGUF file of this model"
    )
