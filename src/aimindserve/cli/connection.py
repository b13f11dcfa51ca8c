"""Where the server is and with which key: the environment, else the server of this machine's data folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aimindserve.cli.output import CommandError, language
from aimindserve.domain.paths import DataPaths, run_dir, server_socket

if TYPE_CHECKING:
    from aimindserve.client import Client


def default_data_dir() -> Path:
    """``/var/lib/aimindserve`` for root, else ``~/.local/share/aimindserve``."""
    if os.geteuid() == 0:
        return Path("/var/lib/aimindserve")
    return Path.home() / ".local" / "share" / "aimindserve"


def resolve_data_dir(given: str | None) -> Path:
    """The data folder that a command means, as an absolute path."""
    return Path(given).absolute() if given else default_data_dir()


def run_dir_of(data_dir: Path) -> Path:
    """Where the server of this data folder has its sockets."""
    return Path(run_dir(str(data_dir), tempfile.gettempdir(), os.geteuid()))


def local_key_for(url: str, data_dir: Path) -> str | None:
    """The key that the server of ``data_dir`` keeps for the command line, if ``url`` is on this machine: it must not
    travel to another one. None where it may not be read either.
    """
    if urlsplit(url).hostname not in {"127.0.0.1", "::1", "localhost"}:
        return None
    try:
        return Path(DataPaths(PurePosixPath(data_dir)).local_cli_key).read_text().strip()
    except OSError:
        return None


def connect(data_dir: str | None) -> Client:
    """A client for ``AIMINDSERVE_URL`` with ``AIMINDSERVE_API_KEY``; without an address, for the server of the data
    folder over its Unix socket with the key that it keeps for the command line.

    Raises:
        CommandError: no server runs there, or its files belong to another account.
    """
    from aimindserve.client import Client

    key = os.environ.get("AIMINDSERVE_API_KEY")
    if url := os.environ.get("AIMINDSERVE_URL"):
        own = key or local_key_for(url, resolve_data_dir(data_dir))
        return Client(url.rstrip("/"), key=own, language=language())
    folder = resolve_data_dir(data_dir)
    socket = Path(server_socket(PurePosixPath(run_dir_of(folder))))
    try:
        if not socket.exists():
            raise CommandError(
                f"No aiMindServe is running for the data folder {folder}.",
                "Start it with `aimindserve start`, name another folder with --data-dir, "
                "or set AIMINDSERVE_URL and AIMINDSERVE_API_KEY for a server elsewhere.",
                code="not_running",
            )
        key = key or Path(DataPaths(PurePosixPath(folder)).local_cli_key).read_text().strip()
    except FileNotFoundError:
        raise CommandError(
            f"The key of the command line is missing in {folder}/keys.",
            "Restart the server: it writes a new one. Or set AIMINDSERVE_API_KEY.",
            code="local_key_missing",
        ) from None
    except PermissionError:
        raise CommandError(
            f"The data folder {folder} belongs to another account.",
            "Run the command as that account (sudo), or set AIMINDSERVE_URL and AIMINDSERVE_API_KEY.",
            code="data_dir_forbidden",
        ) from None
    return Client("http://localhost", key=key, socket=socket, language=language())
