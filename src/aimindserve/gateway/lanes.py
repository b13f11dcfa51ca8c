"""The replicas behind each model as this gateway sees them, kept with the table from one table to the next."""

import time
from collections.abc import Callable, Iterable, Mapping

from aimindserve.domain.balancing import WARMING_SECONDS, Lane
from aimindserve.domain.routing import Endpoint, Route, slots_of

Bound = tuple[str, int]


class Lanes:
    """Replicas by deployment. ``now``: seconds that never go back."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._known: dict[str, Lane] = {}
        self._of: dict[str, tuple[Lane, ...]] = {}
        self._bounds: dict[str, Bound] = {}
        self.several = False
        """Whether a model has more than one replica."""

    def apply(self, routes: Iterable[Route]) -> None:
        """A new table. Replicas that it does not name are forgotten once their last answer is over."""
        before = self._known
        self._known = {replica: lane for replica, lane in before.items() if lane.in_flight}
        self._of, self._bounds, self.several = {}, {}, False
        for route in routes:
            self._of[route.deployment_id] = tuple(
                self._lane(one, before.get(one.replica_id)) for one in route.endpoints
            )
            self.several = self.several or len(route.endpoints) > 1
            most = slots_of(route)
            if most is not None:
                self._bounds[route.deployment_id] = (f"model {route.deployment_id}", most)

    def _lane(self, endpoint: Endpoint, known: Lane | None) -> Lane:
        if known is None or known.endpoint != endpoint:
            # What is under way at a replica whose engine started anew ends there: it is no load of the new one.
            warm_at = self._now() + endpoint.ready_since + WARMING_SECONDS - time.time()
            known = Lane(endpoint, warm_at=warm_at)
        self._known[endpoint.replica_id] = known
        return known

    def of(self, deployment_id: str) -> tuple[Lane, ...]:
        """The replicas that serve a deployment now."""
        return self._of.get(deployment_id, ())

    def bound(self, deployment_id: str) -> Bound | None:
        """Under which name, and how many, requests a deployment works on at once; None when that is not known."""
        return self._bounds.get(deployment_id)

    def hear(self, elsewhere: Mapping[str, int]) -> None:
        """What all other gateways have under way, by replica."""
        for replica, lane in self._known.items():
            lane.elsewhere = elsewhere.get(replica, 0)

    def loads(self) -> dict[str, int]:
        """Requests under way from here, by replica."""
        return {replica: lane.in_flight for replica, lane in self._known.items()}

    def left_out(self) -> int:
        """Replicas that are not used for a while because they failed."""
        return sum(lane.failures > 0 for lane in self._known.values())
