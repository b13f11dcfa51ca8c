"""One method per thing that a program asks of the management API.

Answers are the models of ``domain.views``. A refusal by the server is an :class:`ApiError` that carries the
problem (code, message, remedy); a server that cannot be reached is :class:`UnreachableError`.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from aimindserve.domain.aliases import AliasSpec
from aimindserve.domain.replicas import LogChunk
from aimindserve.domain.specs import DeploymentPatch, DeploymentSpec
from aimindserve.domain.views import (
    DeploymentView,
    EventView,
    ItemList,
    MemoryHistoryView,
    Problem,
    ReasonView,
    ScaleRequest,
    SystemView,
)
from aimindserve.domain.views_access import AliasView, KeyCreated, KeyPatch, KeyRequest, KeyView, UserPatch, UserView
from aimindserve.domain.views_catalog import CatalogCardView, CatalogQuery, CatalogView
from aimindserve.domain.views_engines import EnginesView, InstallRequest, OrderedEnvironments, RegisterRequest
from aimindserve.domain.views_files import DownloadRequest, FilesView, ImportRequest, OrderedView
from aimindserve.domain.views_fit import FitReport
from aimindserve.domain.views_hub import (
    CodeApprovalRequest,
    CodeApprovalView,
    HubCheckView,
    HubFilesView,
    HubSearchQuery,
    HubSearchView,
    HubSettingsRequest,
    HubSettingsView,
    TokenRequest,
)
from aimindserve.domain.views_nodes import NodePatch, NodeView

Answer = TypeVar("Answer", bound=BaseModel)
TIMEOUT = httpx.Timeout(30.0, connect=5.0)


class ApiError(Exception):
    """The server refused: ``problem`` says why and what to do."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class UnreachableError(Exception):
    """No server answered at this address."""


