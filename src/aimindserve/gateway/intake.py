"""A whole inference request before it goes anywhere: what it asks for, of which model, and whether it may."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aimindserve.domain.routing import Route
from aimindserve.gateway.admit import find_route
from aimindserve.gateway.auth import Caller
from aimindserve.gateway.body import BodyView, look
from aimindserve.gateway.endpoints import Body, Row
from aimindserve.gateway.errors import Refusal
from aimindserve.gateway.fitting import fitting
from aimindserve.gateway.forms import look_form
from aimindserve.gateway.media import not_fetched

if TYPE_CHECKING:
    from aimindserve.gateway.context import Gateway


@dataclass(frozen=True, slots=True)
class Taken:
    """A request that may go on. ``told``: header lines for its answer, about its caller's limits."""

    view: BodyView
    route: Route
    told: bytes


def take(
    gateway: "Gateway", row: Row, caller: Caller, body: bytes | bytearray, content_type: bytes | None
) -> Taken | Refusal:
    """The request with this ``body``, or why it is refused. It counts against its caller's limits from here on."""
    form = row.body is Body.FORM
    view = look_form(body, content_type) if form else look(body, row, several=gateway.lanes.several)
    if isinstance(view, Refusal):
        return view
    route = find_route(view.model, gateway.directory.routes, caller)
    if isinstance(route, Refusal):
        if view.model in gateway.directory.routes:
            gateway.asked_for(view.model)
        return route
    if view.images or row.paths is not None:
        refusal = fitting(route, row, view) if gateway.media.on or not view.urls else not_fetched()
        if refusal is not None:
            return refusal
    told = gateway.meters.admit(caller, view.images) if caller.limits else b""
    return told if isinstance(told, Refusal) else Taken(view, route, told)
