"""What the management API answers about model files on nodes, and what it takes."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from aimindserve.domain.file_actions import FileAction
from aimindserve.domain.files import ModelState, TransferProgress
from aimindserve.domain.specs import Printable, ProjectorName, SourceText
from aimindserve.domain.views import ReasonView, View


class StoredFileView(View):
    """One file of a model. ``path`` in the repository."""

    path: str
    role: str
    size: int


class ModelFilesView(View):
    """A model's files on a node. ``kind``: ``store`` (downloaded, imported) or ``local`` (a path that somebody named).
    ``freed``: bytes that deleting would free; ``used_by``: deployments that need them; ``path``: the folder on the
    node; ``brought_from``: the folder from which they are or were copied."""

    node_id: str
    node: str
    key: str
    kind: Literal["store", "local"]
    source: str
    revision: str | None
    name: str
    architecture: str
    quantization: str | None
    capabilities: tuple[str, ...] = ()
    files: tuple[StoredFileView, ...]
    size: int
    state: ModelState
    progress: TransferProgress
    path: str | None = None
    brought_from: str | None = None
    freed: int = 0
    used_by: tuple[str, ...] = ()
    reasons: tuple[ReasonView, ...] = ()
    retry_at: float | None = None
    allowed_actions: tuple[FileAction, ...] = ()


class StoreView(View):
    """A node's store as a whole, in bytes."""

    node_id: str
    node: str
    path: str
    used: int
    disk_free: int | None


class FilesView(View):
    """``GET /files``."""

    items: tuple[ModelFilesView, ...]
    stores: tuple[StoreView, ...]


class DownloadRequest(View):
    """Body of ``POST /files``: have a model's files on a node before anybody deploys them. ``nodes`` empty: on all.
    A ``file://`` source is only remembered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: SourceText
    projector: ProjectorName | None = None
    nodes: tuple[Printable, ...] = Field(default=(), max_length=64)


class ImportRequest(View):
    """Body of ``POST /files/import``: copy a model's files from a folder on the node into its store. ``source``: where
    they come from; needed unless the folder tells (a Hugging Face cache, another store). ``node``: its id or host name;
    None where there is only one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^/[^\x00-\x1f\x7f]*$")]
    source: SourceText | None = None
    projector: ProjectorName | None = None
    node: Printable | None = None


class OrderedView(View):
    """Answer of ``POST /files`` and ``POST /files/import``: the keys of the models that come now."""

    keys: tuple[str, ...]
