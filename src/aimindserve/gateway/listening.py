"""The public port. Standard library only: the supervisor, which holds the sockets, is meant to stay small."""

from __future__ import annotations

import socket

_BACKLOG = 2048


class PortUnusableError(Exception):
    """The public port cannot be listened on. The message says what to do."""


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket on the public port; for host ``""`` or ``*``, for both address families where the machine has them.
    ``shared``: others listen on the same port, and the kernel spreads connections over all.

    Raises:
        PortUnusableError: it is taken, not allowed, or not an address of this machine.
    """
    any_host = host in ("", "*")
    family = socket.AF_INET6 if ":" in host or (any_host and socket.has_dualstack_ipv6()) else socket.AF_INET
    address = (("::" if family == socket.AF_INET6 else "0.0.0.0") if any_host else host, port)
    try:
        listener = socket.create_server(
            address,
            family=family,
            backlog=_BACKLOG,
            reuse_port=shared,
            dualstack_ipv6=any_host and family == socket.AF_INET6,
        )
    except OSError as error:
        raise PortUnusableError(_port_remedy(host, port, error)) from error
    listener.setblocking(False)  # noqa: FBT003
    # Connections inherit it; clients that vanished without a word are noticed in the end.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return listener


def _port_remedy(host: str, port: int, error: OSError) -> str:
    if isinstance(error, PermissionError):
        what = "ports below 1024 need root (or CAP_NET_BIND_SERVICE); choose another one with --port"
    else:
        what = "stop the program that uses it, or choose another one with --port"
    return f"cannot listen on {host or '*'}:{port} ({(error.strerror or str(error)).lower()}): {what}"
