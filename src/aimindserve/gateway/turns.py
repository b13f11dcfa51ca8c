"""A request's place among those of all callers: it begins now or when its turn comes, and gives its place on."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from aimindserve.domain.routing import Route, RouteState
from aimindserve.domain.turns import Entry, Ticket
from aimindserve.gateway.admit import TOO_MANY, not_ready
from aimindserve.gateway.auth import WITHDRAWN, Caller, is_current
from aimindserve.gateway.errors import Refusal
from aimindserve.gateway.waiting import Seat

if TYPE_CHECKING:
    from aimindserve.gateway.context import Gateway
    from aimindserve.gateway.protocol import ClientConnection


def _nothing(*_: object) -> None:
    """What a turn that is over calls."""


class Turn:
    """``begin`` is called once, with the route: by ``take``, or later, when the model is ready or out of another
    request's ``leave``."""

    __slots__ = ("_asked", "_begin", "_caller", "_client", "_gateway", "_refuse", "_route", "_seat", "_ticket")

    def __init__(
        self,
        gateway: "Gateway",
        client: "ClientConnection",
        caller: Caller,
        begin: Callable[[Route], None],
        refuse: Callable[[Refusal], None],
    ) -> None:
        self._gateway = gateway
        self._client = client
        self._caller = caller
        self._begin = begin
        self._refuse = refuse
        self._ticket: Ticket | None = None
        self._seat: Seat | None = None

    def take(self, route: Route, asked: str) -> None:
        """Begin, wait, or be refused because too many wait. ``asked``: the name by which ``route`` was asked for."""
        self._route, self._asked = route, asked
        gateway = self._gateway
        if not route.endpoints:
            self._wait_for_model()
            return
        self._client.deadline = gateway.now() + gateway.config.first_byte_timeout
        bounds, bound = self._caller.bounds, gateway.lanes.bound(route.deployment_id)
        if bound is not None:
            bounds = (*bounds, bound)
        ticket = Ticket(self._caller.line, route.deployment_id, bounds, self._begin_late)
        entry = gateway.turns.enter(ticket)
        if entry is Entry.FULL:
            self._refuse(TOO_MANY)
            return
        self._ticket = ticket
        if entry is Entry.STARTS:
            self._begin(route)

    def _wait_for_model(self) -> None:
        gateway, route = self._gateway, self._route
        self._seat = Seat(route.model, route.deployment_id, self._waited)
        self._client.deadline = gateway.now() + route.hold
        if gateway.waiting.enter(self._seat):
            gateway.on_waiting()
        else:
            self._refuse(not_ready(route, self._asked, time.time()))

    def _waited(self, route: Route | None) -> None:
        """The model is ready, or it is no use to wait any longer."""
        if self._seat is None:  # the client has left in this very moment
            return
        self._seat = None
        if not self._is_current():
            self._refuse(WITHDRAWN)
        elif route is not None and route.is_ready:
            self.take(route, self._asked)
        else:
            gone = route or replace(self._route, state=RouteState.STOPPED)
            self._refuse(not_ready(gone, self._asked, time.time()))

    def waits_in_vain(self) -> Refusal | None:
        """The time is over: what to say when it was the model that did not get ready."""
        if self._seat is None:
            return None
        route = self._gateway.directory.routes.get(self._route.model, self._route)
        return not_ready(route, self._asked, time.time())

    def _is_current(self) -> bool:
        return self._caller.line in self._gateway.directory.lines and is_current(self._caller, time.time())

    def _begin_late(self) -> None:
        """After a wait, in which the key may have been withdrawn."""
        if self._is_current():
            self._begin(self._route)
        else:
            self._refuse(WITHDRAWN)

    def leave(self) -> None:
        """The request is over, whether it ran or still waits."""
        ticket, self._ticket = self._ticket, None
        seat, self._seat = self._seat, None
        if seat is not None:
            self._gateway.waiting.leave(seat)
        self._begin, self._refuse = _nothing, _nothing  # both belong to who holds us: no cycle is left behind
        if ticket is None:
            return
        for started in self._gateway.turns.leave(ticket):
            # A little later, so that a line of requests that fail at once does not pile up calls.
            self._gateway.loop.call_soon(started.start)
