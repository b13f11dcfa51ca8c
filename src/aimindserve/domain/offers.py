"""What a failed start suggests to change: as data, for one press of a button. Nobody changes it but the user."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aimindserve.domain.fit_knobs import KNOBS, Knob, with_values, without
from aimindserve.domain.reason_wording import Values
from aimindserve.domain.reasons import Language, Reason, ReasonCode
from aimindserve.domain.specs import DeploymentSpec, EngineName


class OfferKind(StrEnum):
    """What is offered."""

    LESS = "less"
    CONTEXT = "context"
    DTYPE = "dtype"
    HEADS = "heads"
    TOKENIZER = "tokenizer"
    TEXT_ONLY = "text_only"
    EAGER = "eager"
    CODE = "code"
    NO_P2P = "no_p2p"
    DROP = "drop"
    VERSION = "version"


@dataclass(frozen=True, slots=True)
class Offer:
    """A change of a spec: the fields to set, and the words that its sentence needs."""

    kind: OfferKind
    patch: Mapping[str, object]
    words: Mapping[str, str] = field(default_factory=dict[str, str])


_TEXTS: dict[OfferKind, tuple[str, str]] = {
    OfferKind.LESS: ("Half of what found no room: {what}", "将空间不足的值减半：{what}"),
    OfferKind.CONTEXT: ("The longest context that there is room for: {what}", "使用可容纳的最长上下文：{what}"),
    OfferKind.DTYPE: ("The number format that this GPU knows: {what}", "使用此 GPU 支持的数据类型：{what}"),
    OfferKind.HEADS: (
        "Leave the number of GPUs to aiMindServe: without {what}",
        "由 aiMindServe 选择 GPU 数量：删除 {what}",
    ),
    OfferKind.TOKENIZER: ("Read the model's own tokenizer: {what}", "使用模型自带的分词器：{what}"),
    OfferKind.TEXT_ONLY: ("Serve the model for text alone: {what}", "仅将该模型用于文本：{what}"),
    OfferKind.EAGER: ("Start without compiling and without GPU graphs: {what}", "不编译、不使用 CUDA 图启动：{what}"),
    OfferKind.CODE: (
        "Run the code that the model brings, if you have read it and trust it: {what}",
        "若已阅读并信任模型自带的代码，则允许执行：{what}",
    ),
    OfferKind.NO_P2P: ("Let the GPUs talk through the machine's memory: {what}", "让 GPU 通过主机内存通信：{what}"),
    OfferKind.DROP: ("Without the parameter that was refused: {what}", "删除被拒绝的参数：{what}"),
    OfferKind.VERSION: ("The version of vLLM that runs this model: {what}", "使用能运行该模型的 vLLM 版本：{what}"),
}
_FLAG = re.compile(r"(?<![\w-])--?[a-zA-Z][\w.-]*")
_GRAPHS = "cuda_graphs"


def worded(offer: Offer, language: Language) -> str:
    """An offer as a sentence."""
    return _TEXTS[offer.kind][1 if language == "zh" else 0].format_map(Values(offer.words))


def less(parameters: tuple[str, ...]) -> Offer:
    """Parameters with which there would be enough memory."""
    return Offer(OfferKind.LESS, {"parameters": parameters}, {"what": " ".join(parameters)})


def offer_for(why: Reason, spec: DeploymentSpec, engine: EngineName) -> Offer | None:
    """The change that a cause suggests for a spec; None where there is none, or it is in the spec already."""
    build = _OFFERS.get(why.code)
    offer = build(why, spec, engine) if build else None
    if offer is None or all(getattr(spec, name) == value for name, value in offer.patch.items()):
        return None
    return offer


_Build = Callable[[Reason, DeploymentSpec, EngineName], Offer | None]


def _setting(kind: OfferKind, name: str, value: str | None = None) -> _Build:
    """Sets one parameter of vLLM, in place of what the user gave."""
    word = name if value is None else f"{name}={value}"

    def build(_why: Reason, spec: DeploymentSpec, engine: EngineName) -> Offer | None:
        if engine != "vllm" or word in spec.parameters:
            return None
        return Offer(kind, {"parameters": (*without(spec.parameters, {name}), word)}, {"what": word})

    return build


def _set(kind: OfferKind, knob: Knob, value: int, spec: DeploymentSpec) -> Offer:
    parameters = with_values(spec.parameters, (knob, value))
    return Offer(kind, {"parameters": parameters}, {"what": knob.written(value)})


def _context(why: Reason, spec: DeploymentSpec, engine: EngineName) -> Offer | None:
    longest = str(why.params.get("longest", ""))
    return _set(OfferKind.CONTEXT, KNOBS[engine].context, int(longest), spec) if longest.isdigit() else None


def _text_only(_why: Reason, spec: DeploymentSpec, engine: EngineName) -> Offer | None:
    images = KNOBS[engine].images
    if images is not None:
        return _set(OfferKind.TEXT_ONLY, images, 0, spec)
    if "--no-mmproj" in spec.parameters:
        return None
    return Offer(OfferKind.TEXT_ONLY, {"parameters": (*spec.parameters, "--no-mmproj")}, {"what": "--no-mmproj"})


def _without(kind: OfferKind, names: set[str], spec: DeploymentSpec) -> Offer | None:
    kept = without(spec.parameters, names)
    gone = " ".join(sorted(name for name in names if any(one.startswith(name) for one in spec.parameters)))
    return Offer(kind, {"parameters": kept}, {"what": gone}) if kept != spec.parameters else None


def _heads(_why: Reason, spec: DeploymentSpec, _engine: EngineName) -> Offer | None:
    return _without(OfferKind.HEADS, {"--tensor-parallel-size", "-tp"}, spec)


def _drop(why: Reason, spec: DeploymentSpec, _engine: EngineName) -> Offer | None:
    """Without the first refused parameter that is the user's."""
    named = _FLAG.findall(str(why.params.get("detail", "")))
    return next((offer for flag in named if (offer := _without(OfferKind.DROP, {flag}, spec))), None)


