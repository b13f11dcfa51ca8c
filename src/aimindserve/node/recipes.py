"""What environments of engines are made of on this machine, and with which Python."""

import platform
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from packaging import tags

from aimindserve.domain.environments import Recipe, environment_key
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.engines.environment_locks import Offer, Target, find_offer, offers, recipe_of

FindRecipe = Callable[[str, str, str], Recipe | Reason]
"""From engine, version and variant."""


def this_python() -> str:
    """The Python version that runs this, such as ``3.11``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


@cache
def interpreter(python: str) -> str | None:
    """The program of a Python version: the one that runs this, else one on the PATH. None: there is none."""
    return sys.executable if python == this_python() else shutil.which(f"python{python}")


def find_recipe(engine: str, version: str, variant: str) -> Recipe | Reason:
    """The recipe on this machine; a reason when the product has none, or when this machine or its Pythons are not what
    it is for."""
    offer = find_offer(engine, version, variant)
    if offer is None:
        known = ", ".join(str(one.named) for one in reversed(offers()))
        return reason(ReasonCode.ENVIRONMENT_UNKNOWN, engine=f"{engine}=={version}+{variant}", known=known)
    machine = platform.machine()
    wanted = [python for python, of in offer.targets if of == machine]
    found = next((python for python in _preferred(wanted) if interpreter(python)), None)
    if found is None:
        return _no_python(offer, wanted, machine)
    recipe = recipe_of(offer, Target(found, machine, tuple(tags.platform_tags())))
    return recipe or _no_python(offer, wanted, machine)


def _no_python(offer: Offer, pythons: list[str], machine: str) -> Reason:
    name = str(offer.named)
    if not pythons:
        machines = ", ".join(sorted({of for _, of in offer.targets}))
        return reason(ReasonCode.ENVIRONMENT_OTHER_MACHINE, engine=name, machine=machine, machines=machines)
    return reason(ReasonCode.ENVIRONMENT_NEEDS_PYTHON, engine=name, pythons=", ".join(pythons), python=pythons[0])


def _preferred(pythons: list[str]) -> list[str]:
    """The one that runs this first: it is there in any case."""
    return sorted(pythons, key=lambda python: python != this_python())


def place_of(engines: Path, recipe: Recipe) -> Path:
    """The folder of an environment that is finished."""
    return engines / recipe.folder


def partial_of(engines: Path, recipe: Recipe) -> Path:
    """The folder in which it is made. On the same disk, so that it gets its name by a rename."""
    return engines / ".partial" / environment_key(recipe.engine, recipe.version, recipe.variant)
