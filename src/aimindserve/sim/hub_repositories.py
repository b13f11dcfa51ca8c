"""What an emulated hub knows: repositories with their commits, and who may read them."""

import hashlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aimindserve.sim.hub_files import HubFile

HUGGING_FACE = "huggingface"
MODELSCOPE = "modelscope"
Access = Literal["granted", "wrong-token", "no-token", "not-listed", "no-scope", "missing"]


@dataclass(frozen=True)
class Token:
    """A valid access token. ``accepted``: gated repositories whose conditions its owner accepted; ``scoped``: it may
    read gated repositories (fine-grained tokens need that switched on)."""

    user: str = "tester"
    accepted: frozenset[str] = frozenset()
    scoped: bool = True
    private: frozenset[str] = frozenset()


@dataclass
class Repository:
    """A model repository. ``commits``: files by commit; ``refs``: commits by branch or tag."""

    id: str
    hub: str = HUGGING_FACE
    gated: Literal["auto", "manual", False] = False
    private: bool = False
    about: Mapping[str, Any] = field(default_factory=dict)  # likes, downloads, tags …: as the listing tells them
    commits: dict[str, dict[str, HubFile]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    @property
    def branch(self) -> str:
        """The main branch's name on this hub."""
        return "master" if self.hub == MODELSCOPE else "main"

    @property
    def head(self) -> str:
        """The newest commit."""
        return self.refs[self.branch]

    @property
    def files(self) -> dict[str, HubFile]:
        """The newest commit's files by path."""
        return self.commits[self.head]

    def commit(self, files: Iterable[HubFile], sha: str | None = None) -> str:
        """Move the main branch to a commit with these files; the commit's id."""
        by_path = {file.path: file for file in sorted(files, key=lambda file: file.path)}
        words = "\n".join([self.id, *self.commits, *by_path])
        name = sha or hashlib.sha1(words.encode(), usedforsecurity=False).hexdigest()
        self.commits[name] = by_path
        self.refs[self.branch] = name
        return name

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, tag or (abbreviated) commit names; None if there is none."""
        if revision in self.refs:
            return self.refs[revision]
        if len(revision) < 7:
            return None
        return next((sha for sha in self.commits if sha.startswith(revision)), None)


class Catalogue:
    """All repositories and tokens of an emulator; may be changed while it runs, from any thread."""

    def __init__(self, repositories: Iterable[Repository] = (), tokens: Mapping[str, Token] | None = None) -> None:
        self._lock = threading.Lock()
        self._repositories = {(item.hub, item.id.lower()): item for item in repositories}
        self.tokens = dict(tokens or {})
        self.moved: dict[str, str] = {}  # old repository ids that lead to new ones

    def add(self, repository: Repository) -> None:
        """A new repository, or another one in the place of the old."""
        with self._lock:
            self._repositories[repository.hub, repository.id.lower()] = repository

    def get(self, hub: str, name: str) -> Repository | None:
        """By id, in any case of letters."""
        return self._repositories.get((hub, name.lower()))

    def all(self, hub: str) -> list[Repository]:
        """The repositories of one hub, public or not."""
        with self._lock:
            return [item for (where, _), item in self._repositories.items() if where == hub]

    def access(self, repository: Repository | None, token: str | None, *, content: bool) -> Access:
        """Whether a request with this token may see the repository, or (``content``) read its files."""
        known = self.tokens.get(token) if token else None
        if token and known is None:
            return "wrong-token"
        if repository is None or (repository.private and not (known and repository.id in known.private)):
            return "missing"
        if not content or not repository.gated:
            return "granted"
        if known is None:
            return "no-token"
        if not known.scoped:
            return "no-scope"
        return "granted" if repository.id in known.accepted else "not-listed"
