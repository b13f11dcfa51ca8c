"""Environments: versions of engines that a node has, fetches or is told about."""

import re
from enum import StrEnum
from hashlib import sha256
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from aimindserve.domain.files import TransferProgress
from aimindserve.domain.reasons import Reason


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


WheelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+!-]{0,199}\.whl$")]
_PART = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*"
PlainPath = Annotated[str, StringConstraints(pattern=rf"^{_PART}(?:/{_PART})*$", max_length=200)]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+_-]{0,63}$")]


class Variant(StrEnum):
    """What an engine was built for."""

    CPU = "cpu"
    CUDA = "cuda"
    ROCM = "rocm"
    VULKAN = "vulkan"


class LockedWheel(_Frozen):
    """One file of a recipe. ``requirement``: as pip names it (``torch==2.13.0``); ``size`` in bytes."""

    requirement: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+==[A-Za-z0-9.+!_-]+$")]
    name: WheelName
    size: int = Field(ge=0)
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class LineRepair(_Frozen):
    """Takes the lines that match ``pattern`` out of ``file`` (below the environment's packages). ``why`` says why."""

    file: PlainPath
    pattern: str
    why: str


class NameRepair(_Frozen):
    """Adds a package that holds nothing but its name and version. ``why`` says why."""

    name: Word
    version: Word
    why: str


class Recipe(_Frozen):
    """All that an environment is made of on one kind of machine: wheels with their checksums, and what is repaired
    after they are installed. ``python``: such as ``3.11``; ``program``: what starts the engine, in the environment;
    ``indexes``: where packages are that the usual index does not have."""

    engine: Word
    version: Word
    variant: Variant
    python: Annotated[str, StringConstraints(pattern=r"^3\.[0-9]{1,2}$")]
    program: PlainPath
    wheels: tuple[LockedWheel, ...]
    line_repairs: tuple[LineRepair, ...] = ()
    name_repairs: tuple[NameRepair, ...] = ()
    indexes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """See ``environment_key``."""
        return environment_key(self.engine, self.version, self.variant)

    @property
    def folder(self) -> str:
        """Of its wheels in a bundle, and of the environment below the engines' folder."""
        return f"{self.engine}/{self.version}-{self.variant}"

    @property
    def size(self) -> int:
        """Bytes of all wheels."""
        return sum(wheel.size for wheel in self.wheels)

    @property
    def digest(self) -> str:
        """SHA-256 of everything that decides what the environment holds."""
        return sha256(self.model_dump_json(exclude={"indexes"}).encode()).hexdigest()


def environment_key(engine: str, version: str, variant: str) -> str:
    """The name of an environment that the product makes."""
    return f"{engine}-{version}-{variant}"


def program_key(path: str) -> str:
    """The name of a program that was there, or that somebody registered."""
    return f"program-{sha256(path.encode()).hexdigest()[:12]}"


_NAMED = re.compile(r"([a-z][a-z0-9.-]{0,31})==([A-Za-z0-9][A-Za-z0-9.]{0,31})(?:\+(cpu|cuda|rocm|vulkan))?")


class NamedEngine(_Frozen):
    """An engine as people write it: ``vllm==0.33.0`` or, for one variant, ``vllm==0.32.0+cpu``."""

    engine: str
    version: str
    variant: Variant | None = None

    @classmethod
    def read(cls, text: str) -> "NamedEngine | None":
        """None when it is not written like that."""
        match = _NAMED.fullmatch(text)
        return (
            cls(engine=match[1], version=match[2], variant=Variant(match[3]) if match[3] else None) if match else None
        )

    def __str__(self) -> str:
        return f"{self.engine}=={self.version}" + (f"+{self.variant}" if self.variant else "")


class EnvironmentState(StrEnum):
    """What a node observes of an environment."""

    QUEUED = "queued"
    FETCHING = "fetching"
    INSTALLING = "installing"
    CHECKING = "checking"
    READY = "ready"
    FAILED = "failed"
    """It is tried again only when asked to."""


class EnvironmentOrigin(StrEnum):
    """Where an environment comes from."""

    INSTALLED = "installed"
    """Made below the engines' folder: by an order, by a bundle, or by hand."""
    REGISTERED = "registered"
    """An administrator named its program."""
    FOUND = "found"
    """On the PATH, configured at the start, or part of aiMindServe."""


MOVING = (EnvironmentState.QUEUED, EnvironmentState.FETCHING, EnvironmentState.INSTALLING, EnvironmentState.CHECKING)


class Environment(_Frozen):
    """One environment as its node sees it now. ``path``: its program; ``size``: bytes on the disk, None while unknown;
    ``used_by``: replicas that run from it; ``log``: the last lines of its installation."""

    key: str
    engine: str
    version: str
    variant: str
    origin: EnvironmentOrigin
    state: EnvironmentState
    path: str | None = None
    size: int | None = None
    progress: TransferProgress | None = None
    reason: Reason | None = None
    used_by: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


class WantedEnvironment(_Frozen):
    """An order to have an environment on a node. ``program``: an administrator's own, which is only checked and used.
    ``wheels``: a folder on the node from which everything is taken, without a network. ``attempt`` rises when a person
    asks to try again."""

    engine: str
    version: str = ""
    variant: Variant | None = None
    program: str | None = None
    wheels: str | None = None
    attempt: int = 1

    @property
    def key(self) -> str:
        """Its name on the node."""
        return (
            program_key(self.program)
            if self.program
            else environment_key(self.engine, self.version, self.variant or "")
        )


class WantedState(StrEnum):
    """What was last ordered of an environment."""

    INSTALLED = "installed"
    REMOVED = "removed"
    """It goes, and the order with it once the node no longer has it."""


class EnvironmentAction(StrEnum):
    """What a person may do with an environment now."""

    CANCEL = "cancel"
    RETRY = "retry"
    REMOVE = "remove"
    FORGET = "forget"
    """Take a registered program off the list; nothing on the disk is touched."""


def environment_actions(
    state: EnvironmentState, origin: EnvironmentOrigin, wanted: WantedState | None, *, used: bool
) -> tuple[EnvironmentAction, ...]:
    """The actions that make sense. ``wanted`` None: nobody ordered it. ``used``: a replica runs from it; then it
    stays."""
    if wanted is WantedState.REMOVED or origin is EnvironmentOrigin.FOUND:
        return ()
    retry = (EnvironmentAction.RETRY,) if state is EnvironmentState.FAILED else ()
    if origin is EnvironmentOrigin.REGISTERED:
        return retry if used else (*retry, EnvironmentAction.FORGET)
    if state is not EnvironmentState.READY:
        return (*retry, EnvironmentAction.CANCEL) if wanted else ()
    return () if used else (EnvironmentAction.REMOVE,)
