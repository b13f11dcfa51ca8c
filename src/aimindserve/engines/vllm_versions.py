"""Which version of vLLM runs a model."""

from collections.abc import Sequence

from aimindserve.domain.drivers import driver_lack
from aimindserve.domain.environments import Variant
from aimindserve.domain.explanations import Explained, Why, explained
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.memory_constants import parse_version
from aimindserve.domain.nodes import Device, DeviceKind, EngineInstall
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.engines.environment_locks import Offer, offers
from aimindserve.engines.vllm_data import NEWEST, READ, data_of, read_version
from aimindserve.engines.vllm_devices import too_old


def last_version(architecture: str) -> str | None:
    """The last version that runs an architecture; None: the newest does, as far as is known."""
    return read_version(NEWEST).gone.get(architecture)


def last_for(offer: Offer) -> tuple[str, ...]:
    """Architectures that run on a version, and on no newer one that can be installed for the same devices."""
    newer = [one for one in offers() if one.variant is offer.variant and _is_newer(one.version, offer.version)]
    return tuple(
        sorted(
            name
            for name, last in read_version(NEWEST).gone.items()
            if newer and not _is_newer(offer.version, last) and all(_is_newer(one.version, last) for one in newer)
        )
    )


def _is_newer(version: str, than: str) -> bool:
    return parse_version(version)[:3] > parse_version(than)[:3]


def version_for(facts: ModelFacts) -> str:
    """The version that a model is planned for where none is installed or named: the newest that runs it."""
    return last_version(facts.architecture) or NEWEST


def wrong_version(facts: ModelFacts, version: str) -> Reason | None:
    """Why ``version`` cannot run the model; None when it can, or when that is not known."""
    name, number = facts.architecture, parse_version(version)[:3]
    last = last_version(name)
    if last is not None and number > parse_version(last)[:3]:
        return reason(ReasonCode.ARCHITECTURE_DROPPED, architecture=name, version=version, last=last)
    first = next((one for one in READ if name in read_version(one).architectures), None)
    if (
        first is None
        or number >= parse_version(first)[:3]
        or any(name in one.architectures for one in data_of(version))
    ):
        return None
    return reason(ReasonCode.ARCHITECTURE_NEWER, architecture=name, version=version, first=first)


def choose_install(
    facts: ModelFacts, installs: Sequence[EngineInstall], wanted: str | None, device: Device | None = None
) -> EngineInstall | Reason | None:
    """The installed vLLM for a model: of the version ``wanted``, else the newest that runs it on ``device``. None when
    there is none of that version; a reason when those that are there cannot run the model."""
    there = [item for item in installs if item.engine == "vllm" and wanted in (None, item.version)]
    there.sort(key=lambda item: parse_version(item.version), reverse=True)
    refused = [unfit(facts, item, device) for item in there]
    fitting = [item for item, why in zip(there, refused, strict=True) if why is None]
    if fitting:
        return fitting[0]
    return refused[0] if refused else None


def why_version(facts: ModelFacts, version: str, wanted: str | None) -> Explained:
    """Why a version runs the model and no other."""
    if wanted is not None:
        return explained(Why.VERSION_YOURS, version=version)
    last = last_version(facts.architecture)
    if last is None:
        return explained(Why.VERSION_NEWEST, version=version)
    return explained(Why.VERSION_LAST, version=version, architecture=facts.architecture, last=last)


def unfit(facts: ModelFacts, install: EngineInstall, device: Device | None) -> Reason | None:
    """Why a program cannot run the model on the device: its version, the generation of the GPU, or the driver. None
    when it can, or when nothing is known."""
    found = wrong_version(facts, install.version)
    if found is not None or not install.gpu_kinds:
        return found
    driver = device.driver if device else None
    return too_old(facts, install.version, device) or driver_lack(driver or "", install)


def offer_for(facts: ModelFacts, wanted: str | None, device: Device | None) -> Offer | None:
    """The newest version that can be installed and runs the model on the device; the version ``wanted`` where one is
    named. None when there is none."""
    kind = device.kind if device else DeviceKind.NVIDIA
    variant = {DeviceKind.NVIDIA: Variant.CUDA, DeviceKind.CPU: Variant.CPU}.get(kind)
    fitting = (
        offer
        for offer in offers()
        if offer.engine == "vllm"
        and offer.variant is variant
        and wanted in (None, offer.version)
        and unfit(facts, _installed(offer), device) is None
    )
    return max(fitting, key=lambda offer: parse_version(offer.version), default=None)


def _installed(offer: Offer) -> EngineInstall:
    """What a version will be once it is there."""
    kinds = (DeviceKind.NVIDIA,) if offer.variant is Variant.CUDA else ()
    return EngineInstall(
        engine=offer.engine, flavour="vllm", version=offer.version, path="vllm", gpu_kinds=kinds, cuda=offer.cuda
    )
