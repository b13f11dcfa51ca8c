"""The table of all routes, as the running application has it."""

import re
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from aimindserve.domain.access import Policy
from aimindserve.server.app import create_routes
from aimindserve.server.guards import GuardedRoute


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    policy: Policy

    @property
    def example(self) -> str:
        """The path with values of things that do not exist."""
        return re.sub(r"\{[^}]+\}", "nosuchthing", self.path)


def unguarded(app: FastAPI) -> list[str]:
    """Routes that no policy protects."""
    return [
        str(found.path)
        for found in iter_route_contexts(app.routes)
        if not isinstance(found.original_route, GuardedRoute)
    ]


def all_routes() -> list[Route]:
    found = []
    for context in iter_route_contexts(create_routes().routes):
        route = context.original_route
        assert isinstance(route, GuardedRoute), context.path
        found += [Route(method, str(context.path), route.policy) for method in sorted(context.methods or ())]
    return found
