"""Whether the public port is free, and who holds it when it is not."""

from __future__ import annotations

import errno
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from aimindserve.cli.output import CommandError

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
    """``process 123 (nginx)`` for the process that listens on the port, as far as we may see it, else empty."""
    import psutil

    try:
        connections = psutil.net_connections("tcp")
        pid = next(
            (c.pid for c in connections if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == port), None
        )
        return f"process {pid} ({_named(psutil.Process(pid))})" if pid else ""
    except psutil.Error:
        return ""


def require_free_port(host: str, port: int, run_dir: Path) -> None:
    """Return when the port can be listened on.

    Children of a supervisor that was killed end by themselves within moments; where this folder was in use before,
    we wait for that. Raises CommandError with a remedy for a port that stays taken or may not be used.
    """
    trouble = port_trouble(host, port)
    if trouble is None:
        return
    used_before = (run_dir / "settings.json").exists()
    deadline = time.monotonic() + (TAKEOVER_PATIENCE if used_before and held_by_us(port) else 0.0)
    while trouble is not None:
        if trouble.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
            raise _explained(trouble, host, port)
        time.sleep(0.05)
        trouble = port_trouble(host, port)


def held_by_us(port: int) -> bool:
    """Whether the holder is a gateway of ours, left over from a supervisor that was killed."""
    import psutil

    holder = holder_of(port)
    pid = int(holder.split()[1]) if holder else 0
    try:
        return bool(pid) and "aimindserve.gateway" in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False


def _explained(trouble: OSError, host: str, port: int) -> CommandError:
    """The bind error in words."""
    if trouble.errno == errno.EADDRINUSE:
        holder = holder_of(port)
        by = f" by {holder}" if holder else ""
        other = port + 1 if port >= 1024 else 8080
        remedy = f"Stop that program or choose another port: aimindserve start --port {other}"
        return CommandError(f"Port {port} is already taken{by}.", remedy, code="port_taken")
    if trouble.errno == errno.EACCES:
        remedy = "Ports below 1024 need root: choose a higher one, for example --port 8080."
        return CommandError(f"This account may not listen on port {port}.", remedy, code="port_forbidden")
    if trouble.errno == errno.EADDRNOTAVAIL or isinstance(trouble, socket.gaierror):
        remedy = "Use 0.0.0.0 for all addresses, 127.0.0.1 for this machine only, or an address of this machine."
        return CommandError(f"{host} is no address of this machine.", remedy, code="host_unknown")
    return CommandError(f"Listening on {host}:{port} failed: {trouble.strerror}.", "Check --host and --port.")