def _memory(why: Reason, spec: DeploymentSpec, engine: EngineName) -> Offer | None:
    return _EAGER(why, spec, engine) if why.params.get("part") == _GRAPHS else None


def _no_p2p(_why: Reason, spec: DeploymentSpec, _engine: EngineName) -> Offer:
    return Offer(OfferKind.NO_P2P, {"env": {**spec.env, "NCCL_P2P_DISABLE": "1"}}, {"what": "NCCL_P2P_DISABLE=1"})


def _version(name: str) -> _Build:
    def build(why: Reason, _spec: DeploymentSpec, _engine: EngineName) -> Offer | None:
        version = str(why.params.get(name, ""))
        return Offer(OfferKind.VERSION, {"engine_version": version}, {"what": version}) if version else None

    return build


_EAGER = _setting(OfferKind.EAGER, "--enforce-eager")
_OFFERS: dict[ReasonCode, _Build] = {
    ReasonCode.ENGINE_CACHE_TOO_SMALL: _context,
    ReasonCode.ENGINE_CONTEXT_TOO_LONG: _context,
    ReasonCode.DTYPE_UNSUPPORTED: _setting(OfferKind.DTYPE, "--dtype", "float16"),
    ReasonCode.HEADS_INDIVISIBLE: _heads,
    ReasonCode.GPUS_INDIVISIBLE: _heads,
    ReasonCode.TOKENIZER_MODE_WRONG: _setting(OfferKind.TOKENIZER, "--tokenizer-mode", "mistral"),
    ReasonCode.PICTURE_REFUSED: _text_only,
    ReasonCode.PROJECTOR_MISMATCH: _text_only,
    ReasonCode.COMPILER_MISSING: _EAGER,
    ReasonCode.START_MEMORY_SHORT: _memory,
    ReasonCode.ENGINE_NEEDS_CODE: _setting(OfferKind.CODE, "--trust-remote-code"),
    ReasonCode.CODE_NOT_TRUSTED: _setting(OfferKind.CODE, "--trust-remote-code"),
    ReasonCode.GPU_LINK_FAILED: _no_p2p,
    ReasonCode.ENGINE_REFUSED_PARAMETER: _drop,
    ReasonCode.ARCHITECTURE_DROPPED: _version("last"),
    ReasonCode.ARCHITECTURE_NEWER: _version("first"),
}
