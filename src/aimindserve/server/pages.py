"""The web page: files built from ``ui/`` that come with the package."""

import re
from pathlib import Path

from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from aimindserve.domain.access import SAFE_METHODS
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.server.errors import RefusedError

UI_FOLDER = Path(__file__).parent.parent / "ui_dist"
# Anything else is a route of the page: no dots at the start, no escapes, no depth that our build does not have.
_FILE_PATH = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}){1,4}")
# File names in it hold a hash of their content.
_HASHED = "/assets/"
_API_PREFIXES = ("/api/", "/v1/")
_YEAR = "public, max-age=31536000, immutable"
_REVALIDATE = "no-cache"

_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>aiMindServe</title>
<h1>aiMindServe is running</h1>
<p>Its web page is not part of this installation: it has not been built.
The API and the command line work; <code>aimindserve ls</code> lists what runs.</p>
<p>From a clone, build the page with <code>make ui</code>, then load this address again.</p>
<hr>
<p lang="zh">aiMindServe 已在运行，但此安装中尚未构建网页。API 和命令行可正常使用。
请在源码目录执行 <code>make ui</code>，然后刷新本页。</p>
</html>
"""


class Pages:
    """Answers every path that no route took: a file of the page, else the page itself, whose router knows the path."""

    def __init__(self, folder: Path = UI_FOLDER) -> None:
        self.folder = folder
        self._files = StaticFiles(directory=folder, check_dir=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        response = self._response(scope)
        await response(scope, receive, send)

    def _response(self, scope: Scope) -> Response:
        path: str = scope["path"]
        if f"{path}/".startswith(_API_PREFIXES):
            raise RefusedError(reason(ReasonCode.NOT_FOUND, kind="address", name=path[:200]))
        if scope["method"] not in SAFE_METHODS:
            allowed = {"allow": "GET, HEAD"}
            raise RefusedError(reason(ReasonCode.METHOD_NOT_ALLOWED, method=scope["method"]), headers=allowed)
        file = self.folder / path[1:]
        if _FILE_PATH.fullmatch(path) and file.is_file() and not file.is_symlink():
            response = self._files.file_response(file, file.stat(), scope)
            response.headers["cache-control"] = _YEAR if path.startswith(_HASHED) else _REVALIDATE
            return response
        if path.startswith(_HASHED):
            # A page of an older version asks for its own files: a clear "gone" makes it load anew.
            raise RefusedError(reason(ReasonCode.NOT_FOUND, kind="file", name=path[:200]))
        return self._index()

    def _index(self) -> Response:
        index = self.folder / "index.html"
        if not index.is_file():
            return HTMLResponse(_NOT_BUILT, status_code=503, headers={"cache-control": "no-store"})
        return FileResponse(index, headers={"cache-control": _REVALIDATE})
