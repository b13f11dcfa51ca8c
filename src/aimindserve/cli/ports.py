"""Whether the public port is free, and who holds it when it is not."""

from __future__ import annotations

import errno
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from aimindserve.cli.output import refusal
from aimindserve.domain.reasons import Reason, ReasonCode, reason

if TYPE_CHECKING:
    import psutil

TAKEOVER_PATIENCE = 10.0  # seconds that the children of a killed supervisor may take to end


def port_trouble(host: str, port: int) -> OSError | None:
    """The error that listening on ``host:port`` gives, or None when it is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen(1)
    except OSError as error:
        return error
    return None


def _named(process: psutil.Process) -> str:
    """Its program; of Python also the module that it runs."""
    words = process.cmdline()
    module = f" -m {words[2]}" if words[1:2] == ["-m"] and len(words) > 2 else ""
    return f"{process.name()}{module}"


def holder_of(port: int) -> str:
    """``123 (nginx)`` for the process that listens on the port, as far as we may see it, else empty."""
    import psutil

    try:
        connections = psutil.net_connections("tcp")
        pid = next(
            (c.pid for c in connections if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == port), None
        )
        return f"{pid} ({_named(psutil.Process(pid))})" if pid else ""
    except psutil.Error:
        return ""


def require_free_port(host: str, port: int, run_dir: Path) -> None:
    """Return when the port can be listened on; raises CommandError, with a remedy, for one that cannot."""
    if (trouble := why_taken(host, port, run_dir)) is not None:
        raise refusal(trouble)


def why_taken(host: str, port: int, run_dir: Path) -> Reason | None:
    """Why the port cannot be listened on, None when it can.

    Children of a supervisor that was killed end by themselves within moments; where this folder was in use before,
    we wait for that.
    """
    trouble = port_trouble(host, port)
    if trouble is None:
        return None
    used_before = (run_dir / "settings.json").exists()
    deadline = time.monotonic() + (TAKEOVER_PATIENCE if used_before and held_by_us(port) else 0.0)
    while trouble is not None:
        if trouble.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
            return _explained(trouble, host, port)
        time.sleep(0.05)
        trouble = port_trouble(host, port)
    return None


def held_by_us(port: int) -> bool:
    """Whether the holder is a gateway of ours, left over from a supervisor that was killed."""
    import psutil

    holder = holder_of(port)
    pid = int(holder.split()[0]) if holder else 0
    try:
        return bool(pid) and "aimindserve.gateway" in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False


def _explained(trouble: OSError, host: str, port: int) -> Reason:
    """Why the address cannot be listened on."""
    if trouble.errno == errno.EADDRINUSE:
        other = port + 1 if port >= 1024 else 8080
        if holder := holder_of(port):
            return reason(ReasonCode.PUBLIC_PORT_TAKEN_BY, port=port, holder=holder, other=other)
        return reason(ReasonCode.PUBLIC_PORT_TAKEN, port=port, other=other)
    if trouble.errno == errno.EACCES:
        return reason(ReasonCode.PORT_FORBIDDEN, port=port)
    if trouble.errno == errno.EADDRNOTAVAIL or isinstance(trouble, socket.gaierror):
        return reason(ReasonCode.HOST_UNKNOWN, host=host)
    return reason(ReasonCode.LISTEN_FAILED, host=host, port=port, detail=trouble.strerror or str(trouble))
