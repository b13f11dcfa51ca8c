"""A whole inference request before it goes anywhere: what it asks for, of which model, and whether it may."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aimindserve.domain.routing import Route
from aimindserve.gateway.admit import find_routes, not_ready
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
    """A request that may go on. ``routes``: who may answer, in the order in which they are tried; one that is not ready
    stands alone, and is waited for. ``told``: header lines for its answer, about its caller's limits."""

    view: BodyView
    routes: tuple[Route, ...]
    told: bytes


def take(
    gateway: "Gateway", row: Row, caller: Caller, body: bytes | bytearray, content_type: bytes | None
) -> Taken | Refusal:
    """The request with this ``body``, or why it is refused. It counts against its caller's limits from here on."""
    form = row.body is Body.FORM
    view = look_form(body, content_type) if form else look(body, row, several=gateway.lanes.several)
    if isinstance(view, Refusal):
        return view
    found = find_routes(view.model, gateway.directory, caller)
    if isinstance(found, Refusal):
        return found
    wanted, routes = found
    gateway.asked_for(wanted)
    first = routes[0]
    if not first.is_ready and not first.may_wait:
        return not_ready(first, view.model, time.time())
    if view.images or row.paths is not None:
        refusal = None if gateway.media.on or not view.urls else not_fetched()
        refusals = [refusal or fitting(route, row, view) for route in routes]
        routes = tuple(route for route, why in zip(routes, refusals, strict=True) if why is None)
        if not routes:
            return next(why for why in refusals if why is not None)
    told = gateway.meters.admit(caller, view.images) if caller.limits else b""
    return told if isinstance(told, Refusal) else Taken(view, routes, told)
