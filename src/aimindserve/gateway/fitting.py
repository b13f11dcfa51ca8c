"""Whether the model that was found can do what a request asks: its engines have the endpoint, and take its pictures."""

from aimindserve.domain.balancing import Lane
from aimindserve.domain.routing import Route
from aimindserve.gateway.asked import BODY_LIMITS, too_many
from aimindserve.gateway.body import BodyView
from aimindserve.gateway.endpoints import Body, Row
from aimindserve.gateway.errors import Refusal, not_supported


def fitting(route: Route, row: Row, view: BodyView) -> Refusal | None:
    """Why the model cannot do it: no replica's engine has the endpoint, or takes so many pictures. While there are no
    replicas, that is not known."""
    most = BODY_LIMITS.images if route.images is None else route.images
    if view.images > most:
        return too_many("images", "messages" if row.body is not Body.RESPONSES else "input", view.images, most)
    if (
        row.paths is None
        or not route.endpoints
        or any(row.path_on(one.engine, "") is not None for one in route.endpoints)
    ):
        return None
    engine = route.endpoints[0].engine
    others = f" {' and '.join(row.paths)} has it." if row.paths else ""
    return not_supported(f"The model '{route.model}' runs on {engine}, which has no such endpoint.{others}")


def able(lanes: tuple[Lane, ...], row: Row) -> tuple[Lane, ...]:
    """Those whose engine has the endpoint."""
    if row.paths is None:
        return lanes
    return tuple(lane for lane in lanes if row.path_on(lane.endpoint.engine, "") is not None)
