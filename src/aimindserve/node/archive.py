"""Writing and reading archives of ours (``domain.archives``): plain tar, or tar in gzip.

The reader takes ordinary files whose names, sizes and checksums are in the list, and nothing else: no links, no
devices, no extended headers. It decides on each header of 512 bytes before it reads on."""

import gzip
import hashlib
import os
import tarfile
import zlib
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar, cast

from pydantic import ValidationError

from aimindserve.domain.archives import MANIFEST_NAME, ArchiveManifest, Entry, manifest_trouble
from aimindserve.domain.reasons import Reason, ReasonCode, reason

Manifest = TypeVar("Manifest", bound=ArchiveManifest)
Told = Callable[[int], None]
"""Learns of every piece that was read or written, in bytes."""

_BLOCK = tarfile.BLOCKSIZE
_PIECE = 1 << 20
_LARGE = 8 << 30
"""Bytes from which on only GNU's form of a header can tell a size; that form takes short names alone."""
_LONGEST_MANIFEST = 32 << 20
_GZIP_MAGIC = b"\x1f\x8b"
# What a cut or changed archive makes the readers of the standard library raise.
_DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, tarfile.HeaderError)


class ArchiveError(Exception):
    """An archive that is not taken; ``why`` says the cause and the remedy."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why.code)
        self.why = why


def sum_file(path: Path, told: Told = lambda _: None) -> tuple[int, str]:
    """Size in bytes and SHA-256 in hex of a file.

    Raises:
        OSError: it cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            told(len(piece))
    return size, digest.hexdigest()


def entry_of(name: str, path: Path, told: Told = lambda _: None) -> Entry:
    """The list's line for a file that is to be packed under ``name``.

    Raises:
        OSError: it cannot be read.
    """
    size, sha256 = sum_file(path, told)
    return Entry(name=name, size=size, sha256=sha256)


def pack(
    target: Path, manifest: ArchiveManifest, files: Mapping[str, Path], *, secret: bool, told: Told = lambda _: None
) -> None:
    """Write a new archive, durably. ``files``: by name in the list. ``secret``: closed to other accounts and
    compressed; else as the account's files are, and not compressed, since models cannot be.

    Raises:
        ArchiveError: a file is not what the list says (it changed, or its disk is damaged).
        FileExistsError: there is something at ``target`` already.
        OSError: a file cannot be read, or the archive not written; nothing is left at ``target``.
    """
    descriptor = os.open(
        target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600 if secret else 0o666
    )
    try:
        with os.fdopen(descriptor, "wb") as raw:
            if secret:
                with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as stream:
                    _write(cast("IO[bytes]", stream), manifest, files, told)
            else:
                _write(raw, manifest, files, told)
            raw.flush()
            os.fsync(raw.fileno())
    except (OSError, ArchiveError):
        target.unlink(missing_ok=True)
        raise


def _write(stream: IO[bytes], manifest: ArchiveManifest, files: Mapping[str, Path], told: Told) -> None:
    text = manifest.model_dump_json(indent=1).encode()
    stream.write(_header(MANIFEST_NAME, len(text)) + text + _padding(len(text)))
    for entry in manifest.entries:
        stream.write(_header(entry.name, entry.size))
        digest, copied = hashlib.sha256(), 0
        with files[entry.name].open("rb") as file:
            while piece := file.read(min(_PIECE, entry.size - copied + 1)):
                digest.update(piece)
                copied += len(piece)
                stream.write(piece)
                told(len(piece))
                if copied > entry.size:
                    break
        if copied != entry.size or digest.hexdigest() != entry.sha256:
            raise ArchiveError(reason(ReasonCode.FILE_CHANGED, path=str(files[entry.name])))
        stream.write(_padding(entry.size))
    stream.write(bytes(2 * _BLOCK))


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.USTAR_FORMAT if size < _LARGE else tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)


def read_manifest(path: Path, shape: type[Manifest]) -> Manifest:
    """The list of an archive, checked; its members are not looked at.

    Raises:
        ArchiveError: it is no archive of this kind, damaged, or of a newer version.
        OSError: it cannot be read.
    """
    with _opened(path) as stream:
        return _read_list(stream, path, shape)


