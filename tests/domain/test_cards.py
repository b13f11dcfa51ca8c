"""Cards by name, and machines with them."""

import pytest

from aimindserve.domain.cards import CARDS, CardError, machine_with, parse_bytes, parse_card
from aimindserve.domain.nodes import DeviceKind
from aimindserve.domain.units import GIB, MIB
from aimindserve.sim.fleet import load_fleet


@pytest.mark.parametrize(
    ("text", "name", "memory", "count"),
    [
        ("H100-80GB", "H100-80GB", 81559 * MIB, 1),
        ("rtx4090-24gb:2", "RTX4090-24GB", 24564 * MIB, 2),
        ("RTX4060Ti-16GB", "RTX4060TI-16GB", 16380 * MIB, 1),
        ("mine=48GiB", "mine", 48 * GIB, 1),
        ("mine=51539607552:4", "mine", 48 * GIB, 4),
        ("mine=24GB", "mine", 24_000_000_000, 1),
    ],
)
def test_names(text: str, name: str, memory: int, count: int) -> None:
    card, found = parse_card(text)
    assert (card.name, card.memory, found) == (name, memory, count)


@pytest.mark.parametrize("text", ["", "H100", "H100-80GB:0", "H100-80GB:x", "mine=", "mine=much", "mine=0", "mine=-1"])
def test_what_is_no_card_says_what_would_be(text: str) -> None:
    with pytest.raises(CardError, match=r"BYTES|from 1 to 99|looks like"):
        parse_card(text)


def test_bytes() -> None:
    assert parse_bytes("1.5GiB") == 1536 * MIB
    assert (parse_bytes("1K"), parse_bytes("1KB"), parse_bytes("7")) == (1024, 1000, 7)


def test_a_machine_with_cards() -> None:
    machine = machine_with([parse_card("RTX4090-24GB:2"), parse_card("H100-80GB")], ())
    host, *gpus = machine.devices
    assert host.kind is DeviceKind.CPU
    assert host.allocatable >= sum(gpu.memory_total for gpu in gpus)
    assert [gpu.index for gpu in gpus] == [0, 1, 2]
    assert len({gpu.id for gpu in gpus}) == 3
    assert all(gpu.allocatable == gpu.memory_free < gpu.memory_total for gpu in gpus)


def test_cards_are_as_large_as_in_the_declared_fleets() -> None:
    known = {card.model: card for card in CARDS.values()}
    for name in ("h100", "l40s", "a100-40gb", "rtx4090x2"):
        for device in load_fleet(name).nodes[0].devices:
            card = known.get(device.name)
            if card is not None:
                assert card.memory == device.memory_total
                assert abs(card.memory - card.reserved - device.allocatable) <= 64 * MIB
