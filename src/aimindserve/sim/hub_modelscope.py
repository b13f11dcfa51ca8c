"""ModelScope's HTTP API as the ``modelscope`` libraries speak it: OpenAPI for searching, ``/api/v1`` for files."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aimindserve.sim.hub_cdn import Addresses, disposition
from aimindserve.sim.hub_faults import Fault
from aimindserve.sim.hub_files import HubFile
from aimindserve.sim.hub_repositories import MODELSCOPE, Catalogue, Repository
from aimindserve.sim.hub_transfer import Asked, FileAnswer, Log

_ID = r"(?P<id>[^/]+/[^/]+)"
_ROUTES = (
    ("me", re.compile(r"/openapi/v1/users/me")),
    ("listing", re.compile(r"/openapi/v1/models/?")),
    ("open-info", re.compile(rf"/openapi/v1/models/{_ID}")),
    ("login", re.compile(r"/api/v1/login")),
    ("files", re.compile(rf"/api/v1/models/{_ID}/repo/files")),
    ("revisions", re.compile(rf"/api/v1/models/{_ID}/revisions")),
    ("content", re.compile(rf"/api/v1/models/{_ID}/repo")),
    ("info", re.compile(rf"/api/v1/models/{_ID}")),
    ("resolve", re.compile(rf"/models/{_ID}/resolve/(?P<rev>[^/]+)/(?P<path>.+)")),
)
_MOST_FILES = 2000  # one listing's most entries, as the real service cuts it
_LONGEST_SEARCH = 3000
_TIME = 1_734_467_404


def _told(data: Any) -> Response:
    return JSONResponse({"Code": 200, "Data": data, "Message": "success", "RequestId": "fake", "Success": True})


def _failed(status: int, code: int, message: str) -> Response:
    told = {"Code": code, "Data": None, "Message": message, "RequestId": "fake", "Success": False}
    return JSONResponse(told, status)


def _open_told(data: Any) -> Response:
    return JSONResponse({"success": True, "request_id": "fake", "data": data})


def _open_failed(status: int, code: str, message: str) -> Response:
    return JSONResponse({"success": False, "request_id": "fake", "code": code, "message": message}, status)


def _token(request: Request) -> str | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token if kind.lower() == "bearer" and token else request.cookies.get("m_session_id")


@dataclass
class ModelScope:
    """Answers requests to the hub. ``addresses``: those of its content network."""

    catalogue: Catalogue
    log: Log
    addresses: Addresses

    def paths(self, raw: str, query: str) -> tuple[str, ...]:
        """What a fault's pattern may match: the file's path in its repository, and the request's path."""
        found = _find(raw)
        path = (found[1].get("path") if found else None) or next(iter(parse_qs(query).get("FilePath", ())), None)
        return (path, raw) if path else (raw,)

    def answer(self, request: Request, asked: Asked, fault: Fault | None) -> Any:
        """The answer to one request; an ASGI application."""
        found = _find(asked.path)
        if found is None:
            return _failed(404, 404, "not found")
        name, values = found
        params = {key: given[-1] for key, given in parse_qs(asked.query).items()}
        token = _token(request)
        known = self.catalogue.tokens.get(token or "")
        open_api = asked.path.startswith("/openapi/")
        if name == "me" or (open_api and token and known is None):
            if known is None:
                return _open_failed(401, "InvalidAuthentication", "invalid token")
            return _open_told({"preferred_username": known.user, "sub": "1", "email": ""})
        if name == "login":
            return self._login(request)
        if name == "listing":
            return self._listing(params)
        return self._about(request, name, values, params, asked, fault)

    def _login(self, request: Request) -> Response:
        known = self.catalogue.tokens.get(request.state.json.get("AccessToken", ""))
        if known is None:
            return _failed(400, 10010103009, "AccessToken is invalid or expired")
        answer = _told({"AccessToken": "git", "Username": known.user, "Email": ""})
        answer.set_cookie("m_session_id", request.state.json["AccessToken"])
        return answer

    def _listing(self, params: Mapping[str, str]) -> Response:
        page, size = int(params.get("page_number") or 1), int(params.get("page_size") or 10)
        if page * size > _LONGEST_SEARCH:
            return _open_failed(400, "InvalidParameter", "page_number * page_size must be <= 3000")
        words = (params.get("search") or "").lower().split()
        owner = (params.get("owner") or "").lower()
        found = [
            item
            for item in self.catalogue.all(MODELSCOPE)
            if not item.private
            and all(word in item.id.lower() for word in words)
            and item.id.lower().startswith(f"{owner}/" if owner else "")
        ]
        key = {"likes": "likes", "last_modified": "lastModified"}.get(params.get("sort") or "", "downloads")
        found.sort(key=lambda item: (item.about.get(key, 0 if key != "lastModified" else ""), item.id), reverse=True)
        models = [_open_model(item) for item in found[(page - 1) * size : page * size]]
        return _open_told({"models": models, "total_count": len(found), "page_number": page, "page_size": size})

    def _about(
        self,
        request: Request,
        name: str,
        values: Mapping[str, str],
        params: Mapping[str, str],
        asked: Asked,
        fault: Fault | None,
    ) -> Any:
        repository = self.catalogue.get(MODELSCOPE, values["id"])
        known = _token(request) if _token(request) in self.catalogue.tokens else None
        access = self.catalogue.access(repository, known, content=name in {"content", "resolve"})
        if repository is None or access == "missing":
            if name == "open-info":
                return _open_failed(404, "EntityNotFound", f"model {values['id']} not found")
            return _failed(404, 10010205001, "获取模型失败, 信息: record not found")
        if access != "granted":
            told = "need login" if access == "no-token" else f"no permission to read {repository.id}"
            return _failed(401 if access == "no-token" else 403, 10010203001, told)
        if name == "open-info":
            return _open_told(_open_model(repository))
        if name == "info":
            return _told(_model(repository))
        if name == "revisions":
            branches = [{"Revision": ref, "CommitId": sha, "CreatedAt": _TIME} for ref, sha in repository.refs.items()]
            return _told({"RevisionMap": {"Branches": branches, "Tags": []}})
        sha = repository.resolve(values.get("rev") or params.get("Revision") or repository.branch)
        if sha is None:
            return _failed(404, 10010205002, "获取模型版本失败, 信息: revision not found")
        if name == "files":
            return _files(repository, sha, params)
        file = repository.commits[sha].get(values.get("path") or params.get("FilePath", ""))
        if file is None:
            return _failed(404, 10010205003, "file not found")
        return self._content(request, repository, sha, file, asked, fault)

    def _content(
        self, request: Request, repository: Repository, sha: str, file: HubFile, asked: Asked, fault: Fault | None
    ) -> Any:
        if file.lfs:
            headers = {"X-Linked-ETag": f'"{file.content.sha256}"', "X-Linked-Size": str(file.content.size)}
            return Response(None, 302, {**headers, "Location": self.addresses.give(repository.id, file)})
        asked.file = f"{repository.id}/{file.path}"
        asked.range = None  # small files come whole, whatever part was asked for
        headers = {"Content-Type": "application/octet-stream", "Content-Disposition": disposition(file.path)}
        headers |= {"ETag": f'"{file.blob_id}"', "X-Repo-Commit": sha}
        return FileAnswer(file.content, headers, asked, self.log, fault, request.headers.get("if-range"))