def unpack(path: Path, shape: type[Manifest], folder: Path, told: Told = lambda _: None) -> Manifest:
    """Write every member into ``folder``, verified, on disk, mode 0600. A refused archive leaves a part behind in
    ``folder``, which the caller made and removes.

    Raises:
        ArchiveError: it is no archive of this kind, cut, damaged, of a newer version, or holds what it should not.
        OSError: it cannot be read, or the folder not written.
    """
    with _opened(path) as stream:
        manifest = _read_list(stream, path, shape)
        for entry in manifest.entries:
            found = _next_header(stream, path)
            if found is None:
                raise _damaged(path, f"{entry.name} is missing")
            if found.name != entry.name or found.size != entry.size:
                raise ArchiveError(reason(ReasonCode.ARCHIVE_UNSAFE, path=str(path), member=found.name))
            _write_member(stream, path, entry, folder, told)
        if (extra := _next_header(stream, path)) is not None:
            raise ArchiveError(reason(ReasonCode.ARCHIVE_UNSAFE, path=str(path), member=extra.name))
        if len(stream.read(_BLOCK + 1)) != _BLOCK:  # the second half of the end mark; gzip then checks its own sum
            raise _damaged(path, "its end is not as it was written")
    return manifest


@contextmanager
def _opened(path: Path) -> Generator[IO[bytes]]:
    """The tar stream of an archive; what damage raises becomes a reason."""
    with path.open("rb") as raw:
        packed = raw.read(2) == _GZIP_MAGIC
        raw.seek(0)
        try:
            if packed:
                with gzip.GzipFile(fileobj=raw, mode="rb") as stream:
                    yield cast("IO[bytes]", stream)
            else:
                yield raw
        except _DAMAGE as error:
            raise _damaged(path, str(error)) from error


def _damaged(path: Path, detail: str) -> ArchiveError:
    return ArchiveError(reason(ReasonCode.ARCHIVE_DAMAGED, path=str(path), detail=detail))


def _next_header(stream: IO[bytes], path: Path) -> tarfile.TarInfo | None:
    """The next member, None at the end mark. Only ordinary files are taken."""
    block = stream.read(_BLOCK)
    if len(block) < _BLOCK:
        raise EOFError("it ends too early")
    if block == bytes(_BLOCK):
        return None
    found = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    if found.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or found.size < 0:
        name = found.name.encode(errors="replace").decode()
        raise ArchiveError(reason(ReasonCode.ARCHIVE_UNSAFE, path=str(path), member=name))
    return found


def _read_list(stream: IO[bytes], path: Path, shape: type[Manifest]) -> Manifest:
    foreign = ArchiveError(reason(ReasonCode.ARCHIVE_FOREIGN, path=str(path), kind=shape.KIND or ""))
    try:
        found = _next_header(stream, path)
    except tarfile.HeaderError:
        raise foreign from None
    if found is None or found.name != MANIFEST_NAME or found.size > _LONGEST_MANIFEST:
        raise foreign
    text = _exactly(stream, found.size)
    _exactly(stream, len(_padding(found.size)))
    try:
        about = ArchiveManifest.model_validate_json(text)
    except ValidationError:
        raise foreign from None
    # What a list of a later format says of itself is enough: the rest of it need not have our shape.
    if about.kind != shape.KIND:
        raise foreign
    if (trouble := manifest_trouble(about, str(path))) is not None:
        raise ArchiveError(trouble)
    return _shaped(text, shape, foreign)


def _shaped(text: bytes, shape: type[Manifest], foreign: ArchiveError) -> Manifest:
    try:
        return shape.model_validate_json(text)
    except ValidationError:
        raise foreign from None


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("it ends too early")
    return data


def _write_member(stream: IO[bytes], path: Path, entry: Entry, folder: Path, told: Told) -> None:
    place = folder / entry.name
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), entry.size
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while left:
            piece = _exactly(stream, min(left, _PIECE))
            digest.update(piece)
            file.write(piece)
            left -= len(piece)
            told(len(piece))
        file.flush()
        os.fsync(file.fileno())
    _exactly(stream, len(_padding(entry.size)))
    if digest.hexdigest() != entry.sha256:
        raise _damaged(path, f"the checksum of {entry.name} differs")
