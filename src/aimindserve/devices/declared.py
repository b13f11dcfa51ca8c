"""Hardware that a file declares instead of the machine: for tests, and to look at what would fit elsewhere."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from aimindserve.domain.nodes import NodeFacts


class Fleet(BaseModel):
    """Some machines. ``title`` says what they are, for people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    nodes: tuple[NodeFacts, ...]


class FleetError(ValueError):
    """The file is not there or declares nothing that can be used; the message says which and why."""


def read_fleet(path: Path) -> Fleet:
    """The machines that a JSON file declares.

    Raises:
        FleetError: the file cannot be read, is no fleet, or names a device or node twice.
    """
    try:
        fleet = Fleet.model_validate_json(path.read_bytes())
    except OSError as error:
        raise FleetError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise FleetError(f"{path}: {place}: {first['msg']}") from error
    if not fleet.nodes:
        raise FleetError(f"{path}: no nodes")
    _refuse_doubles(path, [node.node_id for node in fleet.nodes])
    for node in fleet.nodes:
        _refuse_doubles(path, [device.id for device in node.devices])
    return fleet


def _refuse_doubles(path: Path, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise FleetError(f"{path}: {name} is declared twice")
