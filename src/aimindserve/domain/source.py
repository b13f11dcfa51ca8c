"""Where model files come from, as one URI."""

import re
from dataclasses import dataclass
from enum import StrEnum
from posixpath import normpath

_DEMO_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_QUANTIZATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class SourceKind(StrEnum):
    """The scheme of a source URI."""

    HUGGING_FACE = "hf"
    MODEL_SCOPE = "ms"
    FILE = "file"
    DEMO = "demo"


class SourceError(ValueError):
    """The text is not a source. The message says what is expected."""


@dataclass(frozen=True, slots=True)
class Source:
    """``hf://org/repo[@rev][/file]`` or ``hf://org/repo[@rev]:Q4_K_M``, ``ms://…``, ``file:///absolute/path`` or
    ``demo://name``.

    ``location``: ``org/repo``, an absolute normal path, or the demo's name. ``file`` is relative to the repository.
    ``quantization``: which of a repository's GGUF files, in capitals.
    """

    kind: SourceKind
    location: str
    revision: str | None = None
    file: str | None = None
    quantization: str | None = None

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision else ""
        file = f"/{self.file}" if self.file else ""
        quantization = f":{self.quantization}" if self.quantization else ""
        return f"{self.kind}://{self.location}{revision}{quantization}{file}"


def parse_source(text: str) -> Source:
    """The source that ``text`` names. An absolute path stands for ``file://`` and that path.

    Raises SourceError for anything else than the four forms, relative or climbing paths, and control characters.
    """
    text = text.strip()
    if _CONTROL.search(text):
        raise SourceError("a source holds no control characters")
    if text.startswith("/"):
        text = f"file://{text}"
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in set(SourceKind):
        raise SourceError("a source starts with hf://, ms://, file:/// or demo://")
    kind = SourceKind(scheme)
    if kind is SourceKind.FILE:
        return _parse_file(rest)
    if kind is SourceKind.DEMO:
        if not _DEMO_NAME.fullmatch(rest):
            raise SourceError("a demo source looks like demo://tiny-vlm")
        return Source(kind, rest)
    return _parse_repository(kind, rest)


def _parse_file(path: str) -> Source:
    if not path.startswith("/"):
        raise SourceError("a file source is an absolute path: file:///models/model.gguf")
    return Source(SourceKind.FILE, "/" + normpath(path).lstrip("/"))


def _parse_repository(kind: SourceKind, rest: str) -> Source:
    organisation, _, tail = rest.partition("/")
    name, _, file = tail.partition("/")
    name, colon, quantization = name.partition(":")
    if colon and (file or not _QUANTIZATION.fullmatch(quantization)):
        raise SourceError(f"a quantization looks like {kind}://organisation/name:Q4_K_M")
    revision: str | None = None
    if "@" in name:
        name, _, revision = name.partition("@")
        if not _REVISION.fullmatch(revision) or ".." in revision:
            raise SourceError("a revision is a branch, a tag or a commit: hf://org/repo@main")
    location = f"{organisation}/{name}"
    if not _REPOSITORY.fullmatch(location) or ".." in location:
        raise SourceError(f"a repository looks like {kind}://organisation/name")
    if file and (normpath(file) != file or file.startswith(("..", "/")) or file == "."):
        raise SourceError("the file is a plain path inside the repository")
    return Source(kind, location, revision, file or None, quantization.upper() or None)
