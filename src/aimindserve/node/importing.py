"""Taking model files from a folder that somebody brought, such as a USB disk."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

from aimindserve.domain.facts import HubOrigin, ModelFile
from aimindserve.domain.files import blob_name
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.node.transfer import TransferError, new_digest

_PIECE = 4 << 20
_UNREADABLE = (errno.EACCES, errno.EPERM, errno.EIO)


def find_brought(folder: Path, origin: HubOrigin, file: ModelFile) -> Path | None:
    """Where a file's content lies in ``folder``: under its path in the repository, under its name alone, or in the
    ``blobs`` of another store or of a Hugging Face cache. None: nowhere.

    Raises:
        TransferError: it is there with another size, or cannot be looked at.
    """
    named = [folder / file.path, folder / Path(file.path).name]
    digest = (file.digest or "").partition(":")[2]
    places = [*named, folder / "blobs" / blob_name(origin, file), *([folder / "blobs" / digest] if digest else [])]
    sizes = {path: size for path in places if (size := _size(path)) is not None}
    found = next((path for path, size in sizes.items() if size == file.size), None)
    if found is None and sizes:
        raise TransferError(reason(ReasonCode.IMPORT_DIFFERS, path=str(next(iter(sizes)))))
    return found


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError as error:
        if error.errno in _UNREADABLE:
            raise TransferError(reason(ReasonCode.SOURCE_NOT_READABLE, path=str(path))) from error
        return None


def bring(path: Path, file: ModelFile, partial: Path, told: Callable[[int], None]) -> None:
    """Copy ``path`` to ``partial`` and verify it on the way; ``told`` learns of every piece.

    Raises:
        TransferError: it cannot be read, or is not the file that is wanted.
        OSError: ``partial`` cannot be written.
    """
    digest = new_digest(file.digest, file.size) if file.digest else None
    before = partial.stat().st_size if partial.is_file() else 0
    told(-before)
    copied = 0
    source = _open(path)
    try:
        with partial.open("wb") as copy:
            while piece := _read(source, path):
                copy.write(piece)
                copied += len(piece)
                told(len(piece))
                if digest is not None:
                    digest.update(piece)
    finally:
        os.close(source)
    if copied != file.size or (digest is not None and digest.hexdigest() != (file.digest or "").partition(":")[2]):
        partial.unlink()
        told(-copied)
        raise TransferError(reason(ReasonCode.IMPORT_DIFFERS, path=str(path)))


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise TransferError(reason(ReasonCode.SOURCE_NOT_READABLE, path=str(path))) from error


def _read(source: int, path: Path) -> bytes:
    try:
        return os.read(source, _PIECE)
    except OSError as error:
        raise TransferError(reason(ReasonCode.SOURCE_NOT_READABLE, path=str(path))) from error
