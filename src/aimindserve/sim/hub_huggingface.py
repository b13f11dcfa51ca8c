"""The Hugging Face hub's wire protocol, as ``huggingface_hub`` 2.x speaks it: routes, access, redirects, pages."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from aimindserve.sim import hub_shapes as shapes
from aimindserve.sim.hub_cdn import Addresses, disposition
from aimindserve.sim.hub_faults import Fault
from aimindserve.sim.hub_repositories import HUGGING_FACE, Access, Catalogue, Repository
from aimindserve.sim.hub_search import BadSearchError, cursor, offset_of, search
from aimindserve.sim.hub_transfer import Asked, FileAnswer, Log

_ID = r"(?P<id>[^/]+(?:/[^/]+)?)"
_ROUTES = (
    ("whoami", re.compile(r"/api/whoami-v2")),
    ("listing", re.compile(r"/api/models")),
    ("tree", re.compile(rf"/api/models/{_ID}/tree/(?P<rev>[^/]+)(?:/(?P<path>.+))?")),
    ("paths", re.compile(rf"/api/models/{_ID}/paths-info/(?P<rev>[^/]+)")),
    ("refs", re.compile(rf"/api/models/{_ID}/refs")),
    ("info", re.compile(rf"/api/models/{_ID}/revision/(?P<rev>[^/]+)")),
    ("info", re.compile(rf"/api/models/{_ID}")),
    ("cached", re.compile(rf"/api/resolve-cache/models/{_ID}/(?P<rev>[0-9a-f]{{40}})/(?P<path>.+)")),
    ("raw", re.compile(rf"/{_ID}/raw/(?P<rev>[^/]+)/(?P<path>.+)")),
    ("resolve", re.compile(rf"/{_ID}/resolve/(?P<rev>[^/]+)/(?P<path>.+)")),
)
_REPOSITORY_ROUTES = {"tree", "paths", "refs", "info", "cached", "raw", "resolve"}
_TRUE = {"true", "1"}


def limits(kind: str, left: int = 499, seconds: int = 300) -> dict[str, str]:
    """The headers that tell how much of a quota is left."""
    return {"RateLimit": f'"{kind}";r={left};t={seconds}', "RateLimit-Policy": f'"fixed window";"{kind}";q=500;w=300'}


def error(status: int, message: str, code: str | None = None, more: Mapping[str, str] | None = None) -> Response:
    """An error as the hub words it: JSON, and headers that the client library reads."""
    headers = {"X-Error-Message": message.encode("ascii", "replace").decode(), **(more or {})}
    if code:
        headers["X-Error-Code"] = code
    return JSONResponse({"error": message}, status, headers)


def _refusal(access: Access, name: str, *, known: bool) -> Response | None:
    restricted = f"Access to model {name} is restricted"
    answers: dict[Access, Callable[[], Response]] = {
        "wrong-token": lambda: error(401, "Invalid credentials in Authorization header"),
        "no-token": lambda: error(
            401,
            f"{restricted}. You must have access to it and be authenticated to access it. Please log in.",
            "GatedRepo",
        ),
        "not-listed": lambda: error(
            403,
            f"{restricted} and you are not in the authorized list."
            f" Visit https://huggingface.co/{name} to ask for access.",
            "GatedRepo",
        ),
        "no-scope": lambda: error(
            403,
            "Please enable access to public gated repositories in your fine-grained token settings"
            " to view this repository.",
        ),
        # Without a token the hub does not tell whether a repository exists.
        "missing": lambda: (
            error(404, "Repository not found", "RepoNotFound")
            if known
            else error(401, "Invalid username or password.", "RepoNotFound")
        ),
    }
    make = answers.get(access)
    return make() if make else None


def bearer(request: Request) -> str | None:
    """The request's token."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" and token.strip() else None


