"""The file with the password of the first ``admin``: made once, mode 0600, gone after the first change."""

import re
from pathlib import Path

from aimindserve.domain.paths import DataPaths
from aimindserve.server.files import create_private_file, read_private_file, replace_private_file
from aimindserve.server.tokens import new_password

_PASSWORD = re.compile(r"[A-Za-z0-9]{20}")


class UnsafeFileError(Exception):
    """Something that we did not make lies where a secret belongs."""


def make_initial_password(paths: DataPaths) -> str:
    """The password in the file; a new one where there is no file yet. A half-written one is replaced.

    Raises:
        UnsafeFileError: a link or something else that is not our file lies there.
    """
    path = Path(paths.initial_admin_password)
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise UnsafeFileError(f"{path} is a link or not a file. Remove it, then start again.")
    if path.exists():
        password = read_private_file(path).decode(errors="replace").strip()
        if _PASSWORD.fullmatch(password):
            return password
        path.unlink()
    password = new_password()
    create_private_file(path, f"{password}\n".encode())
    return password


def replace_initial_password(paths: DataPaths) -> str:
    """Writes a new password in place of whatever the file held."""
    password = new_password()
    replace_private_file(Path(paths.initial_admin_password), f"{password}\n".encode())
    return password


def initial_password_file(paths: DataPaths) -> Path | None:
    """The file, as long as it is there."""
    path = Path(paths.initial_admin_password)
    return path if path.is_file() and not path.is_symlink() else None


def written_at(paths: DataPaths) -> float | None:
    """When the file was written, in Unix seconds; None when there is none."""
    path = initial_password_file(paths)
    return None if path is None else path.stat().st_mtime


def forget_initial_password(paths: DataPaths) -> None:
    """Removes the file."""
    Path(paths.initial_admin_password).unlink(missing_ok=True)
