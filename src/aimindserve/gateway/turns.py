"""A request's place among those of all callers: it begins now or when its turn comes, and gives its place on."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from aimindserve.domain.routing import Route
from aimindserve.domain.turns import Entry, Ticket
from aimindserve.gateway.admit import TOO_MANY
from aimindserve.gateway.auth import WITHDRAWN, Caller, is_current
from aimindserve.gateway.errors import Refusal

if TYPE_CHECKING:
    from aimindserve.gateway.context import Gateway


def _nothing(*_: object) -> None:
    """What a turn that is over calls."""


class Turn:
    """``begin`` is called once: by ``take``, or later out of another request's ``leave``."""

    __slots__ = ("_begin", "_caller", "_gateway", "_refuse", "_ticket")

    def __init__(
        self, gateway: "Gateway", caller: Caller, begin: Callable[[], None], refuse: Callable[[Refusal], None]
    ) -> None:
        self._gateway = gateway
        self._caller = caller
        self._begin = begin
        self._refuse = refuse
        self._ticket: Ticket | None = None

    def take(self, route: Route) -> None:
        """Begin, wait, or be refused because too many wait."""
        bounds, bound = self._caller.bounds, self._gateway.lanes.bound(route.deployment_id)
        if bound is not None:
            bounds = (*bounds, bound)
        ticket = Ticket(self._caller.line, route.deployment_id, bounds, self._begin_late)
        entry = self._gateway.turns.enter(ticket)
        if entry is Entry.FULL:
            self._refuse(TOO_MANY)
            return
        self._ticket = ticket
        if entry is Entry.STARTS:
            self._begin()

    def _begin_late(self) -> None:
        """After a wait, in which the key may have been withdrawn."""
        caller = self._caller
        if caller.line in self._gateway.directory.lines and is_current(caller, time.time()):
            self._begin()
        else:
            self._refuse(WITHDRAWN)

    def leave(self) -> None:
        """The request is over, whether it ran or still waits."""
        ticket, self._ticket = self._ticket, None
        self._begin, self._refuse = _nothing, _nothing  # both belong to who holds us: no cycle is left behind
        if ticket is None:
            return
        for started in self._gateway.turns.leave(ticket):
            # A little later, so that a line of requests that fail at once does not pile up calls.
            self._gateway.loop.call_soon(started.start)
