"""Graphics cards by name, and machines with such cards, to look at what would fit on hardware that is not here."""

import re
from dataclasses import dataclass

from aimindserve.domain.nodes import CPU_DEVICE_ID, Device, DeviceKind, EngineInstall, NodeFacts
from aimindserve.domain.units import GIB, MIB

# What the driver keeps for itself: about 0.34 GiB on cards for desks, 0.54 GiB on those for data centres (driver 580).
_RESERVED, _RESERVED_LARGE, _LARGE = 343 * MIB, 551 * MIB, 40 * GIB
# A machine around the cards: at least so much memory, and twice what its cards have.
_HOST_LEAST, _HOST_CORES, _HOST_SYSTEM = 64 * GIB, 16, 8 * GIB
_BYTES = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B?|B)?", re.IGNORECASE)
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}

# Memory in MiB and compute capability as the driver reports them (nvidia-smi); memory without a public reading is the
# nominal size less what cards of the same kind lack.
_NVIDIA: dict[str, tuple[str, int, str]] = {
    "RTX3060-12GB": ("NVIDIA GeForce RTX 3060", 12288, "8.6"),
    "RTX3080-10GB": ("NVIDIA GeForce RTX 3080", 10240, "8.6"),
    "RTX3090-24GB": ("NVIDIA GeForce RTX 3090", 24576, "8.6"),
    "RTX4060-8GB": ("NVIDIA GeForce RTX 4060", 8188, "8.9"),
    "RTX4060TI-16GB": ("NVIDIA GeForce RTX 4060 Ti", 16380, "8.9"),
    "RTX4070-12GB": ("NVIDIA GeForce RTX 4070", 12282, "8.9"),
    "RTX4080-16GB": ("NVIDIA GeForce RTX 4080", 16376, "8.9"),
    "RTX4090-24GB": ("NVIDIA GeForce RTX 4090", 24564, "8.9"),
    "RTX4090D-24GB": ("NVIDIA GeForce RTX 4090 D", 24564, "8.9"),
    "RTX5070-12GB": ("NVIDIA GeForce RTX 5070", 12227, "12.0"),
    "RTX5080-16GB": ("NVIDIA GeForce RTX 5080", 16303, "12.0"),
    "RTX5090-32GB": ("NVIDIA GeForce RTX 5090", 32607, "12.0"),
    "RTXA4000-16GB": ("NVIDIA RTX A4000", 16376, "8.6"),
    "RTXA6000-48GB": ("NVIDIA RTX A6000", 49140, "8.6"),
    "RTX6000ADA-48GB": ("NVIDIA RTX 6000 Ada Generation", 49140, "8.9"),
    "RTXPRO6000-96GB": ("NVIDIA RTX PRO 6000 Blackwell", 97887, "12.0"),
    "T4-16GB": ("Tesla T4", 15360, "7.5"),
    "P40-24GB": ("Tesla P40", 24576, "6.1"),
    "V100-16GB": ("Tesla V100-SXM2-16GB", 16384, "7.0"),
    "V100-32GB": ("Tesla V100-SXM2-32GB", 32768, "7.0"),
    "A10-24GB": ("NVIDIA A10", 23028, "8.6"),
    "A10G-24GB": ("NVIDIA A10G", 23028, "8.6"),
    "A30-24GB": ("NVIDIA A30", 24576, "8.0"),
    "A40-48GB": ("NVIDIA A40", 46068, "8.6"),
    "L4-24GB": ("NVIDIA L4", 23034, "8.9"),
    "L20-48GB": ("NVIDIA L20", 46068, "8.9"),
    "L40S-48GB": ("NVIDIA L40S", 46068, "8.9"),
    "A100-40GB": ("NVIDIA A100-SXM4-40GB", 40960, "8.0"),
    "A100-80GB": ("NVIDIA A100-SXM4-80GB", 81920, "8.0"),
    "A800-80GB": ("NVIDIA A800-SXM4-80GB", 81920, "8.0"),
    "H100-80GB": ("NVIDIA H100 80GB HBM3", 81559, "9.0"),
    "H800-80GB": ("NVIDIA H800", 81559, "9.0"),
    "H100NVL-94GB": ("NVIDIA H100 NVL", 95830, "9.0"),
    "H20-96GB": ("NVIDIA H20", 97871, "9.0"),
    "GH200-96GB": ("NVIDIA GH200 480GB", 97871, "9.0"),
    "H200-141GB": ("NVIDIA H200", 143771, "9.0"),
    "B200-180GB": ("NVIDIA B200", 183359, "10.0"),
}


