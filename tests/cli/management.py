"""A small management server for the command line's tests: real HTTP, answers made of the product's own models."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aimindserve.domain.access import Role
from aimindserve.domain.environments import EnvironmentState
from aimindserve.domain.files import ModelState
from aimindserve.domain.lifecycle import Action, Phase
from aimindserve.domain.reason_texts import explain
from aimindserve.domain.reasons import Language, Reason, ReasonCode, reason
from aimindserve.domain.replicas import LogChunk, Wanted
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.domain.views import (
    DeploymentView,
    MemoryHistoryView,
    Problem,
    ReasonView,
    ReplicaView,
    SystemView,
)
from aimindserve.domain.views_access import (
    AliasView,
    KeyCreated,
    KeyPatch,
    KeyRequest,
    LimitsView,
    UserView,
    limits_of,
    limits_view,
)
from aimindserve.domain.views_catalog import CatalogView
from aimindserve.domain.views_engines import EnginesView, EnvironmentView, OfferView
from aimindserve.domain.views_files import FilesView, ModelFilesView, StoreView
from aimindserve.domain.views_hub import HubCheckView, HubFilesView, HubSearchView
from aimindserve.domain.views_nodes import NodeView

KEY = "sk-abcdefghijkl-secret"
LOG = "loading\nready\n"


class HubAnswers:
    """What the server knows of hubs."""

    def __init__(self) -> None:
        self.search = HubSearchView()
        self.catalog = CatalogView()
        self.files = HubFilesView(hub="hf", repository="a/b", revision="c" * 40)
        self.checks: tuple[HubCheckView, ...] = ()
        self.unconfirmed: Reason | None = None
        """Why nothing can be deployed until somebody approves the code."""
        self.approved: list[Any] = []

    def code_is_missing(self) -> bool:
        return self.unconfirmed is not None and not self.approved

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        match method, path.strip("/").split("/")[2:]:
            case "GET", ["catalog"]:
                return 200, self.catalog.model_dump(mode="json")
            case "GET", ["catalog", name]:
                return 200, next(card.model_dump(mode="json") for card in self.catalog.items if card.name == name)
            case "GET", ["hub", "search"]:
                return 200, self.search.model_dump(mode="json")
            case "GET", ["hub", "models", _, _, "files"]:
                return 200, self.files.model_dump(mode="json")
            case "POST", ["hub", "approvals"]:
                self.approved.append(body)
                return 201, {**body, "actor": "key:x", "at": 1.0}
            case "PUT" | "DELETE", ["settings", "hub", "tokens", _]:
                return 204, None
            case "POST", ["settings", "hub", "check"]:
                return 200, {"items": [one.model_dump(mode="json") for one in self.checks]}
            case _:
                return 404, None


class FilesAnswers:
    """What the server knows of model files. ``states``: what the next looks show, one each; the last one stays."""

    def __init__(self) -> None:
        self.items: list[ModelFilesView] = []
        self.states: list[ModelState] = []

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        match method, path.strip("/").split("/")[3:]:
            case "GET", []:
                return 200, self._view()
            case "POST", [] | ["import"]:
                return 202, {"keys": [item.key for item in self.items]}
            case ("POST", [_, _, _]) | ("DELETE", [_, _]):
                return 202, None
            case _:
                return 404, None

    def _view(self) -> Any:
        state = self.states.pop(0) if len(self.states) > 1 else (self.states or [None])[0]
        if state is not None:
            self.items = [item.model_copy(update={"state": state}) for item in self.items]
        store = StoreView(node_id="node-1", node="box", path="/data/models", used=2**30, disk_free=2**33)
        return FilesView(items=tuple(self.items), stores=(store,)).model_dump(mode="json")


class EnginesAnswers:
    """What the server knows of engines. ``states``: what the next looks show, one each; the last one stays."""

    def __init__(self) -> None:
        self.items: list[EnvironmentView] = []
        self.offers: tuple[OfferView, ...] = ()
        self.states: list[EnvironmentState] = []

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        match method, path.strip("/").split("/")[3:]:
            case "GET", []:
                return 200, self._view()
            case "POST", [] | ["register"]:
                items = [{"node_id": item.node_id, "node": item.node, "key": item.key} for item in self.items]
                return 202, {"items": items}
            case ("POST", [_, _, _]) | ("DELETE", [_, _]):
                return 202, None
            case _:
                return 404, None

    def _view(self) -> Any:
        state = self.states.pop(0) if len(self.states) > 1 else (self.states or [None])[0]
        if state is not None:
            self.items = [item.model_copy(update={"state": state}) for item in self.items]
        return EnginesView(items=tuple(self.items), offers=self.offers, nodes=()).model_dump(mode="json")


class Management:
    """What the server knows. ``requests`` keeps ``(method, path, headers, body)`` of everything that was asked."""

    def __init__(self) -> None:
        self.deployments: dict[str, DeploymentView] = {}
        self.keys: dict[str, KeyCreated] = {}
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.phases: list[Phase] = []
        """Phases that the next looks at a deployment show, one each; the last one stays."""
        self.log = LOG
        self.memory = MemoryHistoryView()
        self.hub = HubAnswers()
        self.files = FilesAnswers()
        self.engines = EnginesAnswers()
        self.aliases: dict[str, AliasView] = {}
        self.user = UserView(
            id="u1", username="ada", role=Role.USER, disabled=False, must_change_password=False, created_at=1.0,
            last_login_at=None, limits=LimitsView(concurrent=4), tokens_this_month=17,
        )  # fmt: skip
        self.node = NodeView(
            id="node-1", hostname="box", alive=True, last_report_at=1.0, desired_revision=1, acked_revision=1
        )

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """Status and JSON value (None: no body)."""
        match method, path.strip("/").split("/")[2:]:
            case _, ["deployments", *rest]:
                return self._deployments(method, rest, body)
            case "GET", ["replicas", _, "log"]:
                return 200, self._log(int(query["offset"][0])).model_dump(mode="json")
            case "GET", ["system"]:
                return 200, system_view().model_dump(mode="json")
            case _, ["keys", *rest]:
                return self._keys(method, rest, body)
            case _, ["aliases" | "users" as kind, *rest]:
                return (self._aliases if kind == "aliases" else self._users)(method, rest, body)
            case _, ["nodes", *rest]:
                return self._nodes(method, rest, body)
            case _, ["engines", *_]:
                return self.engines.answer(method, path)
            case _, ["files", *_]:
                return self.files.answer(method, path)
            case _, ["hub" | "catalog" | "settings", *_]:
                return self.hub.answer(method, path, body)
            case _:
                return 404, None

    def _users(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, {"items": [self.user.model_dump(mode="json")]}
        self.user = self.user.model_copy(update={"limits": LimitsView(**body["limits"])})
        return 200, self.user.model_dump(mode="json")

    def _aliases(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        match method, rest:
            case "PUT", [name]:
                times = {"created_at": 1.0, "updated_at": 1.0}
                self.aliases[name] = AliasView.model_validate({"name": name, "missing": [], **times, **body})
                return 200, self.aliases[name].model_dump(mode="json")
            case "DELETE", [name]:
                del self.aliases[name]
                return 204, None
            case _:
                return 200, {"items": [one.model_dump(mode="json") for one in self.aliases.values()]}

    def _nodes(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        match method, rest:
            case "GET", []:
                return 200, {"items": [self.node.model_dump(mode="json")]}
            case "PATCH", [_]:
                given = {name: value for name, value in body["labels"].items() if value is not None}
                self.node = self.node.model_copy(update={"labels": given})
            case "POST", [_, verb]:
                self.node = self.node.model_copy(update={"drained_at": 1.0 if verb == "drain" else None})
        return 200, self.node.model_dump(mode="json")

    def _deployments(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        match method, rest:
            case "GET", []:
                return 200, {"items": [view.model_dump(mode="json") for view in self.deployments.values()]}
            case "POST", []:
                return self._deployed(DeploymentSpec.model_validate(body))
            case "GET", [name] if name in self.deployments:
                return 200, self._shown(name)
            case "GET", [name, "memory"] if name in self.deployments:
                return 200, self.memory.model_dump(mode="json")
            case "DELETE", [name] if name in self.deployments:
                del self.deployments[name]
                return 204, None
            case "POST", [name, verb] if name in self.deployments:
                return 200, self._acted(name, verb, body)
            case _:
                return 404, None

    def _deployed(self, spec: DeploymentSpec) -> tuple[int, Any]:
        if self.hub.code_is_missing():
            return 409, self.hub.unconfirmed
        self.deployments[spec.name] = view_of(spec)
        return 201, self._shown(spec.name)

    def _keys(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        match method, rest:
            case "GET", []:
                items = [key.model_dump(mode="json", exclude={"token"}) for key in self.keys.values()]
                return 200, {"items": items}
            case "POST", []:
                return 201, self._new_key(KeyRequest.model_validate(body)).model_dump(mode="json")
            case "PATCH", [key_id] if key_id in self.keys:
                changes = KeyPatch.model_validate(body).model_dump(exclude_unset=True, exclude={"expires_in"})
                self.keys[key_id] = KeyCreated.model_validate(self.keys[key_id].model_dump() | changes)
                return 200, self.keys[key_id].model_dump(mode="json", exclude={"token"})
            case "DELETE", [key_id] if key_id in self.keys:
                del self.keys[key_id]
                return 204, None
            case _:
                return 404, None

    def _shown(self, name: str) -> Any:
        phase = self.phases.pop(0) if len(self.phases) > 1 else (self.phases or [None])[0]
        view = self.deployments[name]
        if phase is not None:
            view = self.deployments[name] = with_phase(view, phase)
        return view.model_dump(mode="json")

    def _acted(self, name: str, verb: str, body: Any) -> Any:
        view = self.deployments[name]
        if verb == "scale":
            spec = view.spec.model_copy(update={"replicas": body["replicas"]})
            view = view.model_copy(update={"spec": spec})
        phase = {"stop": Phase.STOPPING, "start": Phase.PENDING}.get(verb, view.phase)
        self.deployments[name] = with_phase(view, phase)
        return self.deployments[name].model_dump(mode="json")

    def _log(self, offset: int) -> LogChunk:
        """Eight bytes at a time, so that a reader has to go on."""
        end = min(offset + 8, len(self.log))
        return LogChunk(
            attempt=1, offset=offset, next_offset=end, size=len(self.log), text=self.log[offset:end], complete=True
        )

    def _new_key(self, request: KeyRequest) -> KeyCreated:
        made = KeyCreated(
            id=f"key{len(self.keys):09d}", name=request.name, scopes=request.scopes, models=request.models,
            created_at=0.0, expires_at=None if request.expires_in is None else float(request.expires_in),
            last_used_at=None, disabled=False, owner="admin", token=KEY,
            networks=request.networks, limits=limits_view(limits_of(request.limits)), tokens_this_month=0,
        )  # fmt: skip
        self.keys[made.id] = made
        return made


def worded(why: Reason, language: Language) -> ReasonView:
    """A reason as the server answers it."""
    words = explain(why, language)
    return ReasonView(code=why.code, params=why.params, message=words.message, remedy=words.remedy)


def with_phase(view: DeploymentView, phase: Phase) -> DeploymentView:
    """The deployment in another phase; a failed one says that its engine ran out of memory."""
    reasons = (worded(reason(ReasonCode.ENGINE_OUT_OF_MEMORY), "en"),) if phase is Phase.FAILED else ()
    replicas = tuple(one.model_copy(update={"phase": phase, "reasons": reasons}) for one in view.replicas)
    ready = len(replicas) if phase is Phase.READY else 0
    return view.model_copy(update={"phase": phase, "reasons": reasons, "replicas": replicas, "replicas_ready": ready})


def view_of(spec: DeploymentSpec) -> DeploymentView:
    """A fresh deployment with one pending replica."""
    replica = ReplicaView(
        id="r1", deployment=spec.name, generation=1, node_id="n1", node="box", phase=Phase.PENDING, reasons=(),
        attempt=1, restarts=0, pid=4711, download=None, created_at=1.0, ready_since=None, retry_at=None,
        timeline=(), claims=(),
    )  # fmt: skip
    return DeploymentView(
        id="d1", name=spec.name, spec=spec, wanted=Wanted.RUNNING, generation=1, revision=1, phase=Phase.PENDING,
        reasons=(), replicas=(replica,), replicas_ready=0, allowed_actions=(Action.STOP, Action.DELETE),
        capabilities=("vision",), architecture="qwen2vl", quantization="Q8_0", context_length=4096, plan=None,
        created_at=1.0, updated_at=1.0,
    )  # fmt: skip


def system_view() -> SystemView:
    """A system that has run for a while."""
    return SystemView(version="0.1.0", database="sqlite", data_dir="/var/lib/aimindserve", gateways=1, started_at=1.0)


def handler_of(management: Management) -> type[BaseHTTPRequestHandler]:
    """The HTTP side: checks the key, speaks problem+json."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            parts = urlsplit(self.path)
            management.requests.append((self.command, self.path, dict(self.headers.items()), body))
            language: Language = "zh" if self.headers.get("accept-language") == "zh" else "en"
            if self.headers.get("authorization") != f"Bearer {KEY}":
                return self._problem(401, reason(ReasonCode.UNAUTHENTICATED), language)
            status, value = management.answer(self.command, parts.path, parse_qs(parts.query), body)
            if isinstance(value, Reason):
                return self._problem(status, value, language)
            if status == 404:
                return self._problem(404, reason(ReasonCode.NOT_FOUND, kind="deployment", name=parts.path), language)
            return self._send(status, b"" if value is None else json.dumps(value).encode(), "application/json")

        def _problem(self, status: int, why: Reason, language: Language) -> None:
            words = worded(why, language)
            problem = Problem(
                type="about:blank", title="Problem", status=status, code=words.code, message=words.message,
                params=words.params, remedy=words.remedy, request_id="r", reasons=(),
            )  # fmt: skip
            self._send(status, problem.model_dump_json().encode(), "application/problem+json")

        def _send(self, status: int, content: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 (names that http.server looks for)

        def address_string(self) -> str:
            return "test"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Keep quiet."""

    return Handler


class _UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextlib.contextmanager
def serving(management: Management, socket: Path | None = None) -> Iterator[str]:
    """Serve on a free loopback port, or on a Unix socket; gives the base URL."""
    handler = handler_of(management)
    server: socketserver.BaseServer
    if socket is None:
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        url = f"http://127.0.0.1:{server.server_address[1]}"
    else:
        socket.parent.mkdir(parents=True, exist_ok=True)
        server, url = _UnixServer(str(socket), handler), "http://localhost"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
