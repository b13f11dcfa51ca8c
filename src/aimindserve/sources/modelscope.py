"""``ms://``: ModelScope, by its HTTP interface (``/openapi/v1`` for search and accounts, ``/api/v1`` for files)."""

import json
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast
from urllib.parse import quote

from aimindserve.domain.hub_files import RepositoryFile
from aimindserve.domain.hubs import (
    TASK_OF_CAPABILITY,
    Hints,
    HubAccount,
    HubModel,
    HubPage,
    HubQuery,
    engines_for,
    guess_capabilities,
)
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.source import Source
from aimindserve.sources._base import RefusedError
from aimindserve.sources._http import HUB_NAMES, Asked, HubHttp
from aimindserve.sources._hub import HubContent, Snapshot

Json = Mapping[str, object]

_SORTS = {"downloads": "downloads", "likes": "likes", "updated": "last_modified", "trending": "default"}
# The hub gives no page beyond this many results.
_MOST_RESULTS = 3000
_ACCOUNT_NAMES = ("Username", "username", "name", "preferred_username")
_SEEING_TASKS = ("image-text-to-text", "visual-question-answering", "image-captioning")


class ModelScopeHub:
    """The hub at ``access.endpoints["ms"]``."""

    def __init__(self, http: HubHttp) -> None:
        self.http = http

    def search(self, query: HubQuery) -> HubPage:
        """One page of models; the cursor is its number. Raises RefusedError."""
        page = int(query.cursor) if query.cursor and query.cursor.isdecimal() else 1
        params = {
            "search": " ".join(part for part in (query.text, "GGUF" if query.gguf else "") if part) or None,
            "sort": _SORTS[query.sort],
            "page_number": page,
            "page_size": query.limit,
            "filter.task": query.task or TASK_OF_CAPABILITY.get(query.capability or ""),
        }
        given = {name: value for name, value in params.items() if value is not None}
        data = self._openapi("/models", Asked(), given)
        found = [_model(item) for item in _objects(data.get("models"))]
        items = tuple(item for item in found if _wanted(item, query))
        total = _number(data, "total_count")
        more = page * query.limit < min(total, _MOST_RESULTS) and bool(found)
        return HubPage(items, str(page + 1) if more else None)

    def snapshot(self, source: Source) -> Snapshot:
        """The repository at a commit: the newest of those that last changed one of its files. Raises RefusedError."""
        revision = source.revision or "master"
        asked = Asked(source.location, revision)
        about = self._openapi(f"/models/{source.location}", asked, {})
        params = {"Revision": revision, "Recursive": "True"}
        listing = self._data(f"/api/v1/models/{source.location}/repo/files", asked, params)
        entries = [entry for entry in _objects(listing.get("Files")) if entry.get("Type") != "tree"]
        newest = max(entries, key=lambda entry: _number(entry, "CommittedDate"), default={})
        commit = _text(newest, "Revision", "CommitId")
        if not commit:
            detail = f"it names no commit of {source.location}"
            raise RefusedError(self.http.unreachable(detail))
        return Snapshot(
            hub="ms",
            repository=source.location,
            revision=commit,
            files=tuple(_file(entry) for entry in entries if _text(entry, "Path")),
            content=HubContent(self.http, source.location, commit),
            license=_text(about, "license") or None,
            gated=about.get("gated") is True,
            vision=any(task in _SEEING_TASKS for task in _texts(about.get("tasks"))),
        )

    def whoami(self) -> HubAccount:
        """Whose token it is. Without a token only whether the hub answers. Raises RefusedError."""
        started = time.monotonic()
        name: str | None = None
        if self.http.token:
            name = _text(self._openapi("/users/me", Asked(), {}), *_ACCOUNT_NAMES)
        else:
            self._openapi("/models", Asked(), {"page_number": 1, "page_size": 1})
        return HubAccount("ms", name, 1000 * (time.monotonic() - started))

    def _openapi(self, path: str, asked: Asked, params: Mapping[str, object]) -> Json:
        """The ``data`` of an answer of ``/openapi/v1``."""
        answer = self._json(f"/openapi/v1{quote(path)}", asked, params)
        data = answer.get("data", answer)
        return cast("Json", data) if isinstance(data, dict) else {}

    def _data(self, path: str, asked: Asked, params: Mapping[str, object]) -> Json:
        """The ``Data`` of an answer of ``/api/v1``, which tells some failures in its text alone."""
        answer = self._json(quote(path), asked, params)
        code = answer.get("Code", 200)
        if code != 200:
            raise RefusedError(_explain_code(self.http, code, _text(answer, "Message"), asked))
        data = answer.get("Data")
        return cast("Json", data) if isinstance(data, dict) else {"Files": data}

    def _json(self, path: str, asked: Asked, params: Mapping[str, object]) -> Json:
        body = self.http.get(path, asked, params).body
        try:
            value: object = json.loads(body)
        except (ValueError, RecursionError) as error:
            detail = "what came is not JSON"
            raise RefusedError(self.http.unreachable(detail)) from error
        return cast("Json", value) if isinstance(value, dict) else {}