class CardError(ValueError):
    """No such card. The message names what there is."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card: its short name, what the driver calls it, its memory in bytes, and its compute capability."""

    name: str
    model: str
    memory: int
    capability: str | None = None

    @property
    def reserved(self) -> int:
        """Bytes that the driver keeps."""
        return min(self.memory, _RESERVED_LARGE if self.memory >= _LARGE else _RESERVED)


CARDS: dict[str, Card] = {
    name: Card(name, model, size * MIB, capability) for name, (model, size, capability) in _NVIDIA.items()
}


def parse_card(text: str) -> tuple[Card, int]:
    """A card and how many: ``H100-80GB``, ``RTX4090-24GB:2``, ``MYCARD=48GiB``, ``MYCARD=51539607552:4``.

    Raises:
        CardError: the name is not known, or size or number cannot be read.
    """
    rest, _, count = text.partition(":")
    if count and not re.fullmatch(r"[1-9]\d?", count):
        raise CardError(f"{text}: the number of cards is from 1 to 99")
    name, given, size = rest.partition("=")
    if given:
        return Card(name, name, parse_bytes(size)), int(count or 1)
    card = CARDS.get(name.upper().replace("_", "-").replace(" ", ""))
    if card is None:
        raise CardError(f"{name}: no such card; write NAME=BYTES, or one of {', '.join(CARDS)}")
    return card, int(count or 1)


def parse_bytes(text: str) -> int:
    """Bytes from ``51539607552``, ``48GiB`` or ``48G`` (1,024 each) or ``48GB`` (1,000 each).

    Raises:
        CardError: it is no size.
    """
    found = _BYTES.fullmatch(text.strip())
    if found is None or float(found[1]) <= 0:
        raise CardError(f"{text}: a size looks like 51539607552 or 48GiB")
    unit = (found[2] or "B").upper()
    base = 1000 if unit.endswith("B") and not unit.endswith("IB") and unit != "B" else 1024
    return int(float(found[1]) * base ** _POWERS.get(unit[0], 0))


def machine_with(
    cards: list[tuple[Card, int]], engines: tuple[EngineInstall, ...], node_id: str = "declared"
) -> NodeFacts:
    """A machine with these cards and memory to match them, on which ``engines`` are installed."""
    gpus = [card for card, count in cards for _ in range(count)]
    memory = max(_HOST_LEAST, 2 * sum(card.memory for card in gpus))
    host = Device(
        id=CPU_DEVICE_ID,
        kind=DeviceKind.CPU,
        name="CPU",
        memory_total=memory,
        memory_free=memory - _HOST_SYSTEM,
        allocatable=memory - _HOST_SYSTEM,
        cores=_HOST_CORES,
        threads=2 * _HOST_CORES,
    )
    devices = tuple(
        Device(
            id=f"GPU-{node_id}-{index}",
            kind=DeviceKind.NVIDIA,
            name=card.model,
            index=index,
            memory_total=card.memory,
            memory_free=card.memory - card.reserved,
            allocatable=card.memory - card.reserved,
            compute_capability=card.capability,
        )
        for index, card in enumerate(gpus)
    )
    return NodeFacts(node_id=node_id, hostname=node_id, boot_id="declared", devices=(host, *devices), engines=engines)
