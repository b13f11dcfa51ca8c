"""Addresses that people name and this system fetches: read once, by one parser, and checked before anything is sent.

What is checked is what is used: the request is built from the parsed parts, and the connection goes to the very IP
address that was checked. Server-side request forgery lives on the difference between two readings (CVE-2026-24779).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urljoin

IpAddress = IPv4Address | IPv6Address
_LONGEST = 2048
_LONGEST_NAME = 253
_USUAL_PORTS = {"http": 80, "https": 443}
_PORTS = frozenset(_USUAL_PORTS.values())
_URL = re.compile(r"(https?)://([^/?#]*)([^#]*)(?:#.*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9_.-]+))(?::([0-9]{1,5}))?")
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*")
_LIKE_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
# All of printable ASCII: only what is no ASCII is written as percent signs.
_KEPT = "".join(map(chr, range(0x21, 0x7F)))


class MediaPolicy(StrEnum):
    """Which pictures' addresses are fetched."""

    PUBLIC = "public"
    ALLOWLIST = "allowlist"
    OFF = "off"


class AddressError(ValueError):
    """The address is not fetched. The message is for the administrator, one word or a few."""


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address. ``host`` in lower case, an IPv6 address without brackets; ``target``: path and query in ASCII.
    ``ip`` is set when the host is one."""

    scheme: str
    host: str
    port: int
    target: str
    ip: IpAddress | None = None

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if isinstance(self.ip, IPv6Address) else self.host
        return host if self.port == _USUAL_PORTS[self.scheme] else f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """The address in ``text``.

    Raises:
        AddressError: it is none, or one that means different things to different programs.
    """
    match = _URL.fullmatch(text)
    if match is None or len(text) > _LONGEST or _FORBIDDEN.search(text):
        raise AddressError("not an address")
    scheme, rest = match[1].lower(), match[3]
    authority = _AUTHORITY.fullmatch(match[2])
    if authority is None:
        raise AddressError("not a host")
    port = int(authority[3] or _USUAL_PORTS[scheme])
    if not 0 < port < 65536:
        raise AddressError("not a port")
    host, ip = _host(authority[1], authority[2])
    path = rest if rest.startswith("/") else f"/{rest}"
    return Address(scheme, host, port, quote(path, safe=_KEPT), ip)


def _host(inside_brackets: str | None, name: str | None) -> tuple[str, IpAddress | None]:
    try:
        if inside_brackets is not None:
            six = IPv6Address(inside_brackets)
            return str(six), six
        host = (name or "").lower().removesuffix(".")
        if _LIKE_NUMBER.fullmatch(host.rpartition(".")[2]):  # 127.1, 0x7f000001, 2130706433, 0177.0.0.1
            four = IPv4Address(host)
            return str(four), four
    except ValueError as error:
        raise AddressError("not a host") from error
    if len(host) > _LONGEST_NAME or not _NAME.fullmatch(host):
        raise AddressError("not a host")
    return host, None


def redirected(address: Address, location: str) -> Address:
    """Where a redirect of ``address`` leads.

    Raises:
        AddressError: to no address, or from https to http.
    """
    if _FORBIDDEN.search(location) or len(location) > _LONGEST:
        raise AddressError("not an address")
    there = parse_address(urljoin(f"{address.scheme}://{address.authority}{address.target}", location))
    if address.scheme == "https" and there.scheme != "https":
        raise AddressError("redirect to http")
    return there


# Special-purpose addresses by the IANA registries (RFC 6890); 168.63.129.16 is Azure's inside its virtual machines.
_NOT_PUBLIC = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
            "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
            "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
        ),
    )
)  # fmt: skip
# Global unicast is 2000::/3; in it lie Teredo and 6to4, which carry any IPv4 address, and documentation.
_GLOBAL = IPv6Network("2000::/3")
_NOT_GLOBAL = tuple(IPv6Network(block) for block in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


def is_public(ip: IpAddress) -> bool:
    """Whether ``ip`` is an address of the open internet, and so of nobody's inner network."""
    if isinstance(ip, IPv4Address):
        return not any(ip in block for block in _NOT_PUBLIC)
    return ip in _GLOBAL and not any(ip in block for block in _NOT_GLOBAL)


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """One entry of the list. ``name``: a host, or with a leading dot a domain and all in it; else ``network``. ``port``
    None: 80 and 443."""

    name: str = ""
    network: IPv4Network | IPv6Network | None = None
    port: int | None = None

    def takes_port(self, port: int) -> bool:
        """Whether it holds for ``port``."""
        return port in _PORTS if self.port is None else port == self.port