def _explain_code(http: HubHttp, code: object, message: str, asked: Asked) -> Reason:
    if "revision" in message.casefold():
        return reason(ReasonCode.REVISION_NOT_FOUND, repository=asked.repository, revision=asked.revision)
    if str(code).startswith(("404", "10010205")):
        return reason(ReasonCode.REPOSITORY_NOT_FOUND, repository=asked.repository, hub=HUB_NAMES["ms"])
    return http.unreachable(f"code {code} {message[:120]}".strip())


def _file(entry: Json) -> RepositoryFile:
    digest = _text(entry, "Sha256").lower()
    return RepositoryFile(
        _text(entry, "Path"), _number(entry, "Size"), f"sha256:{digest}" if len(digest) == 64 else None
    )


def _model(item: Json) -> HubModel:
    owner, name, plain = _text(item, "owner"), _text(item, "name"), _text(item, "id")
    repository = plain if "/" in plain else f"{owner}/{name}"
    tags = tuple(tag.casefold() for tag in _texts(item.get("tags")))
    libraries = tuple(tag.casefold() for tag in _texts(item.get("libraries")))
    gguf = "gguf" in tags or "gguf" in libraries or "gguf" in repository.casefold()
    formats = frozenset({"gguf"} if gguf else {"safetensors"})
    return HubModel(
        hub="ms",
        repository=repository,
        downloads=_number(item, "downloads"),
        likes=_number(item, "likes"),
        updated_at=_when(item.get("last_modified")),
        license=_text(item, "license") or None,
        gated=item.get("gated") is True,
        gguf=gguf,
        capabilities=guess_capabilities(Hints(repository, _texts(item.get("tasks")), tags)),
        engines=engines_for(formats),
        parameters=_number(item, "params", "parameters") or None,
        size=_number(item, "file_size") or None,
    )


def _wanted(item: HubModel, query: HubQuery) -> bool:
    """What the hub cannot be asked for is sifted from the page."""
    if query.gguf and not item.gguf:
        return False
    if query.capability in ("tools", "thinking") and query.capability not in item.capabilities:
        return False
    count = item.parameters
    return count is None or (query.min_parameters or 0) <= count <= (query.max_parameters or count)


def _when(value: object) -> float | None:
    """Seconds since 1970, from seconds, milliseconds or an ISO text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value / 1000 if value > 1e11 else float(value)
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value).timestamp()
        except ValueError:
            return None
    return None


def _objects(value: object) -> list[Json]:
    items: Iterable[object] = cast("list[object]", value) if isinstance(value, list) else ()
    return [cast("Json", item) for item in items if isinstance(item, dict)]


def _texts(value: object) -> tuple[str, ...]:
    """Texts of a list; of objects in it their names."""
    items: Iterable[object] = cast("list[object]", value) if isinstance(value, list) else ()
    named = (_text(cast("Json", item), "name", "Name") if isinstance(item, dict) else item for item in items)
    return tuple(item for item in named if isinstance(item, str) and item)


def _text(entry: Json, *names: str) -> str:
    return next((value for name in names if isinstance(value := entry.get(name), str) and value), "")


def _number(entry: Json, *names: str) -> int:
    for name in names:
        value = entry.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return 0
