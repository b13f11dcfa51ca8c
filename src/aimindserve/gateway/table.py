"""The routing table in force, indexed for look-ups, and its last good copy on disk."""

from dataclasses import replace
from itertools import count
from pathlib import Path

import msgspec

from aimindserve.domain.limits import Limits
from aimindserve.domain.routing import Alias, Route, RouteState, RoutingTable, turn, ways
from aimindserve.gateway.auth import Caller, caller_of_key, caller_of_session
from aimindserve.gateway.private import read_private, replace_private


class Directory:
    """What the gateway knows from the server. ``apply`` replaces all of it between two requests."""

    def __init__(self, key_concurrency: int = 16, gateways: int = 1) -> None:
        self._key_concurrency = key_concurrency
        self._gateways = gateways
        self.version = 0
        self.generation = 0  # rises with each table, whatever its version
        self.routes: dict[str, Route] = {}
        self.listed: dict[str, Route] = {}
        """Every public name: models, and aliases as what they lead to."""
        self._aliases: dict[str, Alias] = {}
        self._numbers = count()
        self.keys: dict[bytes, Caller] = {}
        self.sessions: dict[bytes, Caller] = {}
        self.lines: frozenset[str] = frozenset()
        """Whose requests may go on that have waited (``Caller.line``)."""

    def apply(self, table: RoutingTable) -> None:
        """Put ``table`` in force.

        Raises:
            ValueError: a digest is not hexadecimal, or a network is none; the old table stays in force.
        """
        owners = {grant.user_id: self._share(grant.limits) for grant in table.users}
        most = -(-self._key_concurrency // self._gateways)
        keys = {
            bytes.fromhex(grant.digest): caller_of_key(
                replace(grant, limits=self._share(grant.limits)), owners.get(grant.user_id), most
            )
            for grant in table.keys
        }
        sessions = {
            bytes.fromhex(grant.digest): caller_of_session(grant, owners.get(grant.user_id), most)
            for grant in table.sessions
        }
        self.routes = {route.model: route for route in table.routes}
        self._aliases = {alias.name: alias for alias in table.aliases if alias.name not in self.routes}
        self.listed = self.routes | {alias.name: self._shown(alias) for alias in self._aliases.values()}
        self.keys, self.sessions, self.version = keys, sessions, table.version
        self.lines = frozenset(caller.line for callers in (keys, sessions) for caller in callers.values())
        self.generation += 1

    def _share(self, limits: Limits | None) -> Limits | None:
        """Of what runs at once, the part of one of several gateways, rounded up. Other limits hold over all of them:
        they tell each other what was used."""
        if limits is None or limits.concurrent is None or self._gateways == 1:
            return limits
        return replace(limits, concurrent=-(-limits.concurrent // self._gateways))

    def led(self, name: str) -> tuple[str, tuple[Route, ...]] | None:
        """The model whose turn it is behind an alias, and those that may answer its next request, in the order in which
        they are tried; None when there is no such alias."""
        alias = self._aliases.get(name)
        if alias is None:
            return None
        number = next(self._numbers)
        names = ways(alias, number, self._is_ready)
        return turn(alias.targets, number), tuple(self.routes[name] for name in names if name in self.routes)

    def _is_ready(self, model: str) -> bool:
        route = self.routes.get(model)
        return route is not None and route.is_ready

    def _shown(self, alias: Alias) -> Route:
        """An alias as a model: what the first of its deployments that is ready, or that there is, can do."""
        names = (*(name for name, _ in alias.targets), *filter(None, (alias.fallback,)))
        found = [self.routes[name] for name in names if name in self.routes]
        found.sort(key=lambda route: not route.is_ready)
        shown = found[0] if found else Route("", "", RouteState.STOPPED)
        return replace(shown, model=alias.name, created=alias.created)

    def metered(self) -> set[str]:
        """Whose use is counted against a limit."""
        return {
            subject
            for callers in (self.keys, self.sessions)
            for caller in callers.values()
            for subject, _ in caller.limits
        }

    def endpoints(self) -> set[tuple[str, str, int]]:
        """(replica id, host, port) of every replica that is served now."""
        return {(e.replica_id, e.host, e.port) for route in self.routes.values() for e in route.endpoints}


def save_table(file: Path, table: RoutingTable) -> None:
    """Write ``table`` to ``file`` (mode 0600), whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    replace_private(file, msgspec.json.encode(table))


def load_table(file: Path) -> RoutingTable | None:
    """The table in ``file``; None when there is none, it is damaged, or others could have written it."""
    content = read_private(file)
    try:
        return None if content is None else msgspec.json.decode(content, type=RoutingTable)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
