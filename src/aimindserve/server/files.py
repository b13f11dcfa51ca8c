"""Private files and folders: modes that no umask widens, no link followed, contents on disk before the name."""

import errno
import fcntl
import os
import secrets
from pathlib import Path


def make_private_folder(path: Path) -> None:
    """Makes ``path`` (and its parents) if needed and sets its mode to 0700.

    Raises:
        OSError: it cannot be made, is no folder, is a symbolic link, or belongs to another user.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(folder).st_uid not in (os.geteuid(), 0):
            raise PermissionError(f"{path} belongs to another user")
        os.fchmod(folder, 0o700)
    finally:
        os.close(folder)


def create_private_file(path: Path, content: bytes) -> None:
    """Writes a new file of mode 0600, durably. Never follows a link.

    Raises:
        FileExistsError: there is something at ``path`` already, be it a dangling link.
        OSError: it cannot be written; nothing is left at ``path``.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(file, 0o600)
        _write_all(file, content)
        os.fsync(file)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(file)
    _sync_folder(path.parent)


def replace_private_file(path: Path, content: bytes) -> None:
    """Puts a file of mode 0600 in place of whatever is at ``path``; a reader sees the old or the new one, whole.

    Raises:
        OSError: it cannot be written; the old one is still there.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    create_private_file(beside, content)
    try:
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def read_private_file(path: Path) -> bytes:
    """The content of a file that must be ours alone; a mode that lets others read is taken back first.

    Raises:
        OSError: it is missing, cannot be read, is a symbolic link, or belongs to another account.
    """
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(file, "rb") as stream:
        status = os.fstat(file)
        if status.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "the file belongs to another account; remove it", str(path))
        if status.st_mode & 0o077:
            os.fchmod(file, 0o600)
        return stream.read()


def is_held(lock: Path) -> bool:
    """Whether a living process holds this lock file."""
    try:
        with lock.open() as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # no such file: nobody ran here yet
    return False


def _write_all(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
