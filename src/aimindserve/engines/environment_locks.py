"""Environments that the product can make: which there are, and the wheels of each, as ``scripts/lock_engines.py`` wrote
them down."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from packaging import tags
from packaging.markers import Marker
from packaging.utils import parse_wheel_filename

from aimindserve.domain.environments import (
    LineRepair,
    LockedWheel,
    NamedEngine,
    NameRepair,
    Recipe,
    Variant,
    environment_key,
)

_DATA = files("aimindserve.engines").joinpath("data")
_RUNTIMES = ("nvidia-cuda-runtime", "nvidia-cuda-runtime-cu12")


@dataclass(frozen=True, slots=True)
class Target:
    """A Python on a machine. ``platforms``: what wheels may be made for, best first (``manylinux_2_28_x86_64`` …)."""

    python: str
    machine: str
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """An environment that can be made. ``targets``: Pythons and machines for which every package has a wheel; ``cuda``:
    the version of CUDA that it brings; ``size``: bytes to fetch, about."""

    engine: str
    version: str
    variant: Variant
    targets: tuple[tuple[str, str], ...]
    cuda: str | None
    size: int

    @property
    def key(self) -> str:
        """See ``environment_key``."""
        return environment_key(self.engine, self.version, self.variant)

    @property
    def named(self) -> NamedEngine:
        """As people write it."""
        return NamedEngine(engine=self.engine, version=self.version, variant=self.variant)


@cache
def _asked() -> dict[str, dict[str, Any]]:
    return json.loads(_DATA.joinpath("environments.json").read_text(encoding="utf-8"))


@cache
def _lock(key: str) -> dict[str, Any]:
    return json.loads(_DATA.joinpath("locks", f"{key}.json").read_text(encoding="utf-8"))


@cache
def offers() -> tuple[Offer, ...]:
    """All of them, oldest version first."""
    return tuple(_offer(key, asked) for key, asked in _asked().items())


def _offer(key: str, asked: dict[str, Any]) -> Offer:
    lock = _lock(key)
    packages: list[dict[str, Any]] = lock["packages"]
    runtime = next((package["version"] for package in packages if package["name"] in _RUNTIMES), None)
    return Offer(
        engine=asked["engine"],
        version=asked["version"],
        variant=Variant(asked["variant"]),
        targets=tuple((python, machine) for python, machine in lock["targets"]),
        cuda=".".join(runtime.split(".")[:2]) if runtime else None,
        size=sum(max(file[1] for file in package["files"]) for package in packages),
    )


def find_offer(engine: str, version: str, variant: str) -> Offer | None:
    """The one of that name."""
    key = environment_key(engine, version, variant)
    return next((offer for offer in offers() if offer.key == key), None)


def recipe_of(offer: Offer, target: Target) -> Recipe | None:
    """What the environment is made of on a machine; None where some package has no wheel for it."""
    asked = _asked()[offer.key]
    usable = _usable_tags(target)
    wheels: list[LockedWheel] = []
    for package in _lock(offer.key)["packages"]:
        if "marker" in package and not Marker(package["marker"]).evaluate(_surroundings(target)):
            continue
        wheel = _best(package, usable)
        if wheel is None:
            return None
        wheels.append(wheel)
    repairs = asked.get("repairs", [])
    return Recipe(
        engine=offer.engine,
        version=offer.version,
        variant=offer.variant,
        python=target.python,
        program=asked["program"],
        wheels=tuple(wheels),
        line_repairs=tuple(LineRepair(**_without_kind(one)) for one in repairs if one["kind"] == "drop_lines"),
        name_repairs=tuple(NameRepair(**_without_kind(one)) for one in repairs if one["kind"] == "metadata"),
        indexes=tuple(asked.get("indexes", ())),
    )


def _without_kind(repair: dict[str, Any]) -> dict[str, Any]:
    """A repair without its kind, which its class tells."""
    return {key: value for key, value in repair.items() if key != "kind"}


def _usable_tags(target: Target) -> dict[tags.Tag, int]:
    """The kinds of wheels that the target takes, with their rank: lower is better."""
    major, minor = target.python.split(".")
    version, platforms = (int(major), int(minor)), list(target.platforms)
    name = f"cp{major}{minor}"
    known: Sequence[tags.Tag] = [
        *tags.cpython_tags(version, [name], platforms),
        *tags.compatible_tags(version, name, platforms),
    ]
    return {tag: rank for rank, tag in reversed(list(enumerate(known)))}


def _best(package: dict[str, Any], usable: dict[tags.Tag, int]) -> LockedWheel | None:
    ranked = [
        (min(usable[tag] for tag in fitting), file)
        for file in package["files"]
        if (fitting := [tag for tag in parse_wheel_filename(file[0])[3] if tag in usable])
    ]
    if not ranked:
        return None
    name, size, digest = min(ranked)[1]
    return LockedWheel(requirement=f"{package['name']}=={package['version']}", name=name, size=size, sha256=digest)


def _surroundings(target: Target) -> dict[str, str]:
    """What markers ask for."""
    return {
        "python_version": target.python,
        "python_full_version": f"{target.python}.0",
        "platform_machine": target.machine,
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
    }
