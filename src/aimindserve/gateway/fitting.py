"""Whether the model that was found can do what a request asks: its engines have the endpoint, and take its pictures."""

from dataclasses import replace

from aimindserve.domain.routing import Route
from aimindserve.gateway.body import BodyView
from aimindserve.gateway.endpoints import Body, Row
from aimindserve.gateway.errors import Refusal, not_supported
from aimindserve.gateway.limits import LIMITS, too_many


def fitting(route: Route, row: Row, view: BodyView) -> Route | Refusal:
    """``route`` with those of its replicas whose engine has the endpoint; a refusal when there is none, or when the
    request has more pictures than the engine takes."""
    most = LIMITS.images if route.images is None else route.images
    if view.images > most:
        return too_many("images", "messages" if row.body is not Body.RESPONSES else "input", view.images, most)
    if row.paths is None:
        return route
    having = tuple(one for one in route.endpoints if row.path_on(one.engine, "") is not None)
    if len(having) == len(route.endpoints):
        return route
    if not having:
        engine = route.endpoints[0].engine
        others = f" {' and '.join(row.paths)} has it." if row.paths else ""
        return not_supported(f"The model '{route.model}' runs on {engine}, which has no such endpoint.{others}")
    return replace(route, endpoints=having)
