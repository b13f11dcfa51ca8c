"""What the supervisor tells the person who started it. Standard library only, like the supervisor."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from aimindserve import __version__
from aimindserve.domain.paths import DataPaths

ANY_ADDRESS = {"0.0.0.0", "::", ""}


def reachable_host(settings: Mapping[str, Any]) -> str:
    """The host under which this machine reaches the public port."""
    host = str(settings["host"])
    return "127.0.0.1" if host in ANY_ADDRESS else host


def base_url(settings: Mapping[str, Any]) -> str:
    """The address to open in a browser on this machine; the configured public one where there is one."""
    if settings.get("public_url"):
        return str(settings["public_url"]).rstrip("/")
    host, port = reachable_host(settings), int(settings["port"])
    shown = f"[{host}]" if ":" in host else host
    scheme, usual = ("https", 443) if settings.get("tls_certificate") else ("http", 80)
    return f"{scheme}://{shown}" if port == usual else f"{scheme}://{shown}:{port}"


def ask_ready(settings: Mapping[str, Any]) -> bool:
    """One ``GET /readyz`` by hand: true on 200. Any refusal or delay over half a second counts as not yet."""
    host, port = reachable_host(settings), int(settings["port"])
    try:
        with _connected(host, port, tls=bool(settings.get("tls_certificate"))) as connection:
            request = f"GET /readyz HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            return b" 200 " in connection.recv(32)
    except OSError:
        return False


def _connected(host: str, port: int, *, tls: bool) -> socket.socket:
    """A connection to ourselves. The certificate is for a name that people use, and is not looked at."""
    connection = socket.create_connection((host, port), timeout=0.5)
    if not tls:
        return connection
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connection)


def banner(settings: Mapping[str, Any]) -> str:
    """The lines that a person sees once everything answers."""
    data_dir = Path(settings["data_dir"])
    url = base_url(settings)
    paths = DataPaths(PurePosixPath(data_dir))
    password_file = Path(paths.initial_admin_password)
    lines = [
        f"aiMindServe {__version__} is ready.",
        "",
        f"  Page      {url}",
        "  User      admin",
        f"  Password  cat {_shell(password_file)}" if password_file.exists() else "  Password  the one you chose",
        f"  Data      {data_dir}",
    ]
    if sys.stderr.isatty():
        lines.append(f"  Logs      {paths.logs}")
    lines += ["", "Models go on running when this program stops; the next start takes them over."]
    lines.append(f"To end them too: {_program()} stop-engines --data-dir {_shell(data_dir)}")
    request = Path(paths.demo_request)
    if settings.get("demo") and request.exists():
        lines += ["", "Ask the demo model about a picture:", "", *_curl(url, Path(paths.local_cli_key), request)]
    return "\n".join([*lines, ""])


def _curl(url: str, key: Path, request: Path) -> list[str]:
    """A command to paste; the key is read from its file, so that it never shows on the screen."""
    return [
        f"  curl --retry 9 {url}/v1/chat/completions \\",
        f'    -H "Authorization: Bearer $(cat {_shell(key)})" \\',
        f"    -H 'Content-Type: application/json' -d @{_shell(request)}",
    ]


def _program() -> str:
    """How to call this command from here: by name where the PATH leads to it, else by its path."""
    script = Path(sys.executable).with_name("aimindserve")
    on_path = str(script.parent) in os.get_exec_path()
    return "aimindserve" if on_path or not script.exists() else _shell(script)


def _shell(path: Path) -> str:
    """The path as a shell takes it, relative to the current folder where it lies below. A service runs in ``/``: there
    the whole path is meant."""
    if Path.cwd() != Path("/") and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    text = str(path)
    safe = all(sign.isalnum() or sign in "/._-" for sign in text)
    return text if safe else "'" + text.replace("'", "'\\''") + "'"
