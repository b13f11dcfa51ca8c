"""``hf://``: GGUF models in repositories of Hugging Face, or of a mirror that speaks its protocol."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from aimindserve.domain.facts import HubOrigin, ModelFacts, ModelFile
from aimindserve.domain.gguf_files import choose_model, quantization_tag
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.source import Source
from aimindserve.sources._base import Asking, RefusedError, Resolution
from aimindserve.sources._gguf import GgufFile, header_of, resolve_gguf
from aimindserve.sources._remote import TIMEOUT, RemoteFile

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo

_ENDPOINT = "https://huggingface.co"
_ASK_SECONDS = 10.0
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of a repository."""

    size: int
    digest: str | None


class HuggingFaceSource:
    """Repositories with GGUF files. Facts come from the headers, read by ranges; nothing is downloaded."""

    def resolve(self, source: Source, asking: Asking) -> Resolution:
        """The facts of the model, pinned to the commit that the revision names now. Raises RefusedError."""
        access = asking.access
        if access.offline:
            raise RefusedError(reason(ReasonCode.HUB_OFFLINE, source=str(source)))
        endpoint = access.endpoints.get("hf") or _ENDPOINT
        token = access.tokens.get("hf")
        info = _ask(endpoint, token, source)
        entries = _entries(info)
        chosen = _chosen(source, entries)
        origin = HubOrigin(hub="hf", repository=source.location, revision=info.sha or "")
        if not _COMMIT.fullmatch(origin.revision):
            raise RefusedError(reason(ReasonCode.HUB_UNREACHABLE, hub=endpoint, detail="it names no commit"))
        with httpx.Client(proxy=access.proxy, timeout=TIMEOUT) as client:
            shelf = _Repository(client, endpoint, token, origin, entries)
            facts = resolve_gguf(shelf, PurePosixPath(chosen), asking.projector)
        return _pinned(facts, origin, entries, info)


class _Repository:
    """A shelf of ``sources._gguf``: the files of one commit."""

    def __init__(
        self, client: httpx.Client, endpoint: str, token: str | None, origin: HubOrigin, entries: dict[str, _Entry]
    ) -> None:
        self._client = client
        self._base = f"{endpoint.rstrip('/')}/{origin.repository}/resolve/{origin.revision}"
        self._token = token
        self._entries = entries

    def names(self, folder: PurePath) -> list[str]:
        """See ``Shelf``."""
        return sorted(path.name for path in map(PurePosixPath, self._entries) if path.parent == folder)

    def read(self, path: PurePath) -> GgufFile:
        """See ``Shelf``."""
        entry = self._entries.get(str(path))
        if entry is None:
            raise RefusedError(reason(ReasonCode.HUB_FILE_NOT_FOUND, file=str(path)))
        remote = RemoteFile(self._client, f"{self._base}/{quote(str(path))}", self._token, entry.size)
        return GgufFile(path, entry.size, header_of(path, remote.read, entry.size))


def _ask(endpoint: str, token: str | None, source: Source) -> "ModelInfo":
    """The repository's files and state. Raises RefusedError."""
    from huggingface_hub import HfApi  # noqa: PLC0415  # half a second and 30 MB that only hubs need

    # token=False: no token of the account that runs the server is used by accident.
    api = HfApi(endpoint=endpoint, token=token or False)
    with _as_reasons(endpoint, token, source):
        revision = source.revision
        return api.model_info(source.location, revision=revision, files_metadata=True, timeout=_ASK_SECONDS)


