"""Requests that wait for a model to start. They hold their bodies and nothing else, and their number is bounded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aimindserve.domain.routing import Route

Settle = Callable[[Route | None], None]


@dataclass(eq=False, slots=True)
class Seat:
    """A request that waits. ``settle`` is called once: with the model as it is when it need not, or must not, wait any
    more; None when it is gone."""

    model: str
    deployment_id: str
    settle: Settle


class WaitingRoom:
    """Seats by model; ``most`` of them for each."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seats: dict[str, dict[Seat, None]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._seats.values()))

    def enter(self, seat: Seat) -> bool:
        """Whether there is room."""
        seats = self._seats.setdefault(seat.model, {})
        if len(seats) >= self._most:
            return False
        seats[seat] = None
        return True

    def leave(self, seat: Seat) -> None:
        """The request waits no longer."""
        seats = self._seats.get(seat.model, {})
        seats.pop(seat, None)
        if not seats:
            self._seats.pop(seat.model, None)

    def by_deployment(self) -> dict[str, int]:
        """How many wait, by deployment id."""
        return {next(iter(seats)).deployment_id: len(seats) for seats in self._seats.values() if seats}

    def settle(self, routes: Mapping[str, Route]) -> list[Callable[[], None]]:
        """A new table: calls for those whose waiting is over."""
        over = [model for model in self._seats if not ((route := routes.get(model)) and route.may_wait)]
        return [_call(seat, routes.get(model)) for model in over for seat in self._seats.pop(model)]


def _call(seat: Seat, route: Route | None) -> Callable[[], None]:
    return lambda: seat.settle(route)