@dataclass
class HuggingFace:
    """Answers requests to the hub. ``addresses``: those of its content network; ``page``: most entries of a page."""

    catalogue: Catalogue
    log: Log
    addresses: Addresses
    page: int

    def paths(self, raw: str, query: str) -> tuple[str, ...]:  # noqa: ARG002
        """What a fault's pattern may match: the file's path in its repository, and the request's path."""
        found = _find(raw)
        path = found[1].get("path") if found else None
        return (path, raw) if path else (raw,)

    def answer(self, request: Request, asked: Asked, fault: Fault | None) -> Any:
        """The answer to one request; an ASGI application."""
        found = _find(asked.path)
        if found is None:
            return error(404, "Sorry, we can't find the page you are looking for.")
        name, values = found
        token = bearer(request)
        if name == "whoami":
            return self._whoami(token)
        if token and token not in self.catalogue.tokens:
            return error(401, "Invalid credentials in Authorization header")
        if name == "listing":
            return self._listing(request)
        repository = self.catalogue.get(HUGGING_FACE, values["id"])
        if repository is None and values["id"] in self.catalogue.moved:
            new = asked.path.replace(values["id"], self.catalogue.moved[values["id"]], 1)
            return RedirectResponse(new + (f"?{asked.query}" if asked.query else ""), 307)
        content = name in {"raw", "resolve", "cached"}
        refused = _refusal(
            self.catalogue.access(repository, token, content=content), values["id"], known=token is not None
        )
        if refused is not None or repository is None:
            return refused
        sha = repository.resolve(values.get("rev") or repository.branch)
        if sha is None:
            return error(404, f"Invalid rev id: {values['rev']}", "RevisionNotFound")
        if content:
            return self._file(request, name, repository, sha, values["path"], asked, fault)
        return self._about(request, name, repository, sha, values)

    def _whoami(self, token: str | None) -> Response:
        known = self.catalogue.tokens.get(token or "")
        if known is None:
            return error(401, "Invalid username or password." if token is None else "Invalid user token.")
        access: dict[str, Any] = {"displayName": "test", "role": "read", "createdAt": "2026-01-01T00:00:00.000Z"}
        if not known.scoped:
            scope = {"entity": {"_id": "1", "type": "user", "name": known.user}, "permissions": []}
            access |= {"role": "fineGrained", "fineGrained": {"canReadGatedRepos": False, "scoped": [scope]}}
        auth = {"type": "access_token", "accessToken": access}
        return JSONResponse(
            {"type": "user", "id": "1", "name": known.user, "fullname": known.user, "orgs": [], "auth": auth}
        )

    def _listing(self, request: Request) -> Response:
        params = parse_qs(request.url.query)
        try:
            found = search(self.catalogue.all(HUGGING_FACE), params)
            start = offset_of(params["cursor"][0]) if "cursor" in params else 0
        except BadSearchError as problem:
            return error(400, str(problem))
        count = min(int((params.get("limit") or ["1000"])[0]), self.page)
        flags = {key: (params.get(key) or [""])[0].lower() in _TRUE for key in ("full", "config", "cardData")}
        keys = shapes.listed_keys(
            params.get("expand", []), full=flags["full"], config=flags["config"], card=flags["cardData"]
        )
        named = not params.get("expand")
        told = [shapes.model(item, item.head, keys=keys, siblings_named=named) for item in found[start : start + count]]
        return self._page(request, told, start + count if start + count < len(found) else None)

    @staticmethod
    def _page(request: Request, told: list[Any], following: int | None) -> Response:
        headers = limits("api")
        if following is not None:
            params = {name: value for name, value in parse_qs(request.url.query).items() if name != "cursor"}
            query = urlencode({**params, "cursor": cursor(following)}, doseq=True)
            headers["Link"] = f'<{str(request.url).partition("?")[0]}?{query}>; rel="next"'
        return JSONResponse(told, headers=headers)

    def _about(
        self, request: Request, name: str, repository: Repository, sha: str, values: Mapping[str, str]
    ) -> Response:
        params = parse_qs(request.url.query)
        if name == "info":
            keys = shapes.whole_keys(params.get("expand", []))
            blobs = (params.get("blobs") or [""])[0].lower() in _TRUE
            return JSONResponse(shapes.model(repository, sha, keys=keys, blobs=blobs), headers=limits("api"))
        if name == "refs":
            branches = [
                {"name": ref, "ref": f"refs/heads/{ref}", "targetCommit": to} for ref, to in repository.refs.items()
            ]
            return JSONResponse({"branches": branches, "tags": [], "converts": []}, headers=limits("api"))
        if name == "paths":
            return self._paths_info(request, repository, sha)
        flags = {key: (params.get(key) or [""])[0].lower() in _TRUE for key in ("recursive", "expand")}
        told = shapes.tree(
            repository.commits[sha],
            values.get("path") or "",
            recursive=flags["recursive"],
            expand=flags["expand"],
        )
        if told is None:
            return error(404, f"{values['path']} does not exist on {values['rev']!r}", "EntryNotFound")
        try:
            start = offset_of(params["cursor"][0]) if "cursor" in params else 0
        except BadSearchError as problem:
            return error(400, str(problem))
        count = min(int((params.get("limit") or ["1000"])[0]), self.page)
        return self._page(request, told[start : start + count], start + count if start + count < len(told) else None)

    @staticmethod
    def _paths_info(request: Request, repository: Repository, sha: str) -> Response:
        asked = request.state.form
        expand = (asked.get("expand") or [""])[0].lower() in _TRUE
        files = repository.commits[sha]
        told: list[dict[str, Any]] = []
        for path in asked.get("paths", []):
            if path in files:
                told.append(shapes.entry(files[path], expand=expand))
            elif any(other.startswith(path.rstrip("/") + "/") for other in files):
                told.append(shapes.folder(path.rstrip("/"), expand=expand))
        return JSONResponse(told, headers=limits("api"))

    def _file(
        self,
        request: Request,
        name: str,
        repository: Repository,
        sha: str,
        path: str,
        asked: Asked,
        fault: Fault | None,
    ) -> Any:
        file = repository.commits[sha].get(path)
        commit = {"X-Repo-Commit": sha, **limits("resolvers")}
        if file is None:
            return error(404, "Entry not found", "EntryNotFound", commit)
        told = fault.hits if fault and fault.kind == "etag" else None
        etag = f'"{file.etag}"' if told is None else f'"{hashlib.sha256(f"{file.etag}{told}".encode()).hexdigest()}"'
        headers = {**commit, "Accept-Ranges": "bytes", "Content-Disposition": disposition(path)}
        if name == "raw":
            return PlainTextResponse(file.pointer if file.lfs else file.content.read(0, file.content.size))
        if name == "cached" or (not file.lfs and fault and fault.kind == "etag"):
            asked.file = f"{repository.id}/{path}"
            headers |= {"ETag": etag, "Content-Type": "text/plain; charset=utf-8"}
            return FileAnswer(file.content, headers, asked, self.log, fault, request.headers.get("if-range"))
        headers |= {"X-Linked-Size": str(file.content.size), "X-Linked-ETag": etag}
        if file.lfs:
            return Response(None, 302, {**headers, "Location": self.addresses.give(repository.id, file)})
        place = f"/api/resolve-cache/models/{repository.id}/{sha}/{quote(path)}"
        return Response(None, 307, {**headers, "Location": f"{place}?etag={quote(etag)}"})


def _find(raw: str) -> tuple[str, dict[str, str]] | None:
    for name, pattern in _ROUTES:
        found = pattern.fullmatch(raw)
        if found:
            return name, {key: unquote(value) for key, value in found.groupdict().items() if value is not None}
    return None
