"""Log files of the children, where nobody else keeps them. Standard library only, like the supervisor."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

LOG_LIMIT = 16 * 1024**2  # bytes of a child's log; a longer one is put aside
KEPT = 3  # logs that were put aside: name.log.1 is the newest


def open_log(path: Path) -> int:
    """A file descriptor that appends to ``path`` (0600); an oversized log is first put aside."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    rotate(path)
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def rotate(path: Path) -> bool:
    """Put an oversized log aside. The file stays the same one, emptied: whoever writes to its end goes on with it. What
    is written between the copy and the cut is lost, a few lines at most. False where nothing was to be done."""
    if path.is_symlink() or not path.exists() or path.stat().st_size <= LOG_LIMIT:
        return False
    for number in range(KEPT, 1, -1):
        older = _aside(path, number - 1)
        if older.exists():
            older.replace(_aside(path, number))
    copy = os.open(_aside(path, 1), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(copy, "wb") as target, path.open("rb") as source:
        shutil.copyfileobj(source, target)
    os.truncate(path, 0)
    return True


def _aside(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