def _open_model(repository: Repository) -> dict[str, Any]:
    about = repository.about
    task = about.get("pipeline_tag")
    counted = about.get("safetensors") or about.get("gguf") or {}
    return {
        "id": repository.id,
        "display_name": repository.id.partition("/")[2],
        "description": "",
        "downloads": about.get("downloads", 0),
        "likes": about.get("likes", 0),
        "license": about.get("cardData", {}).get("license"),
        "tasks": [task] if task else [],
        "tags": list(about.get("tags", ())),
        "params": counted.get("total"),
        "file_size": sum(file.content.size for file in repository.files.values()),
        "private": repository.private,
        "gated": bool(repository.gated),
        "created_at": about.get("createdAt"),
        "last_modified": about.get("lastModified"),
    }


def _model(repository: Repository) -> dict[str, Any]:
    owner, _, name = repository.id.partition("/")
    about = repository.about
    readme = repository.files.get("README.md")
    return {
        "Id": 1,
        "Name": name,
        "Path": owner,
        "Revision": repository.branch,
        "Downloads": about.get("downloads", 0),
        "Stars": about.get("likes", 0),
        "License": about.get("cardData", {}).get("license"),
        "Tags": list(about.get("tags", ())),
        "Tasks": [{"Name": about["pipeline_tag"]}] if "pipeline_tag" in about else [],
        "Visibility": 1 if repository.private else 5,
        "CreatedTime": _TIME,
        "LastUpdatedTime": _TIME,
        "StorageSize": sum(file.content.size for file in repository.files.values()),
        "ReadMeContent": readme.content.read(0, readme.content.size).decode() if readme else "",
    }


def _files(repository: Repository, sha: str, params: Mapping[str, str]) -> Response:
    root = params.get("Root", "").strip("/")
    prefix = f"{root}/" if root else ""
    deep = params.get("Recursive", "").lower() == "true"
    inside = [file for path, file in repository.commits[sha].items() if path.startswith(prefix)]
    if root and not inside:
        return _failed(404, 10010205003, "path not found")
    told: dict[str, dict[str, Any]] = {}
    for file in inside:
        parts = file.path[len(prefix) :].split("/")
        for depth in range(1, len(parts) if deep else min(2, len(parts))):
            path = prefix + "/".join(parts[:depth])
            told.setdefault(path, _entry(path, sha))
        if deep or len(parts) == 1:
            told[file.path] = _entry(file.path, sha) | {
                "Type": "blob",
                "Size": file.content.size,
                "Sha256": file.content.sha256,
                "IsLFS": file.lfs,
                "Mode": "33188",
            }
    return _told({"Files": list(told.values())[:_MOST_FILES], "LatestCommitter": {}})


def _entry(path: str, sha: str) -> dict[str, Any]:
    return {
        "Id": hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest(),
        "Name": path.rpartition("/")[2],
        "Path": path,
        "Type": "tree",
        "Size": 0,
        "Sha256": "",
        "IsLFS": False,
        "Mode": "16384",
        "InCheck": False,
        "Revision": sha,
        "CommitId": sha,
        "CommittedDate": _TIME,
    }


def _find(raw: str) -> tuple[str, dict[str, str]] | None:
    for name, pattern in _ROUTES:
        found = pattern.fullmatch(raw)
        if found:
            return name, {key: unquote(value) for key, value in found.groupdict().items() if value is not None}
    return None
