"""Model files on nodes: what is wanted there, what is there, and how a download stands."""

import re
from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256

from pydantic import BaseModel, ConfigDict, Field

from aimindserve.domain.facts import Hub, HubOrigin, ModelFacts, ModelFile
from aimindserve.domain.gguf_files import PREFERRED_QUANTIZATIONS
from aimindserve.domain.reasons import Reason
from aimindserve.domain.source import Source

# The revision of files that were brought without anything that tells their commit.
IMPORTED = "imported"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class TransferProgress(_Frozen):
    """How far a download is, in bytes that are verified or on disk; ``rate`` in bytes per second and ``eta`` in seconds
    over the last few seconds, None while unknown."""

    done: int
    total: int
    rate: float | None = None
    eta: float | None = None


class ModelState(StrEnum):
    """What a node observes of a model's files."""

    QUEUED = "queued"
    DOWNLOADING = "downloading"
    READY = "ready"
    """Every file is there and was verified."""
    PAUSED = "paused"
    FAILED = "failed"
    """It is tried again only when asked to."""


class StoredModel(_Frozen):
    """A model's files as a node sees them now. ``key``: ``model_key``; ``path``: the folder in which they lie under
    their own names; ``stored_bytes``: what removing them would free (files shared with others not counted)."""

    key: str
    source: str
    facts: ModelFacts
    state: ModelState
    progress: TransferProgress
    path: str | None = None
    stored_bytes: int = 0
    retry_at: float | None = None
    reason: Reason | None = None


class WantedModel(_Frozen):
    """An order to have a model's files on a node, without a replica that needs them. ``paused``: stop where it is and
    keep what is there. ``attempt`` rises when a person asks to try again. ``folder``: a folder on the node from which
    the files are taken as far as they are there."""

    source: str
    facts: ModelFacts
    paused: bool = False
    attempt: int = 1
    folder: str | None = None

    @property
    def key(self) -> str:
        """See ``model_key``."""
        return model_key(self.facts)


class HubAccess(_Frozen):
    """How a node reaches the hubs. Tokens are secret: they go to the downloading process and nowhere else.

    ``endpoints`` and ``tokens`` by hub (``hf``, ``ms``). ``proxy``: a URL, None for the environment's. ``rate_limit``:
    bytes per second over all downloads, None for none. ``caches``: Hugging Face cache folders whose files are used
    where they lie. ``offline``: nothing is asked of any hub.
    """

    endpoints: dict[Hub, str] = Field(default_factory=dict[Hub, str])
    tokens: dict[Hub, str] = Field(default_factory=dict[Hub, str], repr=False)
    proxy: str | None = Field(default=None, repr=False)
    rate_limit: int | None = None
    caches: tuple[str, ...] = ()
    offline: bool = False


_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"(sha256:[0-9a-f]{64}|git:[0-9a-f]{40})")
_LONGEST_PATH, _LONGEST_NAME = 512, 200


def unsafe_name(facts: ModelFacts) -> str | None:
    """The first name in ``facts`` that may not become a path on a disk; None when all may. Names come from a hub, and
    so from strangers: no climbing, no absolute paths, no backslashes or control characters, no over-long parts."""
    origin = facts.origin
    if origin is None:
        return None
    segments = (*origin.repository.split("/"), origin.revision)
    if len(segments) != 3 or not all(_SEGMENT.fullmatch(part) and ".." not in part for part in segments):
        return f"{origin.repository}@{origin.revision}"[:200]
    for file in facts.files:
        if not _is_safe(file.path) or (file.digest is not None and not _DIGEST.fullmatch(file.digest)):
            return file.path[:200]
    return None


def _is_safe(path: str) -> bool:
    parts = path.split("/")
    plain = path.isprintable() and "\\" not in path and ":" not in path and len(path.encode()) <= _LONGEST_PATH
    return plain and all(part not in ("", ".", "..") and len(part.encode()) <= _LONGEST_NAME for part in parts)


def blob_name(origin: HubOrigin, file: ModelFile) -> str:
    """The name of a file's content in a store: its digest, or for want of one where it comes from."""
    if file.digest is not None:
        return file.digest.replace(":", "-")
    text = "\n".join((origin.hub, origin.repository, origin.revision, file.path))
    return f"from-{sha256(text.encode()).hexdigest()}"


def source_text(origin: HubOrigin) -> str:
    """The source of a whole repository at its commit."""
    return f"{origin.hub}://{origin.repository}@{origin.revision}"


def model_key(facts: ModelFacts) -> str:
    """The name of a model's files in a store: 16 hex digits that follow from the repository, the commit and the paths.

    Raises ValueError for local files, which are in no store.
    """
    if facts.origin is None:
        raise ValueError("local files have no key")
    return origin_key(facts.origin, tuple(file.path for file in facts.files))


def files_key(facts: ModelFacts, source: str) -> str:
    """``model_key``, or for local files a key that follows from their source."""
    return model_key(facts) if facts.origin else sha256(source.encode()).hexdigest()[:16]


def origin_key(origin: HubOrigin, paths: tuple[str, ...]) -> str:
    """As ``model_key``, from its parts."""
    text = "\n".join((origin.hub, origin.repository, origin.revision, *sorted(paths)))
    return sha256(text.encode()).hexdigest()[:16]


def comes_from(facts: ModelFacts, source: Source) -> bool:
    """Whether stored files are what ``source`` (at a hub) names, as far as can be told without asking the hub."""
    origin = facts.origin
    if origin is None or (origin.hub, origin.repository) != (source.kind.value, source.location):
        return False
    same_revision = source.revision in (None, "main", origin.revision)
    same_file = source.file is None or any(file.path == source.file for file in facts.files)
    same_tag = source.quantization is None or source.quantization == (facts.quantization or "").upper()
    return same_revision and same_file and same_tag


def choose_stored(models: Iterable[ModelFacts], source: Source) -> ModelFacts | None:
    """The stored model that ``source`` names; of several the one that is taken when nobody chooses."""

    def rank(facts: ModelFacts) -> tuple[int, str]:
        tag = (facts.quantization or "").upper()
        known = PREFERRED_QUANTIZATIONS
        return (known.index(tag) if tag in known else len(known), tag)

    return min((facts for facts in models if comes_from(facts, source)), key=rank, default=None)