class Client:
    """A connection to one server, by ``http(s)://`` address or by its Unix socket on this machine."""

    def __init__(
        self, base_url: str, *, key: str | None = None, socket: Path | None = None, language: str = "en"
    ) -> None:
        headers = {"Accept-Language": language, "User-Agent": "aimindserve-cli"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        transport = httpx.HTTPTransport(uds=str(socket)) if socket else None
        self.address = str(socket) if socket else base_url
        self._http = httpx.Client(
            base_url=base_url,
            headers=headers,
            transport=transport,
            timeout=TIMEOUT,
            trust_env=False,
            verify=socket is not None or _trusted(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    # Deployments

    def deployments(self) -> tuple[DeploymentView, ...]:
        """All deployments."""
        return self._get("/deployments", ItemList[DeploymentView]).items

    def deployment(self, name: str) -> DeploymentView:
        """One deployment."""
        return self._get(f"/deployments/{_part(name)}", DeploymentView)

    def deploy(self, spec: DeploymentSpec) -> DeploymentView:
        """Create a deployment."""
        return self._send("POST", "/deployments", DeploymentView, spec)

    def edit_deployment(self, name: str, patch: DeploymentPatch, revision: int) -> DeploymentView:
        """Change a spec, unless somebody else changed it after ``revision``."""
        headers = {"If-Match": f'"{revision}"'}
        return _parse(
            DeploymentView, self._request("PATCH", f"/deployments/{_part(name)}", patch, more_headers=headers)
        )

    def manifest(self, names: Sequence[str]) -> str:
        """These deployments (none named: all) as YAML."""
        return self._request("GET", "/manifest", params={"name": list(names)}).text

    def fit(self, spec: DeploymentSpec) -> FitReport:
        """What deploying ``spec`` would mean. Nothing is changed."""
        return self._send("POST", "/fit", FitReport, spec)

    def act(self, name: str, action: str) -> DeploymentView:
        """``start``, ``stop`` or ``restart`` a deployment."""
        return self._send("POST", f"/deployments/{_part(name)}/{action}", DeploymentView)

    def scale(self, name: str, replicas: int) -> DeploymentView:
        """Set the number of replicas."""
        body = ScaleRequest(replicas=replicas)
        return self._send("POST", f"/deployments/{_part(name)}/scale", DeploymentView, body)

    def delete_deployment(self, name: str) -> None:
        """Delete a deployment; its replicas are stopped, model files stay."""
        self._request("DELETE", f"/deployments/{_part(name)}")

    def deployment_events(self, name: str) -> tuple[EventView, ...]:
        """What happened to a deployment, newest last."""
        return self._get(f"/deployments/{_part(name)}/events", ItemList[EventView]).items

    def deployment_memory(self, name: str) -> MemoryHistoryView:
        """Memory as estimated and as measured, for the latest starts of a deployment."""
        return self._get(f"/deployments/{_part(name)}/memory", MemoryHistoryView)

    def log(self, replica: str, *, attempt: int | None = None, offset: int = 0) -> LogChunk:
        """A piece of the log of one attempt (None: the latest) from byte ``offset`` on."""
        params: dict[str, str] = {"offset": str(offset)}
        if attempt is not None:
            params["attempt"] = str(attempt)
        return _parse(LogChunk, self._request("GET", f"/replicas/{_part(replica)}/log", params=params))

    # Keys, nodes, system

    def keys(self) -> tuple[KeyView, ...]:
        """All API keys, without their secrets."""
        return self._get("/keys", ItemList[KeyView]).items

    def create_key(self, request: KeyRequest) -> KeyCreated:
        """Make an API key; the answer is the only place that shows it whole."""
        return self._send("POST", "/keys", KeyCreated, request)

    def edit_key(self, key_id: str, patch: KeyPatch) -> KeyView:
        """Change what a key may do; fields that were not set stay."""
        return self._send("PATCH", f"/keys/{_part(key_id)}", KeyView, patch)

    def delete_key(self, key_id: str) -> None:
        """Delete an API key: it stops working at once."""
        self._request("DELETE", f"/keys/{_part(key_id)}")

    def aliases(self) -> tuple[AliasView, ...]:
        """All aliases."""
        return self._get("/aliases", ItemList[AliasView]).items

    def put_alias(self, name: str, spec: AliasSpec) -> AliasView:
        """Make an alias, or have it lead elsewhere."""
        return self._send("PUT", f"/aliases/{_part(name)}", AliasView, spec)

    def delete_alias(self, name: str) -> None:
        """Delete an alias."""
        self._request("DELETE", f"/aliases/{_part(name)}")

    def users(self) -> tuple[UserView, ...]:
        """All people."""
        return self._get("/users", ItemList[UserView]).items

    def edit_user(self, user_id: str, patch: UserPatch) -> UserView:
        """Change a person; fields that were not set stay."""
        return self._send("PATCH", f"/users/{_part(user_id)}", UserView, patch)

    def nodes(self) -> tuple[NodeView, ...]:
        """All nodes with their devices and engines."""
        return self._get("/nodes", ItemList[NodeView]).items

    def label_node(self, node: str, patch: NodePatch) -> NodeView:
        """Give labels to a node (id or host name), or take them back."""
        return self._send("PATCH", f"/nodes/{_part(node)}", NodeView, patch)

    def act_on_node(self, node: str, action: str) -> NodeView:
        """``drain`` or ``undrain`` a node (id or host name)."""
        return self._send("POST", f"/nodes/{_part(node)}/{action}", NodeView)

    def events(self, *, limit: int, after: int | None = None, deployment: str | None = None) -> tuple[EventView, ...]:
        """The latest events, or those with ids above ``after``; oldest first."""
        params: dict[str, str] = {"limit": str(limit)}
        params |= {"after": str(after)} if after is not None else {}
        params |= {"deployment": deployment} if deployment is not None else {}
        return self._get("/events", ItemList[EventView], params).items

    def system(self) -> SystemView:
        """Version, database and folders of the running system."""
        return self._get("/system", SystemView)

    # Hubs

    def catalog(self, query: CatalogQuery) -> CatalogView:
        """Model families that match."""
        return self._get("/catalog", CatalogView, query.model_dump(exclude_defaults=True))

    def catalog_card(self, name: str, hub: str) -> CatalogCardView:
        """One model family."""
        return self._get(f"/catalog/{_part(name)}", CatalogCardView, {"source": hub})

    def search_hub(self, query: HubSearchQuery) -> HubSearchView:
        """One page of models on a hub."""
        return self._get("/hub/search", HubSearchView, query.model_dump(exclude_defaults=True))

    def hub_files(self, hub: str, repository: str, revision: str | None = None) -> HubFilesView:
        """What a repository (``owner/name``) offers to deploy."""
        params = {"source": hub} | ({"revision": revision} if revision else {})
        return self._get(f"/hub/models/{quote(repository)}/files", HubFilesView, params)

    def approve_code(self, request: CodeApprovalRequest) -> CodeApprovalView:
        """Let the Python code of one commit run."""
        return self._send("POST", "/hub/approvals", CodeApprovalView, request)

    def store_hub_token(self, hub: str, request: TokenRequest) -> None:
        """Store a hub's token."""
        self._request("PUT", f"/settings/hub/tokens/{_part(hub)}", request)

    def remove_hub_token(self, hub: str) -> None:
        """Forget a hub's token."""
        self._request("DELETE", f"/settings/hub/tokens/{_part(hub)}")

    def hub_settings(self) -> HubSettingsView:
        """How the hubs are reached."""
        return self._get("/settings/hub", HubSettingsView)

    def change_hub_settings(self, request: HubSettingsRequest) -> HubSettingsView:
        """Store how the hubs are reached."""
        return self._send("PATCH", "/settings/hub", HubSettingsView, request)

    def check_hubs(self) -> tuple[HubCheckView, ...]:
        """Whether the hubs answer and know the tokens."""
        return self._send("POST", "/settings/hub/check", ItemList[HubCheckView]).items

    # Model files

    def files(self) -> FilesView:
        """Every model on every node."""
        return self._get("/files", FilesView)

    def download_files(self, request: DownloadRequest) -> OrderedView:
        """Have a model's files fetched."""
        return self._send("POST", "/files", OrderedView, request)

    def import_files(self, request: ImportRequest) -> OrderedView:
        """Have a model's files copied from a folder on a node."""
        return self._send("POST", "/files/import", OrderedView, request)

    def act_on_files(self, node: str, key: str, action: str) -> None:
        """``pause``, ``resume`` or ``retry``."""
        self._request("POST", f"/files/{_part(node)}/{_part(key)}/{action}")

    def delete_files(self, node: str, key: str) -> None:
        """Delete a model's files; a local path is only forgotten."""
        self._request("DELETE", f"/files/{_part(node)}/{_part(key)}")

    # Engines

    def engines(self) -> EnginesView:
        """Versions of engines on nodes, and those that can be installed."""
        return self._get("/engines", EnginesView)

    def install_engine(self, request: InstallRequest) -> OrderedEnvironments:
        """Have a version of an engine installed."""
        return self._send("POST", "/engines", OrderedEnvironments, request)

    def register_engine(self, request: RegisterRequest) -> OrderedEnvironments:
        """Use a program that is on a node."""
        return self._send("POST", "/engines/register", OrderedEnvironments, request)

    def act_on_engine(self, node: str, key: str, action: str) -> None:
        """``cancel`` or ``retry``."""
        self._request("POST", f"/engines/{_part(node)}/{_part(key)}/{action}")

    def remove_engine(self, node: str, key: str) -> None:
        """Remove an engine from a node; a registered program is only forgotten."""
        self._request("DELETE", f"/engines/{_part(node)}/{_part(key)}")

    # How it is said

    def _get(self, path: str, model: type[Answer], params: Mapping[str, Any] | None = None) -> Answer:
        return _parse(model, self._request("GET", path, params=params))

    def _send(self, method: str, path: str, model: type[Answer], body: BaseModel | None = None) -> Answer:
        return _parse(model, self._request(method, path, body))

    def _request(
        self,
        method: str,
        path: str,
        body: BaseModel | None = None,
        params: Mapping[str, Any] | None = None,
        more_headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send; raise ApiError for a refusal and UnreachableError for no answer."""
        content = body.model_dump_json(exclude_unset=True) if body is not None else None
        headers = {"Content-Type": "application/json"} if content is not None else {}
        headers |= more_headers or {}
        try:
            response = self._http.request(method, f"/api/v1{path}", content=content, headers=headers, params=params)
        except httpx.TransportError as error:
            raise UnreachableError(f"{self.address}: {error}") from error
        if response.is_error:
            raise _api_error(response)
        return response


def _part(text: str) -> str:
    """A name as one part of a path."""
    return quote(text, safe="")


def _trusted() -> ssl.SSLContext:
    """Authorities that this machine trusts too, or that ``SSL_CERT_FILE`` names: a company has its own."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def _parse(model: type[Answer], response: httpx.Response) -> Answer:
    """The answer as its model; an answer of another shape means a server of another version."""
    try:
        return model.model_validate_json(response.content)
    except ValidationError as error:
        raise UnreachableError(f"the server's answer is not what this version expects: {error}") from error


def _api_error(response: httpx.Response) -> ApiError:
    """The problem in the answer; an answer without one (a proxy's page, say) becomes one."""
    try:
        return ApiError(Problem.model_validate_json(response.content))
    except ValidationError:
        return ApiError(_foreign_problem(response))


def _foreign_problem(response: httpx.Response) -> Problem:
    """A problem for an error answer that is not ours, or that comes in OpenAI's envelope."""
    message = f"HTTP {response.status_code} {response.reason_phrase}"
    envelope: Any = None
    if response.headers.get("content-type", "").startswith("application/json"):
        envelope = response.json()
    if isinstance(envelope, dict) and isinstance(envelope.get("error"), dict):
        message = str(envelope["error"].get("message", message))
    reasons: tuple[ReasonView, ...] = ()
    return Problem(
        type="about:blank", title=response.reason_phrase, status=response.status_code, code="unexpected_answer",
        message=message, params={}, remedy="Check the address and the state of the server (aimindserve doctor).",
        request_id=response.headers.get("x-request-id", ""), reasons=reasons,
    )  # fmt: skip
