"""The bytes of an emulated hub's files: held, on disk, or virtual (a true header, then zeros up to a true size)."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

LFS_OVER = 10 << 20  # the hub refuses bigger files in plain git
_LFS_SUFFIXES = (".gguf", ".safetensors", ".bin", ".pt", ".pth", ".onnx", ".model", ".imatrix", ".msgpack", ".h5")
_CHUNK = 1 << 20
_TRUE_DIGEST_UP_TO = 256 << 20


class Content(ABC):
    """Readable bytes of a known size."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes."""

    @abstractmethod
    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``."""

    @cached_property
    def sha256(self) -> str:
        """The digest of all bytes, in lower-case hex; made at the first question."""
        digest = hashlib.sha256()
        for offset in range(0, self.size, _CHUNK):
            digest.update(self.read(offset, _CHUNK))
        return digest.hexdigest()


@dataclass(frozen=True)
class Held(Content):
    """Bytes in memory."""

    data: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``."""
        return self.data[offset : offset + length]


@dataclass(frozen=True)
class OnDisk(Content):
    """A local file, served as it is."""

    path: Path

    @property
    def size(self) -> int:
        """Bytes."""
        return self.path.stat().st_size

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``."""
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(length)


@dataclass(frozen=True)
class Virtual(Content):
    """``make_header()``, then zeros up to ``total`` bytes; nothing is stored.

    ``declared``: the digest that is told without looking. Without it, files up to 256 MiB tell their true digest (made
    at the first question) and bigger ones an invented one: who downloads those to the end finds a difference.
    """

    total: int
    make_header: Callable[[], bytes] = bytes
    declared: str | None = None

    @property
    def size(self) -> int:
        """Bytes."""
        return self.total

    @cached_property
    def header(self) -> bytes:
        """The first bytes."""
        return self.make_header()

    @cached_property
    def sha256(self) -> str:
        """True or invented, see above."""
        if self.declared:
            return self.declared
        if self.size <= _TRUE_DIGEST_UP_TO:
            return super().sha256
        return hashlib.sha256(self.header + b"\0" + str(self.size).encode()).hexdigest()

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``."""
        length = max(0, min(length, self.size - offset))
        start = self.header[offset : offset + length]
        return start + bytes(length - len(start))


@dataclass(frozen=True)
class HubFile:
    """A file of a repository. ``lfs``: stored apart from git, known by its SHA-256, served by the content network."""

    path: str
    content: Content
    lfs: bool

    @cached_property
    def blob_id(self) -> str:
        """SHA-1 of the git blob: of the file, or of the pointer that stands for it."""
        data = self.pointer if self.lfs else self.content.read(0, self.content.size)
        return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()

    @property
    def pointer(self) -> bytes:
        """What git holds of a file in LFS."""
        lines = ("version https://git-lfs.github.com/spec/v1", f"oid sha256:{self.content.sha256}")
        return "\n".join((*lines, f"size {self.content.size}", "")).encode()

    @property
    def etag(self) -> str:
        """Without quotes: SHA-256 for LFS files, else the blob's SHA-1."""
        return self.content.sha256 if self.lfs else self.blob_id


def hub_file(path: str, content: Content) -> HubFile:
    """A file that is in LFS when its name or size says so, as ``.gitattributes`` of the hubs have it."""
    lfs = path.endswith(_LFS_SUFFIXES) or content.size > LFS_OVER or path.rpartition("/")[2] == "tokenizer.json"
    return HubFile(path, content, lfs)
