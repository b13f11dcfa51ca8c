"""Whether the files of a model are as they were when it was deployed, and whether there is room for logs."""

import os
from pathlib import Path

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.reasons import Reason, ReasonCode, reason

# Less than this is left to nobody but the administrator: ledgers, keys and the head of a log need about a tenth of it.
_ROOM = 64 * 1024


def check_weights(facts: ModelFacts) -> Reason | None:
    """The first thing that is wrong with a model's files; None when all are there, readable and of the right size."""
    for file in facts.files:
        path = Path(file.path)
        try:
            size = path.stat().st_size
        except PermissionError:
            return reason(ReasonCode.SOURCE_NOT_READABLE, path=file.path)
        except OSError:
            return reason(ReasonCode.SOURCE_NOT_FOUND, path=file.path)
        if not os.access(path, os.R_OK):
            return reason(ReasonCode.SOURCE_NOT_READABLE, path=file.path)
        if file.size and size != file.size:
            return reason(ReasonCode.FILE_CHANGED, path=file.path)
    return None


def check_room(folder: Path) -> Reason | None:
    """A reason when the disk that holds ``folder`` has no room for a launch."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    free = disk.f_bavail * disk.f_frsize
    return reason(ReasonCode.DISK_FULL, path=str(folder)) if free < _ROOM else None