@contextmanager
def _as_reasons(endpoint: str, token: str | None, source: Source) -> Iterator[None]:
    """The client library's errors as refusals."""
    from huggingface_hub.errors import (  # noqa: PLC0415
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    name, page = source.location, f"{endpoint.rstrip('/')}/{source.location}"
    try:
        yield
    except GatedRepoError as error:
        code = ReasonCode.REPOSITORY_GATED if token else ReasonCode.REPOSITORY_NEEDS_TOKEN
        raise RefusedError(reason(code, repository=name, page=page)) from error
    except RepositoryNotFoundError as error:
        raise RefusedError(_absent(error, token, name)) from error
    except RevisionNotFoundError as error:
        found = reason(ReasonCode.REVISION_NOT_FOUND, repository=name, revision=source.revision or "main")
        raise RefusedError(found) from error
    except HfHubHTTPError as error:
        raise RefusedError(_refusal(error, endpoint)) from error
    except HFValidationError as error:
        raise RefusedError(reason(ReasonCode.REPOSITORY_NOT_FOUND, repository=name)) from error
    except (OSError, ValueError, _transport_error()) as error:
        detail = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise RefusedError(reason(ReasonCode.HUB_UNREACHABLE, hub=endpoint, detail=detail)) from error


def _transport_error() -> type[Exception]:
    """What the client library's own HTTP client raises where the network fails."""
    import httpx2  # noqa: PLC0415

    return httpx2.HTTPError


def _absent(error: Exception, token: str | None, name: str) -> Reason:
    """The hub says 401 both for a token that it does not know and, to strangers, for what is private or absent."""
    status = getattr(getattr(error, "response", None), "status_code", 404)
    if status == 401 and token:
        return reason(ReasonCode.TOKEN_INVALID, hub="Hugging Face")
    return reason(ReasonCode.REPOSITORY_NOT_FOUND, repository=name)


def _refusal(error: Exception, endpoint: str) -> Reason:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", 0)
    if status == 401:
        return reason(ReasonCode.TOKEN_INVALID, hub="Hugging Face")
    if status == 403:
        return reason(ReasonCode.TOKEN_SCOPE, hub="Hugging Face")
    if status == 429:
        wait = getattr(response, "headers", {}).get("retry-after", "")
        return reason(ReasonCode.HUB_RATE_LIMITED, hub=endpoint, seconds=int(wait) if wait.isdigit() else 60)
    return reason(ReasonCode.HUB_UNREACHABLE, hub=endpoint, detail=f"HTTP {status}")


def _entries(info: "ModelInfo") -> dict[str, _Entry]:
    """Every file by path. Sizes and digests: of the content for large files, of the git blob for small ones."""
    found: dict[str, _Entry] = {}
    for sibling in info.siblings or ():
        sha256 = getattr(sibling.lfs, "sha256", None)
        digest = f"sha256:{sha256}" if sha256 else f"git:{sibling.blob_id}" if sibling.blob_id else None
        found[sibling.rfilename] = _Entry(sibling.size or 0, digest)
    return found


def _chosen(source: Source, entries: dict[str, _Entry]) -> str:
    """The file to run: the named one, the wanted quantization, or the usual choice. Raises RefusedError."""
    if source.file is not None:
        if source.file not in entries:
            raise RefusedError(reason(ReasonCode.HUB_FILE_NOT_FOUND, file=source.file))
        return source.file
    names = [name for name in entries if name.casefold().endswith(".gguf")]
    if not names:
        raise RefusedError(reason(ReasonCode.REPOSITORY_NO_GGUF, repository=source.location))
    wanted = [name for name in names if source.quantization in (None, quantization_tag(PurePosixPath(name).name))]
    chosen = choose_model(wanted)
    if chosen is None:
        tags = sorted({tag for name in names if (tag := quantization_tag(PurePosixPath(name).name))})
        wish = source.quantization or ""
        raise RefusedError(reason(ReasonCode.QUANTIZATION_NOT_FOUND, wanted=wish, available=", ".join(tags)))
    return chosen


def _pinned(facts: ModelFacts, origin: HubOrigin, entries: dict[str, _Entry], info: "ModelInfo") -> ModelFacts:
    """The facts with where their files come from."""
    files = tuple(_with_digest(file, entries[file.path]) for file in facts.files)
    licence = (info.card_data or {}).get("license") if info.card_data else None
    return facts.model_copy(
        update={
            "files": files,
            "origin": origin,
            "license": licence if isinstance(licence, str) else None,
            "gated": bool(info.gated),
        }
    )


def _with_digest(file: ModelFile, entry: _Entry) -> ModelFile:
    return file.model_copy(update={"size": entry.size, "digest": entry.digest})
