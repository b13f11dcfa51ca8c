"""The store of model files: content by digest, and for every model a folder of links under the files' own names.

``blobs/<digest>`` holds verified content, ``partial/<digest>`` what has arrived of it, ``snapshots/…`` the links,
``manifests/<key>.json`` which files a model has. Content that several models share is there once. Nothing outside the
store is written or deleted; a link that leads elsewhere, other than into a known Hugging Face cache, is not followed.
"""

import contextlib
import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from aimindserve.domain.facts import HubOrigin, ModelFacts, ModelFile
from aimindserve.domain.files import blob_name, model_key
from aimindserve.node.records import read_model, write_private


class Manifest(BaseModel):
    """A model whose files are all there. ``borrowed``: files that lie elsewhere (a Hugging Face cache), by path in the
    repository; they are used and never deleted."""

    model_config = ConfigDict(frozen=True)

    source: str
    facts: ModelFacts
    created_at: float
    borrowed: dict[str, str] = Field(default_factory=dict)


class Store:
    """One store. Methods do short file work and may block; the names in facts were checked (``unsafe_name``)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs = root / "blobs"
        self.partials = root / "partial"
        self.snapshots = root / "snapshots"
        self.manifests = root / "manifests"
        self.locks = root / "locks"

    def prepare(self) -> None:
        """Make the folders.

        Raises:
            OSError: one cannot be made, or is a link.
        """
        for folder in (self.root, self.blobs, self.partials, self.snapshots, self.manifests, self.locks):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.is_symlink():
                raise NotADirectoryError(20, "a folder of the model store is a link", str(folder))

    def blob(self, origin: HubOrigin, file: ModelFile) -> Path:
        """Where a file's verified content lies."""
        return self.blobs / blob_name(origin, file)

    def partial(self, origin: HubOrigin, file: ModelFile) -> Path:
        """Where what has arrived of it lies."""
        return self.partials / blob_name(origin, file)

    def folder(self, origin: HubOrigin) -> Path:
        """The folder of a repository's links at one commit."""
        return self.snapshots / origin.hub / origin.repository / origin.revision

    def there(self, facts: ModelFacts) -> int:
        """Bytes of a model's files that are on disk, verified or on their way."""
        origin = facts.origin
        if origin is None:
            return 0
        return sum(max(0, _size(self.blob(origin, file)), _size(self.partial(origin, file))) for file in facts.files)

    def missing(self, facts: ModelFacts) -> list[ModelFile]:
        """Files whose content is not in the store."""
        origin = facts.origin
        return [] if origin is None else [file for file in facts.files if _size(self.blob(origin, file)) != file.size]

    def manifest(self, key: str) -> Manifest | None:
        """The manifest of a model, whether its files are still whole or not."""
        return read_model(self.manifests / f"{key}.json", Manifest)

    def all(self) -> dict[str, Manifest]:
        """Every model by key."""
        found = {path.stem: read_model(path, Manifest) for path in sorted(self.manifests.glob("*.json"))}
        return {key: one for key, one in found.items() if one is not None and model_key(one.facts) == key}

    def is_ready(self, facts: ModelFacts) -> bool:
        """Whether every file is there under its own name, of the right size."""
        origin = facts.origin
        if origin is None or self.manifest(model_key(facts)) is None:
            return False
        folder = self.folder(origin)
        return all(_size(folder / file.path, follow=True) == file.size for file in facts.files)

    def located(self, facts: ModelFacts) -> ModelFacts:
        """The facts with absolute paths, as engines need them. Local facts as they are."""
        if facts.origin is None:
            return facts
        folder = self.folder(facts.origin)
        files = tuple(file.model_copy(update={"path": str(folder / file.path)}) for file in facts.files)
        return facts.model_copy(update={"files": files})

    def publish(self, source: str, facts: ModelFacts, borrowed: Mapping[str, str], now: float) -> None:
        """Give verified content its names; the manifest comes last, so that a crash leaves nothing half told.

        Raises:
            OSError: a link or the manifest cannot be written.
        """
        origin = facts.origin
        if origin is None:
            raise ValueError("local files are not published")
        folder = self.folder(origin)
        for file in facts.files:
            link = folder / file.path
            self._make_folders(link.parent)
            target = borrowed.get(file.path) or os.path.relpath(self.blob(origin, file), link.parent)
            fresh = link.with_name(f".{link.name[:200]}.new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(target)
            fresh.replace(link)
        manifest = Manifest(source=source, facts=facts, created_at=now, borrowed=dict(borrowed))
        write_private(self.manifests / f"{model_key(facts)}.json", manifest.model_dump_json().encode())

    def _make_folders(self, folder: Path) -> None:
        """Make a folder of the store; on the way down, none may be a link."""
        place = self.root
        for part in folder.relative_to(self.root).parts:
            place /= part
            if place.is_symlink():
                raise NotADirectoryError(20, "a folder of the model store is a link", str(place))
            place.mkdir(mode=0o700, exist_ok=True)

    def freed_by(self, key: str) -> int:
        """Bytes that deleting a model would free: content that no other model uses."""
        own, others = self._names(key)
        return sum(max(0, _size(self.blobs / name)) for name in own - others)

    def forget(self, key: str, facts: ModelFacts | None = None) -> None:
        """Delete a model: its manifest, the names that no other model uses, then content that nobody refers to.

        ``facts``: of a model that has no manifest yet (a download that did not end).

        Raises:
            OSError: something cannot be deleted; calling again goes on.
        """
        manifest = self.manifest(key)
        doomed = manifest.facts if manifest else facts
        if doomed is None or doomed.origin is None:
            return
        own = {blob_name(doomed.origin, file) for file in doomed.files}
        others = self._used_by_others(key)
        (self.manifests / f"{key}.json").unlink(missing_ok=True)
        self._unlink_names(key, doomed, doomed.origin)
        for name in own - others:
            (self.blobs / name).unlink(missing_ok=True)
            (self.partials / name).unlink(missing_ok=True)

    def _unlink_names(self, key: str, doomed: ModelFacts, origin: HubOrigin) -> None:
        kept = {
            file.path
            for other, one in self.all().items()
            if other != key and one.facts.origin == origin
            for file in one.facts.files
        }
        folder = self.folder(origin)
        for path in (file.path for file in doomed.files if file.path not in kept):
            link = folder / path
            if self._is_inside(link.parent) and link.is_symlink():
                link.unlink()
        _remove_empty(folder, self.snapshots)

    def _is_inside(self, folder: Path) -> bool:
        """Whether no part of the way from the store to ``folder`` is a link."""
        place = self.root
        for part in folder.relative_to(self.root).parts:
            place /= part
            if place.is_symlink():
                return False
        return True

    def _names(self, key: str) -> tuple[set[str], set[str]]:
        manifest = self.manifest(key)
        own = _content_names(manifest.facts) if manifest else set[str]()
        return own, self._used_by_others(key)

    def _used_by_others(self, key: str) -> set[str]:
        return {name for other, one in self.all().items() if other != key for name in _content_names(one.facts)}

    def disk_free(self) -> int | None:
        """Bytes that the account may still write on the store's disk; None when that cannot be told."""
        try:
            return shutil.disk_usage(self.root).free
        except OSError:
            return None


def _content_names(facts: ModelFacts) -> set[str]:
    origin = facts.origin
    return set[str]() if origin is None else {blob_name(origin, file) for file in facts.files}


def _size(path: Path, *, follow: bool = False) -> int:
    """The size of a regular file; -1 for anything else, so that it equals no size."""
    try:
        status = path.stat(follow_symlinks=follow)
    except OSError:
        return -1
    return status.st_size if stat.S_ISREG(status.st_mode) else -1


def _remove_empty(folder: Path, stop: Path) -> None:
    """Remove the empty folders in ``folder``, itself, and those above it below ``stop``."""
    below = [Path(place) for place, _, _ in os.walk(folder, topdown=False)]
    for place in (*below, *folder.parents):
        if place == stop:
            return
        with contextlib.suppress(OSError):
            place.rmdir()
