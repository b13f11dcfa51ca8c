"""What every kind of source can do, and careful reading of files that people name."""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.files import HubAccess
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.source import Source

Resolution = ModelFacts | Reason

# How Python shows a byte of a name that is no UTF-8 (PEP 383).
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)


@dataclass(frozen=True, slots=True)
class Asking:
    """How a source is read: access to the hubs; ``projector``: the path of the one to use, in the repository or folder,
    ``none`` to do without, None to find it."""

    access: HubAccess = field(default_factory=HubAccess)
    projector: str | None = None


class ModelSource(Protocol):
    """One kind of source. Looks at files or asks a hub and so may block; it belongs on a thread."""

    def resolve(self, source: Source, asking: Asking) -> Resolution:
        """The model's facts, or why there are none. Paths of all files that an engine loads are absolute, or those in
        the repository (then the facts have an origin). May raise RefusedError."""
        ...


class RefusedError(Exception):
    """Internal to this package: ends a resolution early with ``reason``. ``resolve`` turns it into its answer."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A regular file that is open for reading, and its size in bytes."""

    path: Path
    descriptor: int
    size: int

    def read(self, offset: int, count: int) -> bytes:
        """``count`` bytes from ``offset``; fewer only at the end of the file."""
        parts: list[bytes] = []
        while count > 0:
            part = os.pread(self.descriptor, count, offset)
            if not part:
                break
            parts.append(part)
            offset += len(part)
            count -= len(part)
        return b"".join(parts)


@contextmanager
def open_regular(path: Path) -> Iterator[OpenFile]:
    """Open a regular file. Raises RefusedError for anything that is absent, unreadable, a folder, a pipe or a device.

    Opening without waiting matters: opening a named pipe would otherwise block for ever.
    """
    with _as_reasons(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise RefusedError(reason(ReasonCode.SOURCE_NO_MODEL, path=str(path)))
            yield OpenFile(path, descriptor, status.st_size)
        finally:
            os.close(descriptor)


def read_small(path: Path, limit: int) -> bytes | None:
    """A whole small file, or None when it is longer than ``limit`` bytes. Raises RefusedError as ``open_regular``."""
    with open_regular(path) as file:
        return file.read(0, file.size) if file.size <= limit else None


def is_folder(path: Path) -> bool:
    """Whether ``path`` is a folder. Raises RefusedError when there is nothing or it may not be looked at."""
    with _as_reasons(path):
        return stat.S_ISDIR(path.stat().st_mode)


def names_in(folder: Path) -> list[str]:
    """Names of everything in a folder, sorted. Raises RefusedError when it may not be listed.

    Names that are no UTF-8 are left out: neither the database nor a node's files could hold them.
    """
    with _as_reasons(folder):
        return sorted(entry.name for entry in os.scandir(folder) if not _SURROGATE.search(entry.name))


@contextmanager
def _as_reasons(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        absent = error.errno in _ABSENT
        code = ReasonCode.SOURCE_NOT_FOUND if absent else ReasonCode.SOURCE_NOT_READABLE
        raise RefusedError(reason(code, path=str(path))) from error
