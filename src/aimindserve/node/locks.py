"""Locks that live as long as the last process of a replica.

A lock is an ``flock`` on a file; it belongs to the open file, which the shim and the engine inherit. The agent closes
its own copy after the start. So the lock of a replica is free exactly when none of its processes is left, whoever was
killed in between, and an exclusively claimed device cannot get a second owner, not even through a restarted agent.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from aimindserve.domain.replicas import Claim


class LockBusyError(Exception):
    """Somebody else holds the lock. ``what`` is a device's id, or empty for the replica's own lock."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def _open(path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def take(path: Path, *, exclusive: bool, what: str = "") -> int:
    """The file descriptor of the lock, taken now.

    Raises:
        LockBusyError: somebody holds it in a way that excludes this.
        OSError: the file cannot be made.
    """
    fd = _open(path)
    try:
        fcntl.flock(fd, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise LockBusyError(what) from None
    return fd


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock."""
    if not path.exists():
        return True
    try:
        os.close(take(path, exclusive=True))
    except LockBusyError:
        return False
    return True


def replica_lock(folder: Path, replica_id: str) -> Path:
    """The lock file of a replica."""
    return folder / f"replica-{replica_id}.lock"


def locked_replicas(folder: Path) -> list[str]:
    """Ids of the replicas that have a lock file, whether it is held or not."""
    return sorted(path.stem.removeprefix("replica-") for path in folder.glob("replica-*.lock"))


def device_lock(folder: Path, device_id: str) -> Path:
    """The lock file of a device."""
    plain = re.fullmatch(r"[A-Za-z0-9._-]{1,100}", device_id)
    name = device_id if plain else hashlib.sha256(device_id.encode()).hexdigest()
    return folder / f"device-{name}.lock"


def take_all(folder: Path, replica_id: str, claims: Iterable[Claim]) -> list[int]:
    """The lock of the replica and of each device that it claims (shared unless the claim is exclusive), all or none.

    Raises:
        LockBusyError: one of them is held.
        OSError: a file cannot be made.
    """
    taken: list[int] = []
    try:
        taken.append(take(replica_lock(folder, replica_id), exclusive=True))
        for claim in sorted(claims, key=lambda claim: claim.device_id):
            path = device_lock(folder, claim.device_id)
            taken.append(take(path, exclusive=claim.exclusive, what=claim.device_id))
    except (LockBusyError, OSError):
        release(taken)
        raise
    return taken


def release(descriptors: Iterable[int]) -> None:
    """Close this process's copies; other processes keep theirs."""
    for fd in descriptors:
        os.close(fd)
