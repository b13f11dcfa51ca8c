"""Unix sockets that only this account can connect to."""

import os
import socket
from pathlib import Path


def listen_private(path: Path) -> socket.socket:
    """A listening socket of mode 0600 at ``path``. It gets its name only when it is ready to take connections, in
    place of whatever an earlier process left there: a client never finds a name behind which nobody listens.

    Raises:
        OSError: the folder cannot be written, or the path is too long.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    try:
        listener.bind(str(beside))
        os.chmod(beside, 0o600)  # noqa: PTH101  # before it has its name
        listener.listen(2048)
        beside.replace(path)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)  # noqa: FBT003  # takes no keyword
    return listener
