"""Declared hardware by name: ``sim/fleets/*.json``, in the shapes in which machines describe themselves.

Memory sizes of cards as nvidia-smi prints them (MiB), the driver's own part taken off as on driver 580.
"""

from pathlib import Path

from aimindserve.devices.declared import Fleet, FleetError, read_fleet

FLEETS = Path(__file__).parent / "fleets"


def fleet_names() -> list[str]:
    """Names that ``load_fleet`` knows."""
    return sorted(path.stem for path in FLEETS.glob("*.json"))


def fleet_path(name: str) -> Path:
    """The file of a fleet, to be named in the setting ``declared_fleet``.

    Raises:
        FleetError: there is no such fleet.
    """
    if name not in fleet_names():
        raise FleetError(f"no fleet '{name}'; there are {', '.join(fleet_names())}")
    return FLEETS / f"{name}.json"


def load_fleet(name: str) -> Fleet:
    """A fleet that ships with the project.

    Raises:
        FleetError: there is no such fleet.
    """
    return read_fleet(fleet_path(name))
