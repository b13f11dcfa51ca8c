"""What the gateway answers by itself: the list of models, its health, its metrics."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

from aimindserve.domain.access import Scope
from aimindserve.domain.routing import Route, RouteState
from aimindserve.gateway.admit import may_infer, no_such_model, visible
from aimindserve.gateway.auth import Caller, authenticate
from aimindserve.gateway.endpoints import Action, Row, model_in
from aimindserve.gateway.errors import METRICS_KEY_NEEDED, METRICS_SCOPE_NEEDED, Refusal, prefers_chinese, problem_body
from aimindserve.gateway.heads import RequestHead
from aimindserve.gateway.metrics import exposition

if TYPE_CHECKING:
    from aimindserve.gateway.context import Gateway

JSON = b"application/json"
PROMETHEUS = b"text/plain; version=0.0.4; charset=utf-8"
LOCAL_PATHS = frozenset({"/healthz", "/metrics"})


def _model_object(route: Route) -> dict[str, Any]:
    """OpenAI's shape, and what a person choosing a model wants to know."""
    return {
        "id": route.model,
        "object": "model",
        "created": route.created,
        "owned_by": "aimindserve",
        "state": str(route.state),
        "capabilities": list(route.capabilities),
        "context_length": route.context_length,
    }


def answer_models(gateway: "Gateway", row: Row, path: str, caller: Caller) -> bytes | Refusal:
    """The JSON of ``/v1/models`` or ``/v1/models/{id}``. Stopped models are not listed: they cannot be used."""
    refusal = may_infer(caller)
    if refusal is not None:
        return refusal
    routes = gateway.directory.listed
    allowed = visible(routes, caller)
    if row.action is Action.SHOW_MODEL:
        name = unquote(model_in(path))
        for route in allowed:
            if route.model == name:
                return msgspec.json.encode(_model_object(route))
        return no_such_model(name, routes, caller)
    listed = [_model_object(route) for route in allowed if route.state is not RouteState.STOPPED]
    return msgspec.json.encode({"object": "list", "data": listed})


def answer_local(
    gateway: "Gateway", head: RequestHead, request_id: str, address: Callable[[], str]
) -> tuple[int, bytes, bytes]:
    """(status, content type, body) of ``/healthz`` or ``/metrics``; ``address``: see ``authenticate``."""
    if head.method not in (b"GET", b"HEAD"):
        return 405, JSON, b'{"status":"method not allowed"}'
    if head.path == "/healthz":
        return 200, JSON, b'{"status":"ok"}'
    directory = gateway.directory
    caller = authenticate(head, gateway.pepper, directory.keys, directory.sessions, time.time(), address)
    known = not isinstance(caller, Refusal)
    if not known or not caller.scopes & {str(Scope.METRICS), str(Scope.MANAGEMENT)}:
        problem = METRICS_SCOPE_NEEDED if known else METRICS_KEY_NEEDED
        body = problem_body(problem, request_id, chinese=prefers_chinese(head.get(b"accept-language")))
        return problem.status, b"application/problem+json", body
    gateway.count()
    return 200, PROMETHEUS, exposition(gateway.metrics, gateway.lanes.loads(), gateway.gauges())
