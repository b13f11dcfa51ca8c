"""Archives of ours: what their list of contents says, and which names they may hold.

An archive is a tar file whose first member is ``manifest.json``. The list names every other member with its size and
checksum, so that a reader can refuse what it did not expect before it writes a byte of it."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from aimindserve.domain.environments import Recipe
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.files import blob_name, unsafe_name
from aimindserve.domain.reasons import Reason, ReasonCode, reason

MANIFEST_NAME = "manifest.json"
FORMAT = 1
"""Of the archive; readers refuse a higher one."""
PRODUCT = "aimindserve"
LONGEST_NAME, LONGEST_PART = 200, 100
"""Bytes of a member's whole name and of each part of it, so that a tar header holds it without an extension."""

ArchiveKind = Literal["backup", "bundle"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Entry(_Frozen):
    """One member. ``size`` in bytes; ``sha256`` in hex."""

    name: str
    size: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class ArchiveManifest(_Frozen):
    """What every archive says of itself. ``version``: of the aiMindServe that made it; ``made_at``: Unix seconds."""

    KIND: ClassVar[ArchiveKind | None] = None
    product: Literal["aimindserve"] = PRODUCT
    kind: ArchiveKind
    format: int = FORMAT
    version: str
    made_at: float
    entries: tuple[Entry, ...] = ()


class TableSum(_Frozen):
    """A table's rows: how many, and a checksum over their values that does not depend on their order."""

    rows: int
    sha256: str


class BackupManifest(ArchiveManifest):
    """What a backup holds. ``database``: where the rows came from; in the archive they are always an SQLite file.
    ``schema_revision``: of the database."""

    KIND: ClassVar[ArchiveKind | None] = "backup"
    database: Literal["sqlite", "postgresql"]
    schema_revision: str
    tables: dict[str, TableSum]


class BundledModel(_Frozen):
    """A model whose files are in a bundle, under the names of their content (``domain.files.blob_name``)."""

    source: str
    facts: ModelFacts


class BundleManifest(ArchiveManifest):
    """What a bundle for machines without internet holds. ``python`` and ``platform``: for which the engines' wheels
    are, such as ``3.11`` and ``linux-x86_64``. The wheels of an engine lie in ``engines`` and its recipe's folder,
    those of aiMindServe itself in ``wheels``."""

    KIND: ClassVar[ArchiveKind | None] = "bundle"
    models: tuple[BundledModel, ...] = ()
    engines: tuple[Recipe, ...] = ()
    python: str
    platform: str


MODELS_FOLDER, ENGINES_FOLDER, WHEELS_FOLDER = "models", "engines", "wheels"


def bundle_trouble(manifest: BundleManifest, path: str) -> Reason | None:
    """Why a bundle's models are not taken: a name that may not become a path, content that is missing, or content
    whose checksum is not the one that its name says."""
    there = {entry.name: entry for entry in manifest.entries}
    for model in manifest.models:
        origin = model.facts.origin
        bad = unsafe_name(model.facts)
        if origin is None or bad is not None:
            return reason(ReasonCode.ARCHIVE_UNSAFE, path=path, member=bad or model.source[:LONGEST_NAME])
        for file in model.facts.files:
            entry = there.get(f"{MODELS_FOLDER}/{blob_name(origin, file)}")
            if entry is None or entry.size != file.size:
                return reason(ReasonCode.ARCHIVE_DAMAGED, path=path, detail=f"{file.path} of {model.source} is missing")
            if (file.digest or "").startswith("sha256:") and file.digest != f"sha256:{entry.sha256}":
                return reason(ReasonCode.ARCHIVE_UNSAFE, path=path, member=file.path)
    return None


def unsafe_member(name: str) -> bool:
    """Whether a member's name may not become a path: absolute, climbing, with control characters or too long."""
    parts = name.split("/")
    plain = name.isprintable() and "\\" not in name and 0 < len(name.encode()) <= LONGEST_NAME
    return not plain or any(part in ("", ".", "..") or len(part.encode()) > LONGEST_PART for part in parts)


def manifest_trouble(manifest: ArchiveManifest, path: str) -> Reason | None:
    """Why this version cannot read an archive with such a list, None when it can."""
    if manifest.format > FORMAT:
        return reason(ReasonCode.ARCHIVE_NEWER, path=path, version=manifest.version)
    names = [entry.name for entry in manifest.entries]
    for name in names:
        if unsafe_member(name) or name == MANIFEST_NAME or names.count(name) > 1:
            return reason(ReasonCode.ARCHIVE_UNSAFE, path=path, member=name[:LONGEST_NAME])
    return None
