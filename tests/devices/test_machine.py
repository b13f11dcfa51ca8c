"""A machine's devices together, and hardware that files declare."""

import json
from pathlib import Path

import pytest
from tests.devices.fake_nvml import FakeNvml, Gpu

from aimindserve.devices.cpu import Cpu
from aimindserve.devices.declared import FleetError, read_fleet
from aimindserve.devices.machine import DeclaredProbe, MachineProbe
from aimindserve.devices.nvidia import Nvidia
from aimindserve.domain.cards import CARDS
from aimindserve.domain.nodes import DeviceKind
from aimindserve.sim.fleet import fleet_names, fleet_path, load_fleet


def test_cpu_first_then_gpus() -> None:
    nvml = FakeNvml(Gpu("NVIDIA L40S", "GPU-l40s", 46068))
    devices, notes = MachineProbe([Cpu(), Nvidia(lambda: nvml)])()
    assert [device.kind for device in devices] == [DeviceKind.CPU, DeviceKind.NVIDIA]
    assert list(notes) == []


@pytest.mark.parametrize("name", fleet_names())
def test_every_fleet_that_ships_makes_sense(name: str) -> None:
    fleet = load_fleet(name)
    assert fleet.title
    for node in fleet.nodes:
        assert node.devices[0].kind == DeviceKind.CPU
        for device in node.devices:
            assert 0 < device.memory_free <= device.allocatable < device.memory_total
        has_gpu = any(device.kind is not DeviceKind.CPU for device in node.devices)
        assert bool(node.notes) != has_gpu


def test_the_fleets_that_tests_and_previews_count_on() -> None:
    gpus = {name: sum(len(node.devices) - 1 for node in load_fleet(name).nodes) for name in fleet_names()}
    counted = {"h100": 1, "h100x8": 8, "rtx4090x2": 2, "l40s": 1, "a100-40gb": 1, "cpu": 0, "mixed": 3}
    assert {name: gpus[name] for name in counted} == counted
    assert len(gpus) == 30
    assert {"rtx4060", "h200x8", "h20x8", "lab", "rtx4090-busy", "a100-mig"} <= set(gpus)


@pytest.mark.parametrize("name", fleet_names())
def test_declared_cards_are_the_cards_that_are_known(name: str) -> None:
    known = {card.model: card for card in CARDS.values()}
    for node in load_fleet(name).nodes:
        for device in node.devices[1:]:
            card = known.get(device.name)
            if card is not None:
                assert (device.memory_total, device.compute_capability) == (card.memory, card.capability)
            else:
                assert device.is_slice or device.kind is DeviceKind.AMD


def test_a_declared_machine_answers_like_a_real_one() -> None:
    devices, notes = DeclaredProbe(fleet_path("rtx4090x2"))()
    assert [device.name for device in devices][1:] == ["NVIDIA GeForce RTX 4090"] * 2
    assert list(notes) == []


def test_wrong_files_say_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    with pytest.raises(FleetError, match="No such file"):
        read_fleet(path)
    path.write_text("{}")
    with pytest.raises(FleetError, match="title: Field required"):
        read_fleet(path)
    path.write_text(json.dumps({"title": "x", "nodes": []}))
    with pytest.raises(FleetError, match="no nodes"):
        read_fleet(path)
    twice = json.loads(fleet_path("cpu").read_text())
    twice["nodes"] *= 2
    path.write_text(json.dumps(twice))
    with pytest.raises(FleetError, match="cpu is declared twice"):
        read_fleet(path)
    with pytest.raises(FleetError, match="there are a10, a100-40gb, "):
        fleet_path("tpu")
