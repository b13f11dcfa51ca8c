"""How much memory a model needs, item by item: the shapes. ``memory_llama`` and ``memory_vllm`` fill them."""

import math
from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from aimindserve.domain.explanations import Explained, Why, explained


class Place(StrEnum):
    """Where an item lies: on the device that the replica claims, or in the machine's memory beside a GPU."""

    DEVICE = "device"
    HOST = "host"


class MemoryItem(BaseModel):
    """A line of the fit report. ``bytes`` are likely (p50); hardly ever are more than ``high`` needed (p95).
    ``source``: where the formula comes from. ``base``: likely bytes by the formula alone where ``corrections`` changed
    them."""

    model_config = ConfigDict(frozen=True)

    item: str
    bytes: int
    high: int
    place: Place = Place.DEVICE
    why: Explained
    source: str
    base: int | None = None
    corrections: tuple[Explained, ...] = ()

    @property
    def uncorrected(self) -> int:
        """Likely bytes by the formula alone."""
        return self.bytes if self.base is None else self.base


class MemoryEstimate(BaseModel):
    """All items of one replica on one device, and what the machine needs beside it. Where its devices differ, ``items``
    are those of the one that needs most, and ``each`` has the items of every device in turn.

    An engine on the CPU has the machine's memory as its device. ``certain`` is False for a model of an architecture
    that the product does not know, or whose sizes are not known: then the intervals are wide.
    """

    model_config = ConfigDict(frozen=True)

    items: tuple[MemoryItem, ...]
    certain: bool = True
    each: tuple[tuple[MemoryItem, ...], ...] = ()

    @property
    def device_items(self) -> tuple[MemoryItem, ...]:
        """The items on the device."""
        return tuple(item for item in self.items if item.place is Place.DEVICE)

    @property
    def total(self) -> int:
        """Likely bytes on the device."""
        return sum(item.bytes for item in self.device_items)

    @property
    def high(self) -> int:
        """Bytes on the device that are hardly ever exceeded."""
        return high_of(self.device_items)

    @property
    def shares(self) -> tuple[int, ...]:
        """``high`` of each device in turn, where they differ; else empty."""
        return tuple(high_of(items) for items in self.each)

    @property
    def all_items(self) -> tuple[MemoryItem, ...]:
        """The items of all devices that differ (of one, where they do not) and those beside them."""
        if not self.each:
            return self.items
        beside = (item for item in self.items if item.place is Place.HOST)
        return (*(item for items in self.each for item in items), *beside)

    @property
    def host_total(self) -> int:
        """Likely bytes of the machine's memory beside the device."""
        return sum(item.bytes for item in self.items if item.place is Place.HOST)

    @property
    def host_high(self) -> int:
        """The most that the machine's memory beside the device has to give: limits, so they add up."""
        return sum(item.high for item in self.items if item.place is Place.HOST)


def high_of(items: Sequence[MemoryItem]) -> int:
    """Bytes on one device that are hardly ever exceeded.

    The items err for different reasons, so their margins add up as the root of the sum of squares; a sum would assume
    that all go wrong at once. It never falls when an item's ``bytes`` or ``high`` rises.
    """
    margins = (item.high - item.bytes for item in items)
    return sum(item.bytes for item in items) + math.ceil(math.sqrt(sum(float(margin) ** 2 for margin in margins)))


def memory_item(
    name: str,
    size: float,
    high: float,
    source: str,
    *,
    why: Explained | Why,
    place: Place = Place.DEVICE,
) -> MemoryItem:
    """An item in whole bytes, with ``high`` at least ``size``."""
    likely = math.ceil(size)
    told = explained(why) if isinstance(why, Why) else why
    return MemoryItem(item=name, bytes=likely, high=max(likely, math.ceil(high)), place=place, why=told, source=source)
