"""A small hub for tests: what a repository holds, its files, a second host for their content, and faults."""

import hashlib
import http.server
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from aimindserve.domain.facts import FileRole, HubOrigin, ModelFacts, ModelFile, ModelFormat

REVISION = "a" * 40
PIECE = 16384
TOKEN = "hf_canary_of_the_download_tests"


@dataclass
class Fault:
    """What goes wrong with the next request of a file's content. ``at``: a byte of the file."""

    kind: str
    at: int = 0
    status: int = 0
    retry_after: str | None = None


@dataclass
class Hub:
    """``files`` by path. ``faults`` are used up in order, one a request; ``sent`` counts bytes of bodies by path;
    ``sending``: answers with content that are under way; ``leaked``: requests for content that carried a token to the
    other host."""

    files: dict[str, bytes]
    repository: str = "org/repo"
    gated: bool = False
    private: bool = False
    asked: int = 0
    faults: list[Fault] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    sending: int = 0
    requests: int = 0
    leaked: int = 0
    rate: int | None = None
    port: int = 0
    content_port: int = 0
    redirect: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def description(self) -> dict[str, object]:
        """What ``/api/models`` tells."""
        siblings: list[dict[str, object]] = []
        for file in self.facts().files:
            kind, _, value = (file.digest or "").partition(":")
            sibling: dict[str, object] = {"rfilename": file.path, "size": file.size, "blobId": value[:40]}
            if kind == "sha256":
                sibling["lfs"] = {"sha256": value, "size": file.size, "pointerSize": 134}
            siblings.append(sibling)
        told = {"id": self.repository, "sha": REVISION, "siblings": siblings, "tags": ["gguf"], "private": False}
        return told | {"gated": "manual" if self.gated else False, "cardData": {"license": "apache-2.0"}}

    def next_fault(self) -> Fault | None:
        with self.lock:
            self.requests += 1
            return self.faults.pop(0) if self.faults else None

    def facts(self, *, digests: bool = True) -> ModelFacts:
        """The facts of the whole repository."""
        files = []
        for path, content in self.files.items():
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            if path.endswith(".json"):
                digest = "git:" + hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            role = FileRole.CONFIG if path.endswith(".json") else FileRole.WEIGHTS
            file = ModelFile(path=path, role=role, size=len(content), digest=digest if digests else None)
            files.append(file)
        origin = HubOrigin(hub="hf", repository=self.repository, revision=REVISION)
        name = ModelFormat.GGUF
        return ModelFacts(format=name, architecture="qwen2vl", name="model", files=tuple(files), origin=origin)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub
    is_content = False

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Nothing is printed."""

    def do_GET(self) -> None:
        if self.path.startswith("/api/models/"):
            self._describe()
            return
        match = re.fullmatch(rf"/{self.hub.repository}/resolve/{REVISION}/(.+)", self.path)
        path = match[1] if match else ""
        content = self.hub.files.get(path)
        if content is None:
            self._status(404)
        elif not self.is_content and self.hub.redirect:
            self._redirect(f"http://localhost:{self.hub.content_port}{self.path}")
        else:
            if self.is_content and self.headers.get("authorization"):
                self.hub.leaked += 1
            self._content(path, content, self.hub.next_fault())

    def _describe(self) -> None:
        """``/api/models/{repository}[/revision/{revision}]`` as the hub answers it."""
        path = self.path.partition("?")[0].removeprefix("/api/models/")
        repository, _, revision = path.partition("/revision/")
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        self.hub.asked += 1
        if token and token != TOKEN:
            self._error(401, "", "Invalid username or password.")
        elif repository != self.hub.repository or (self.hub.private and not token):
            self._error(404 if token else 401, "RepoNotFound", "Repository not found")
        elif revision not in ("", "main", REVISION):
            self._error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        elif self.hub.gated and not token:
            self._error(401, "GatedRepo", "Access to this model is restricted.")
        else:
            fault = self.hub.next_fault() if self.hub.faults and self.hub.faults[0].kind == "status" else None
            if fault:
                self._status(fault.status, fault.retry_after)
            else:
                self._json(200, self.hub.description())

    def _error(self, status: int, code: str, message: str) -> None:
        self._json(status, {"error": message}, {"x-error-code": code, "x-error-message": message} if code else {})

    def _json(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _redirect(self, target: str) -> None:
        self.send_response(302)
        self.send_header("location", target)
        self.send_header("content-length", "0")
        self.end_headers()

    def _status(self, status: int, retry_after: str | None = None) -> None:
        self.send_response(status)
        if retry_after is not None:
            self.send_header("retry-after", retry_after)
        self.send_header("content-length", "0")
        self.end_headers()

    def _content(self, path: str, content: bytes, fault: Fault | None) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        start = int(wanted[1]) if wanted else 0
        end = min(len(content), int(wanted[2]) + 1) if wanted and wanted[2] else len(content)
        kind = fault.kind if fault else ""
        if kind == "status" and fault:
            self._status(fault.status, fault.retry_after)
            return
        if kind == "loop":
            self._redirect(self.path)
            return
        if kind == "no range":
            start, wanted = 0, None
        body = content[start:end]
        if kind == "wrong bytes":
            body = bytes(byte ^ 255 for byte in body[:64]) + body[64:]
        if kind == "page":
            body, wanted = b"<html>Please log in</html>", None
        self.send_response(HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK)
        self.send_header("content-type", "text/html; charset=utf-8" if kind == "page" else "application/octet-stream")
        if wanted:
            shown = start + 1 if kind == "wrong range" else start
            self.send_header("content-range", f"bytes {shown}-{end - 1}/{len(content)}")
        longer = {"too long": 100, "too short": -100}.get(kind, 0)
        self.send_header("content-length", str(max(0, len(body) + longer)))
        self.end_headers()
        self._send(path, body, max(0, fault.at - start) if fault and kind in ("cut", "stall") else None, kind)

    def _send(self, path: str, body: bytes, stop_at: int | None, kind: str) -> None:
        body = body if stop_at is None else body[:stop_at]
        with self.hub.lock:
            self.hub.sending += 1
        try:
            for position in range(0, len(body), PIECE):
                part = body[position : position + PIECE]
                self.wfile.write(part)
                with self.hub.lock:
                    self.hub.sent[path] += len(part)
                if self.hub.rate:
                    threading.Event().wait(len(part) / self.hub.rate)
            if kind == "stall":
                threading.Event().wait(3)
        except OSError:
            pass
        finally:
            with self.hub.lock:
                self.hub.sending -= 1
        if stop_at is not None or kind in ("too long", "too short"):
            self.close_connection = True


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The hub on two loopback ports, until the block ends."""
    kinds = [type("Home", (_Handler,), {"hub": hub}), type("Content", (_Handler,), {"hub": hub, "is_content": True})]
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) for kind in kinds]
    hub.port, hub.content_port = (server.server_address[1] for server in servers)
    threads = [threading.Thread(target=server.serve_forever, args=(0.02,)) for server in servers]
    for server, thread in zip(servers, threads, strict=True):
        server.daemon_threads = True
        thread.start()
    try:
        yield hub
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()


def content(size: int, seed: int) -> bytes:
    """Bytes that look like weights."""
    return random.Random(seed).randbytes(size)
