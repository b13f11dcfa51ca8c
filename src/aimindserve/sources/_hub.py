"""What the two hubs have in common, and reading headers of files that stay there."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar
from urllib.parse import quote

from aimindserve.domain.facts import Hub, HubOrigin
from aimindserve.domain.gguf import MAX_HEADER, GgufError, read_header
from aimindserve.domain.gguf_facts import summarize
from aimindserve.domain.gguf_model import GgufFile, explain_gguf
from aimindserve.domain.hf_json import MAX_CONFIG, ConfigError
from aimindserve.domain.hf_weights import MAX_SAFETENSORS_HEADER, Weights, parse_safetensors_header
from aimindserve.domain.hub_files import RepositoryFile
from aimindserve.domain.hubs import HubAccount, HubPage, HubQuery
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.source import Source
from aimindserve.domain.units import KIB, MIB
from aimindserve.sources._base import RefusedError
from aimindserve.sources._http import Asked, HubHttp

_T = TypeVar("_T")
_R = TypeVar("_R")
_AT_ONCE = 8
_FIRST_READ, _LARGEST_READ = 1 * MIB, 16 * MIB
# Most headers of safetensors files are shorter than this: one question instead of two.
_SAFETENSORS_READ = 256 * KIB


class Content(Protocol):
    """Reads files of a repository. Methods block, may be called on several threads, and raise RefusedError."""

    def part(self, file: RepositoryFile, offset: int, count: int) -> bytes:
        """Exactly ``count`` bytes from ``offset``; both lie in the file."""
        ...

    def whole(self, file: RepositoryFile) -> bytes:
        """A whole small file."""
        ...


@dataclass(frozen=True, slots=True)
class HubContent:
    """Files that stay at a hub."""

    http: HubHttp
    repository: str
    revision: str

    def part(self, file: RepositoryFile, offset: int, count: int) -> bytes:
        """By an HTTP range request."""
        return self.http.read_range(self._url(file), offset, count, file.size, self._asked(file))

    def whole(self, file: RepositoryFile) -> bytes:
        """By one request."""
        path = self._url(file).removeprefix(self.http.endpoint)
        return self.http.get(path, self._asked(file), limit=MAX_CONFIG).body

    def _url(self, file: RepositoryFile) -> str:
        models = "models/" if self.http.hub == "ms" else ""
        return f"{self.http.endpoint}/{models}{self.repository}/resolve/{self.revision}/{quote(file.path)}"

    def _asked(self, file: RepositoryFile) -> Asked:
        return Asked(self.repository, self.revision, file.path)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A repository at one commit. ``content``: reads its files, wherever they are."""

    hub: Hub
    repository: str
    revision: str
    files: tuple[RepositoryFile, ...]
    content: Content
    license: str | None = None
    gated: bool = False
    vision: bool = False
    """The hub says that the model sees."""

    @property
    def origin(self) -> HubOrigin:
        """Where the files come from, for the facts."""
        return HubOrigin(hub=self.hub, repository=self.repository, revision=self.revision)

    def source(self, quantization: str | None = None) -> str:
        """What to deploy, pinned to the commit."""
        pinned = f"{self.hub}://{self.repository}@{self.revision}"
        return f"{pinned}:{quantization}" if quantization else pinned

    def file(self, path: str) -> RepositoryFile | None:
        """The file at ``path``."""
        return next((file for file in self.files if file.path == path), None)


class HubClient(Protocol):
    """One kind of hub. All methods block and raise RefusedError."""

    http: HubHttp

    def search(self, query: HubQuery) -> HubPage:
        """One page of models."""
        ...

    def snapshot(self, source: Source) -> Snapshot:
        """The repository that ``source`` names, at the commit that its revision means now."""
        ...

    def whoami(self) -> HubAccount:
        """Whose token it is."""
        ...


def at_once(function: Callable[[_T], _R], items: Sequence[_T]) -> list[_R]:
    """``function`` of all items on a few threads, in order. The first failure is raised."""
    if len(items) < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(min(_AT_ONCE, len(items))) as pool:
        return list(pool.map(function, items))


def read_text(snapshot: Snapshot, file: RepositoryFile, limit: int = MAX_CONFIG) -> bytes:
    """A whole small file, or its first ``limit`` bytes. Raises RefusedError."""
    if file.size == 0:
        return b""
    return snapshot.content.part(file, 0, limit) if file.size > limit else snapshot.content.whole(file)


def read_gguf(snapshot: Snapshot, file: RepositoryFile) -> GgufFile:
    """What the header of a GGUF file says. Reads 1 MiB, then twice as much each time, 64 MiB at most.

    Raises RefusedError.
    """
    reader = _Reader(snapshot.content, file)
    try:
        summary = summarize(read_header(reader.read, file.size))
    except GgufError as error:
        raise RefusedError(explain_gguf(file.path, error)) from error
    return GgufFile(file.path, file.size, summary, file.digest)


def read_safetensors(snapshot: Snapshot, file: RepositoryFile, bits: int | None) -> Weights:
    """The weights that the header of a safetensors file lists. Raises RefusedError."""
    corrupt, content = ReasonCode.SAFETENSORS_CORRUPT, snapshot.content
    if file.size < 8:
        raise RefusedError(reason(corrupt, path=file.path, detail="its header is cut off"))
    first = content.part(file, 0, min(_SAFETENSORS_READ, file.size))
    length = int.from_bytes(first[:8], "little")
    data = file.size - 8 - length
    if length > MAX_SAFETENSORS_HEADER or data < 0:
        raise RefusedError(reason(corrupt, path=file.path, detail="its header is cut off or too long"))
    header = first[8 : 8 + length]
    if len(header) < length:
        header += content.part(file, len(first), length - len(header))
    try:
        return parse_safetensors_header(header, data, bits)
    except ConfigError as error:
        raise RefusedError(reason(corrupt, path=file.path, detail=str(error))) from error


class _Reader:
    """Reads a file forwards, in windows that double."""

    def __init__(self, content: Content, file: RepositoryFile) -> None:
        self._content, self._file = content, file
        self._window, self._start = b"", 0
        self._next, self._total = _FIRST_READ, 0

    def read(self, offset: int, count: int) -> bytes:
        """``count`` bytes from ``offset``; fewer only at the end of the file."""
        count = min(count, self._file.size - offset)
        begin = offset - self._start
        if begin < 0 or begin + count > len(self._window):
            kept = self._window[begin:] if 0 <= begin < len(self._window) else b""
            wanted = min(max(count - len(kept), self._next), self._file.size - offset - len(kept))
            self._total += wanted
            if self._total > MAX_HEADER + _LARGEST_READ:
                raise RefusedError(
                    reason(ReasonCode.GGUF_CORRUPT, path=self._file.path, detail="its header is too long")
                )
            read = self._content.part(self._file, offset + len(kept), wanted)
            self._window, self._start, begin = kept + read, offset, 0
            self._next = min(self._next * 2, _LARGEST_READ)
        return self._window[begin : begin + count]
