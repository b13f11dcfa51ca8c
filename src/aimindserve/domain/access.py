"""Who may do what: scopes of keys, policies of routes. Used by the gateway and by the server."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

SESSION_COOKIE = "aimindserve_session"
CSRF_HEADER = "x-aimindserve-csrf"
KEY_PREFIX = "sk-"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
Network = IPv4Network | IPv6Network


class Scope(StrEnum):
    """What an API key is for."""

    INFERENCE = "inference"
    MANAGEMENT = "management"
    METRICS = "metrics"


class Role(StrEnum):
    """What a person is for: each may do all that those after it may."""

    ADMIN = "admin"
    """Everything, people and settings included."""
    OPERATOR = "operator"
    """Deployments and model files."""
    USER = "user"
    """Ask models, with keys of their own."""


class Policy(StrEnum):
    """What a management route asks of its caller. Every route declares exactly one."""

    PUBLIC = "public"
    """Nobody needs to be known: login, health, the page itself."""
    SESSION = "session"
    """A browser session, even one that must still change its password; keys are refused."""
    USER = "user"
    """Any session with its password changed, or a key with scope management."""
    OPERATOR = "operator"
    """The session of an operator or administrator, or a management key of such a person."""
    ADMIN = "admin"
    """An administrator's session, or a management key whose owner is an administrator."""
    METRICS = "metrics"
    """A key with scope metrics or management, or an administrator's session."""


class Refusal(StrEnum):
    """Why a caller is refused."""

    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    PASSWORD_CHANGE_REQUIRED = "password_change_required"


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose credential was checked. ``key_id`` is None for a browser session."""

    user_id: str
    username: str
    role: Role
    key_id: str | None = None
    scopes: frozenset[str] = frozenset()
    models: frozenset[str] | None = None
    must_change_password: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether this is an administrator, or a key of one."""
        return self.role is Role.ADMIN

    @property
    def is_operator(self) -> bool:
        """Whether deployments and model files are this caller's to change."""
        return self.role is not Role.USER


def refuse(principal: Principal | None, policy: Policy) -> Refusal | None:
    """None when ``principal`` may use a route of this ``policy``, else the reason why not."""
    if policy is Policy.PUBLIC:
        return None
    if principal is None:
        return Refusal.UNAUTHENTICATED
    if principal.key_id is not None:
        return _refuse_key(principal, policy)
    if policy is Policy.SESSION:
        return None
    if principal.must_change_password:
        return Refusal.PASSWORD_CHANGE_REQUIRED
    return None if _has_role(principal, policy) else Refusal.FORBIDDEN


def _has_role(principal: Principal, policy: Policy) -> bool:
    if policy in (Policy.ADMIN, Policy.METRICS):
        return principal.is_admin
    return policy is not Policy.OPERATOR or principal.is_operator


def _refuse_key(principal: Principal, policy: Policy) -> Refusal | None:
    if policy is Policy.SESSION:
        return Refusal.FORBIDDEN
    if policy is Policy.METRICS and Scope.METRICS in principal.scopes:
        return None
    if Scope.MANAGEMENT not in principal.scopes or principal.must_change_password:
        return Refusal.FORBIDDEN
    # Metrics are the management scope's to read, whoever owns the key.
    return None if policy is Policy.METRICS or _has_role(principal, policy) else Refusal.FORBIDDEN


def may_use_model(models: Collection[str] | None, model: str) -> bool:
    """Whether a key limited to ``models`` (None: all) may call ``model``."""
    return models is None or model in models


def parse_networks(texts: Collection[str]) -> tuple[Network, ...]:
    """Ranges of addresses in CIDR form; one address is a range of its own.

    Raises:
        ValueError: one of them is no range (bits beyond the prefix included).
    """
    return tuple(ip_network(text) for text in texts)


def is_within(address: str, networks: Collection[Network]) -> bool:
    """Whether ``address`` lies in one of ``networks``; what is no address lies in none."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return any(one in network for one in (parsed, mapped) if one is not None for network in networks)


def client_address(peer: str, forwarded: Sequence[str], trusted: Collection[Network]) -> str:
    """Where a request comes from: ``peer``, or what proxies that are ``trusted`` say of it.

    ``forwarded``: the addresses of X-Forwarded-For, each proxy having added its own peer at the end. The last one that
    no trusted proxy has counts: everything before it could have been made up.
    """
    address = peer
    for before in reversed(forwarded):
        if not trusted or not is_within(address, trusted):
            break
        address = before
    return address


def same_origin(method: str, *, host: str, origin: str | None, fetch_site: str | None, csrf_header: str | None) -> bool:
    """Whether a request that authenticates by cookie may change something.

    Safe methods pass. Any other needs the custom header *and* a sign from the browser that the page that sends it is
    ours: ``Sec-Fetch-Site: same-origin``, or an ``Origin`` whose host and port are those of ``Host``.
    """
    if method.upper() in SAFE_METHODS:
        return True
    if csrf_header != "1":
        return False
    if fetch_site is not None:
        return fetch_site == "same-origin"
    # "null" is the origin of sandboxed pages: no host, and never ours.
    return origin is not None and host != "" and origin.partition("://")[2].lower() == host.lower()
