"""All engines, by name."""

from collections.abc import Mapping

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.nodes import DeviceKind, EngineInstall, NodeFacts
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.specs import EngineName
from aimindserve.engines._base import Engine
from aimindserve.engines.llama_cpp import LlamaCpp
from aimindserve.engines.llama_dialects import LLAMA_SERVER
from aimindserve.engines.vllm import Vllm
from aimindserve.engines.vllm_data import READ

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


def with_assumed_engines(node: NodeFacts) -> NodeFacts:
    """A machine that is only imagined: where it names no engine, all that the product can install are there, for the
    GPUs that it has."""
    if node.engines:
        return node
    kinds = {device.kind: None for device in node.devices if device.kind is not DeviceKind.CPU}
    llama = EngineInstall(
        engine="llama.cpp", flavour=LLAMA_SERVER, version="", path="llama-server", gpu_kinds=tuple(kinds)
    )
    gpus = tuple(kind for kind in kinds if kind is DeviceKind.NVIDIA)
    found = [
        EngineInstall(engine="vllm", flavour="vllm", version=version, path="vllm", gpu_kinds=gpus)
        for version in reversed(READ)
        if gpus
    ]
    return node.model_copy(update={"engines": (llama, *found)})
