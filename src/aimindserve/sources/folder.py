"""A folder that somebody brings: a repository's files, with what the folder itself tells of where they come from.

Three forms tell: a model's folder in a Hugging Face cache (``models--org--name``: repository, commit, digests), a
folder that ``hf download --local-dir`` filled (commit and digests), and a plain copy (nothing).
"""

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aimindserve.domain.facts import Hub, HubOrigin
from aimindserve.domain.files import IMPORTED
from aimindserve.domain.hub_files import RepositoryFile
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.source import Source, SourceKind
from aimindserve.sources._base import Asking, RefusedError, Resolution, is_folder, names_in, open_regular, read_small
from aimindserve.sources._hub import Snapshot
from aimindserve.sources._hub_checkpoint import checkpoint_facts
from aimindserve.sources._hub_gguf import choose_gguf, gguf_facts

_CACHED = re.compile(r"models--([A-Za-z0-9._-]+?)--([A-Za-z0-9._-]+)")
_COMMIT = re.compile(r"[0-9a-f]{40}")
# A cache's blobs and the notes of a local download are named by, or hold, one of these.
_DIGESTS = {64: "sha256", 40: "git"}
_HEX = re.compile(r"[0-9a-f]+")
_DEEPEST, _MOST_FILES, _LONGEST_NOTE = 3, 10_000, 4096


@dataclass(frozen=True, slots=True)
class Brought:
    """A folder with the files of one repository under their own paths. ``repository``, ``revision``: None where the
    folder does not tell; ``file``: the one that was named; ``digests`` by path, as in ``ModelFile``."""

    root: Path
    repository: str | None = None
    revision: str | None = None
    file: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict[str, str])

    def source(self, named: Source | None) -> Source | None:
        """Where the files come from: as a person named it, completed by what the folder tells. None: nobody knows."""
        if named is None and self.repository is None:
            return None
        source = named or Source(SourceKind.HUGGING_FACE, self.repository or "")
        told = self.repository in (None, source.location) and source.kind is SourceKind.HUGGING_FACE
        revision = source.revision or (self.revision if told else None)
        file = source.file or (self.file if source.quantization is None else None)
        return Source(source.kind, source.location, revision, file, source.quantization)


def look_into(path: Path) -> Brought | Reason:
    """What a folder or file that a person names is. Blocks on the disk."""
    try:
        return _look_into(path)
    except RefusedError as refused:
        return refused.reason


def brought_facts(brought: Brought, source: Source, asking: Asking) -> Resolution:
    """The facts of the model that ``source`` names, from the files in the folder, with their paths in the repository.
    Blocks on the disk."""
    try:
        snapshot = _snapshot(brought, source)
        choice = choose_gguf(snapshot, source)
        return checkpoint_facts(snapshot) if choice is None else gguf_facts(snapshot, choice, asking.projector)
    except RefusedError as refused:
        return refused.reason


def _look_into(path: Path) -> Brought:
    if not is_folder(path):
        named = path.name if path.suffix == ".gguf" else None
        return _plain(path.parent, named)
    if path.parent.name == "snapshots" and _COMMIT.fullmatch(path.name) and _CACHED.fullmatch(path.parent.parent.name):
        return _cached(path.parent.parent, path.name)
    if _CACHED.fullmatch(path.name):
        return _cached(path, _cached_revision(path))
    cached = [name for name in names_in(path) if _CACHED.fullmatch(name)]
    if len(cached) == 1:
        return _cached(path / cached[0], _cached_revision(path / cached[0]))
    if cached:
        raise RefusedError(reason(ReasonCode.IMPORT_SEVERAL, path=str(path), there=", ".join(cached[:10])))
    return _plain(path)


def _plain(folder: Path, file: str | None = None) -> Brought:
    """A folder that tells no repository; notes of a local download tell the commit, where they agree, and digests."""
    notes = _notes(folder)
    commits = {commit for commit, _ in notes.values()}
    digests = {path: digest for path, (_, etag) in notes.items() if (digest := _digest(etag))}
    return Brought(folder, revision=commits.pop() if len(commits) == 1 else None, file=file, digests=digests)


