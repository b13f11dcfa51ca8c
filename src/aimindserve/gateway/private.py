"""Files that only this account may read: written whole or not at all, never through a link."""

import os
import secrets
from pathlib import Path


def replace_private(file: Path, content: bytes) -> None:
    """Put a file of mode 0600 with ``content`` in place of whatever is at ``file``.

    Raises:
        OSError: it cannot be written; the old one is still there.
    """
    beside = file.with_name(f".{file.name}.{secrets.token_hex(6)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        beside.replace(file)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def read_private(file: Path) -> bytes | None:
    """The content of ``file``; None when it is missing, a link, somebody else's, or others could have written it."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as stream:
        state = os.fstat(handle)
        if state.st_uid != os.geteuid() or state.st_mode & 0o022:
            return None
        try:
            return stream.read()
        except OSError:
            return None
