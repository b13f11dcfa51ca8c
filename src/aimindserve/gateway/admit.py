"""Whether a caller may use a model now, and what it is told when not."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aimindserve.domain.access import Scope, may_use_model
from aimindserve.domain.routing import Route, RouteState, near_names
from aimindserve.gateway.auth import Caller
from aimindserve.gateway.errors import Refusal
from aimindserve.gateway.heads import RequestHead

if TYPE_CHECKING:
    from aimindserve.gateway.table import Directory

NO_SUCH_PATH = Refusal(404, "unknown_path", "There is no such endpoint. See /docs for those that there are.")
WRONG_METHOD = Refusal(405, "method_not_allowed", "This endpoint does not take that method.")
NO_SCOPE = Refusal(403, "insufficient_scope", "This API key is not for inference: it lacks the scope 'inference'.")
BUSY = Refusal(
    503, "server_busy", "Too many large requests are under way. Try again in a moment.", source="gateway", retry_after=1
)
TOO_MANY = Refusal(429, "too_many_requests", "Too many requests of this key run or wait already.", retry_after=1)
ENCODED = Refusal(415, "unsupported_encoding", "A compressed body is not taken; send it as it is.")


def too_large(limit: int) -> Refusal:
    """The body is above ``limit`` bytes."""
    return Refusal(413, "body_too_large", f"The body is larger than {limit} bytes ({limit / 1024**2:g} MiB).")


def may_infer(caller: Caller) -> Refusal | None:
    """None when the caller's credential is for inference."""
    return None if Scope.INFERENCE in caller.scopes else NO_SCOPE


def may_forward(head: RequestHead, caller: Caller) -> Refusal | None:
    """None when the caller may send engines the body that comes after ``head``, should it be short enough."""
    if (head.get(b"content-encoding") or b"identity").lower() != b"identity":
        return may_infer(caller) or ENCODED
    return may_infer(caller)


def visible(routes: Mapping[str, Route], caller: Caller) -> list[Route]:
    """The models that the caller may use, by name."""
    return [routes[name] for name in sorted(routes) if may_use_model(caller.models, name)]


def find_routes(model: str, directory: "Directory", caller: Caller) -> tuple[str, tuple[Route, ...]] | Refusal:
    """The model that somebody wants by asking for ``model``, and the routes that may answer, in the order in which they
    are tried; at least one, ready or not. A refusal when the caller may not, or there is none."""
    if not may_use_model(caller.models, model):
        return Refusal(403, "model_not_allowed", f"This API key may not use the model {_quoted(model)}.", "model")
    route = directory.routes.get(model)
    if route is not None:
        return model, (route,)
    led = directory.led(model)
    if led is None:
        return no_such_model(model, directory.listed, caller)
    if not led[1]:
        message = f"The models behind {_quoted(model)} do not exist any more."
        return Refusal(503, "model_unavailable", message, "model", retry_after=30)
    return led


def no_such_model(model: str, routes: Mapping[str, Route], caller: Caller) -> Refusal:
    """404 with the names that look like it, as far as the caller may know them."""
    near = near_names(model, [route.model for route in visible(routes, caller)])
    hint = f" Did you mean {' or '.join(near)}?" if near else " GET /v1/models lists those that there are."
    message = f"There is no model {_quoted(model)}.{hint}"
    return Refusal(404, "model_not_found", message, "model", extra={"near": list(near)} if near else {})


def _quoted(name: str) -> str:
    return f"'{name if len(name) <= 100 else name[:100] + '…'}'"


def not_ready(route: Route, model: str, now: float) -> Refusal:
    """Why the request cannot be answered now, and when it probably can. ``model``: the name that was asked for;
    ``now`` in Unix seconds."""
    extra: dict[str, object] = {"phase": str(route.state)}
    if route.progress is not None:
        extra["progress"] = route.progress
    detail = f" {route.detail}" if route.detail else ""
    name = _quoted(model)
    if route.state is RouteState.STOPPED:
        return Refusal(503, "model_stopped", f"The model {name} is stopped.{detail}", "model", extra=extra)
    if route.state is RouteState.FAILED:
        message = f"The model {name} cannot run just now.{detail}"
        return Refusal(503, "model_failed", message, "model", retry_after=route.retry_after, extra=extra)
    if route.state is RouteState.READY:
        code, message = "model_unavailable", f"The model {name} has no running replica.{detail}"
    elif route.state is RouteState.ASLEEP:
        code, message = "model_starting", f"The model {name} was asleep; it is being woken."
    else:
        code, message = "model_starting", f"The model {name} is starting.{detail}"
    ready_in = route.ready_in(now)
    if ready_in is not None:
        extra["ready_in_seconds"] = round(ready_in)
    retry_after = route.retry_after if ready_in is None else round(ready_in)
    return Refusal(503, code, message, "model", retry_after=max(1, retry_after), extra=extra)