_ENTRY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+)|([0-9A-Fa-f:]+(?:/[0-9]+)?))(?::([0-9]{1,5}))?")


def parse_allowed_host(text: str) -> AllowedHost:
    """``pictures.example.com``, ``*.example.com``, ``10.1.0.0/16``, ``[::1]``, each with ``:port`` if need be.

    Raises:
        AddressError: it is none of these.
    """
    match = _ENTRY.fullmatch(text.strip())
    if match is None:
        raise AddressError(f"'{text}' is no host, network or *.domain")
    port = int(match[4]) if match[4] else None
    host = (match[1] or match[2] or match[3]).lower()
    name = host.removeprefix("*")
    if _NAME.fullmatch(name.removeprefix(".")) and not _LIKE_NUMBER.fullmatch(name.rpartition(".")[2]):
        return AllowedHost(name=name, port=port)
    try:
        return AllowedHost(network=ip_network(host), port=port)
    except ValueError as error:
        raise AddressError(f"'{text}' is no host, network or *.domain") from error


@dataclass(frozen=True, slots=True)
class MediaRules:
    """What may be fetched. ``ports``: those of the policy ``public``."""

    policy: MediaPolicy = MediaPolicy.PUBLIC
    hosts: tuple[AllowedHost, ...] = ()
    ports: frozenset[int] = _PORTS

    def check_host(self, address: Address) -> None:
        """Before the host's name is looked up.

        Raises:
            AddressError: it is not fetched from.
        """
        if self.policy is MediaPolicy.OFF:
            raise AddressError("off")
        if self.policy is MediaPolicy.PUBLIC:
            if address.port not in self.ports:
                raise AddressError("port")
        elif not any(self._holds(entry, address) for entry in self.hosts):
            raise AddressError("not on the list")

    def _holds(self, entry: AllowedHost, address: Address) -> bool:
        if not entry.takes_port(address.port):
            return False
        if entry.network is not None:
            return address.ip is not None and address.ip in entry.network
        return address.host == entry.name or (entry.name.startswith(".") and address.host.endswith(entry.name))

    def check_ips(self, address: Address, ips: Iterable[IpAddress]) -> None:
        """Before the connection: every one of the host's addresses must be public, or in a network that is listed.

        Raises:
            AddressError: one is not.
        """
        known = tuple(ips)
        if not known:
            raise AddressError("no address")
        for ip in known:
            if not is_public(ip) and not self._lists(ip, address.port):
                raise AddressError("not a public address")

    def _lists(self, ip: IpAddress, port: int) -> bool:
        if self.policy is not MediaPolicy.ALLOWLIST:
            return False
        return any(one.network is not None and ip in one.network and one.takes_port(port) for one in self.hosts)


def media_rules(policy: str, hosts: Iterable[str]) -> MediaRules:
    """The rules that the settings ask for.

    Raises:
        AddressError: an entry of the list cannot be read.
        ValueError: there is no such policy.
    """
    return MediaRules(MediaPolicy(policy), tuple(map(parse_allowed_host, hosts)))


def read_ip(text: str) -> IpAddress:
    """An address as the resolver gives it; its zone (``%eth0``) is left away.

    Raises:
        ValueError: it is none.
    """
    return ip_address(text.partition("%")[0])