def _cached_revision(folder: Path) -> str:
    """The commit that ``main`` means in a model's folder of a cache, or the only one that is there."""
    there = [name for name in names_in(folder / "snapshots") if _COMMIT.fullmatch(name)]
    main = folder / "refs" / "main"
    noted = read_small(main, _LONGEST_NOTE) if main.is_file() else None
    revision = (noted or b"").decode("ascii", "replace").strip()
    if revision in there:
        return revision
    if len(there) == 1:
        return there[0]
    raise RefusedError(reason(ReasonCode.IMPORT_SEVERAL, path=str(folder / "snapshots"), there=", ".join(there) or "–"))


def _cached(folder: Path, revision: str) -> Brought:
    found = _CACHED.fullmatch(folder.name)
    root = folder / "snapshots" / revision
    digests: dict[str, str] = {}
    for path in _paths(root):
        place = root / path
        if place.is_symlink():
            digest = _digest(place.readlink().name)
            if digest is not None:
                digests[path] = digest
    repository = f"{found[1]}/{found[2]}" if found else None
    return Brought(root, repository, revision, digests=digests)


def _notes(folder: Path) -> dict[str, tuple[str, str]]:
    """Commit and etag by path, from ``.cache/huggingface/download/<path>.metadata``
    (huggingface_hub, ``_local_folder.py``)."""
    notes = folder / ".cache" / "huggingface" / "download"
    found: dict[str, tuple[str, str]] = {}
    for path in _paths(notes) if notes.is_dir() else ():
        raw = read_small(notes / path, _LONGEST_NOTE) if path.endswith(".metadata") else None
        lines = (raw or b"").decode("ascii", "replace").split()
        if len(lines) >= 2 and _COMMIT.fullmatch(lines[0]):
            found[path.removesuffix(".metadata")] = (lines[0], lines[1])
    return found


def _digest(text: str) -> str | None:
    kind = _DIGESTS.get(len(text)) if _HEX.fullmatch(text) else None
    return f"{kind}:{text}" if kind else None


def _paths(root: Path, below: str = "", depth: int = 0) -> Iterator[str]:
    """Regular files under ``root`` by their paths with ``/``, links followed; hidden ones left out."""
    for name in names_in(root / below):
        if name.startswith("."):
            continue
        path = f"{below}/{name}" if below else name
        try:
            mode = (root / path).stat().st_mode
        except OSError:
            continue
        if stat.S_ISREG(mode):
            yield path
        elif stat.S_ISDIR(mode) and depth < _DEEPEST:
            yield from _paths(root, path, depth + 1)


def _snapshot(brought: Brought, source: Source) -> Snapshot:
    files: list[RepositoryFile] = []
    for path in _paths(brought.root):
        if len(files) == _MOST_FILES:
            raise RefusedError(reason(ReasonCode.SOURCE_NO_MODEL, path=str(brought.root)))
        files.append(RepositoryFile(path, (brought.root / path).stat().st_size, brought.digests.get(path)))
    hub: Hub = "ms" if source.kind is SourceKind.MODEL_SCOPE else "hf"
    origin = HubOrigin(hub=hub, repository=source.location, revision=source.revision or IMPORTED)
    return Snapshot(hub, origin.repository, origin.revision, tuple(files), _FolderContent(brought.root))


@dataclass(frozen=True, slots=True)
class _FolderContent:
    """Files in a folder of this machine."""

    root: Path

    def part(self, file: RepositoryFile, offset: int, count: int) -> bytes:
        with open_regular(self.root / file.path) as opened:
            read = opened.read(offset, count)
        if len(read) != count:
            raise RefusedError(reason(ReasonCode.SOURCE_NOT_READABLE, path=str(self.root / file.path)))
        return read

    def whole(self, file: RepositoryFile) -> bytes:
        return self.part(file, 0, file.size)
